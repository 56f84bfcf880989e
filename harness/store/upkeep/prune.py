# ruff: noqa: S608 - table names are literals, values are bound
"""Retention: whole runs go by id or age; of services that live on, the old rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from harness.errors import UnknownRunError, UsageError
from harness.store.database.locks import writing
from harness.store.database.migrate import connect, database_error, make_current
from harness.store.fold.ingestion import ingest
from harness.store.paths import StorePaths
from harness.store.reader import open_store

_OF_RUN = (
    "requests",
    "calls",
    "grades",
    "events",
    "gate_results",
    "contents",
    "waiting_facts",
    "waiting_ends",
)
_TIME_OF = {
    "requests": "started_at",
    "calls": "started_at",
    "events": "ts",
    "contents": "ts",
    "waiting_facts": "ts",
}
_AGED = {"alert_events": "ts", "quarantine": "found_at"}


@dataclass(slots=True)
class PruneReport:
    """What goes, or with `dry_run` would go.

    Attributes:
        run_ids: runs removed with all their rows.
        thinned_run_ids: living service runs that lost their old rows only.
        rows: table -> rows removed.
    """

    run_ids: list[str] = field(default_factory=list)
    thinned_run_ids: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def prune_runs(
    store_dir: Path,
    *,
    run_ids: Iterable[str] = (),
    older_than: timedelta | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> PruneReport:
    """Remove runs by id, or all whose last activity is older than an age; never one that is running.

    Args:
        store_dir: the store's folder.
        run_ids: exact ids.
        older_than: age of the last activity; also thins services that live on, alerts and the quarantine.
        dry_run: count only.
        now: the present moment, for tests.

    Raises:
        UnknownRunError: an id is not in the store.
        UsageError: a named run is still running, or nothing was asked for.
        StoreError: the store cannot be used.
    """
    wanted = list(run_ids)
    if not wanted and older_than is None:
        raise UsageError("say what to prune: runs by id, or an age")
    paths = StorePaths(Path(store_dir))
    open_store(paths.root)
    ingest(paths.root)
    with writing(paths):
        make_current(paths)
        connection = connect(paths.database)
        try:
            return _prune(connection, paths, wanted, older_than, now or datetime.now(UTC), dry_run=dry_run)
        except duckdb.Error as error:
            raise database_error(paths.database, error) from error
        finally:
            connection.close()


def _prune(
    connection: duckdb.DuckDBPyConnection,
    paths: StorePaths,
    wanted: list[str],
    older_than: timedelta | None,
    now: datetime,
    *,
    dry_run: bool,
) -> PruneReport:
    living = _living(connection, paths)
    known = {run_id for (run_id,) in connection.execute("SELECT run_id FROM runs").fetchall()}
    for run_id in wanted:
        if run_id not in known:
            raise UnknownRunError(run_id, str(paths.root))
        if run_id in living:
            raise UsageError(f"run '{run_id}' is running; it can be pruned when it has ended")
    report = PruneReport(run_ids=list(dict.fromkeys(wanted)))
    cutoff = None if older_than is None else (now - older_than).astimezone(UTC).replace(tzinfo=None)
    if cutoff is not None:
        old = [run_id for run_id in _older(connection, cutoff) if run_id not in living]
        report.run_ids = list(dict.fromkeys([*report.run_ids, *old]))
    connection.execute("BEGIN")
    _remove_runs(connection, report)
    if cutoff is not None:
        _remove_aged(connection, report, living, cutoff)
    connection.execute("ROLLBACK" if dry_run else "COMMIT")
    if not dry_run:
        connection.execute("CHECKPOINT")
    return report


def _living(connection: duckdb.DuckDBPyConnection, paths: StorePaths) -> set[str]:
    running = connection.execute("SELECT run_id, owner FROM runs WHERE status = 'running'").fetchall()
    return {run_id for run_id, owner in running if owner and paths.owner_alive(owner)}


def _older(connection: duckdb.DuckDBPyConnection, cutoff: datetime) -> list[str]:
    """Runs whose last sign of life is before the cutoff."""
    rows = connection.execute(
        """SELECT run_id FROM runs
        LEFT JOIN (SELECT run_id, max(started_at) AS sent FROM requests GROUP BY run_id) USING (run_id)
        LEFT JOIN (SELECT run_id, max(started_at) AS called FROM calls GROUP BY run_id) USING (run_id)
        WHERE greatest(started_at, ended_at, owner_since, sent, called) < ? ORDER BY started_at""",
        [cutoff],
    ).fetchall()
    return [run_id for (run_id,) in rows]


def _remove_runs(connection: duckdb.DuckDBPyConnection, report: PruneReport) -> None:
    connection.execute("CREATE TEMP TABLE doomed AS SELECT unnest(?::VARCHAR[]) AS run_id", [report.run_ids])
    for table in (*_OF_RUN, "runs"):
        _delete(connection, report, table, "run_id IN (FROM doomed)", [])
    # Forget which logs made a run: pruned, they may be taken again.
    connection.execute("DELETE FROM ingested_files WHERE run_id IN (FROM doomed)")


def _remove_aged(
    connection: duckdb.DuckDBPyConnection, report: PruneReport, living: set[str], cutoff: datetime
) -> None:
    services = connection.execute(
        "SELECT run_id FROM runs WHERE kind = 'service' AND run_id IN (SELECT unnest(?::VARCHAR[]))",
        [list(living)],
    ).fetchall()
    for (run_id,) in services:
        before = sum(report.rows.values())
        for table, moment in _TIME_OF.items():
            _delete(connection, report, table, f"run_id = ? AND {moment} < ?", [run_id, cutoff])
        if sum(report.rows.values()) > before:
            report.thinned_run_ids.append(run_id)
    for table, moment in _AGED.items():
        _delete(connection, report, table, f"{moment} < ?", [cutoff])


def _delete(
    connection: duckdb.DuckDBPyConnection, report: PruneReport, table: str, where: str, values: list[object]
) -> None:
    ((count,),) = connection.execute(f"DELETE FROM {table} WHERE {where}", values).fetchall()
    if count:
        report.rows[table] = report.rows.get(table, 0) + count
