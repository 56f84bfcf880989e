# ruff: noqa: S608 - names in SQL come from the caller's constants, values are bound
"""Rows that are typed already, into their tables in one transaction: imports of other tools' telemetry.

Who makes such rows says himself which stored ones they replace; nothing is matched here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from harness.records import Run
from harness.store.database.locks import writing
from harness.store.database.migrate import database_error, make_current
from harness.store.database.workbench import open_workbench
from harness.store.fold.stage import Quarantined
from harness.store.marks import Mark, set_mark
from harness.store.paths import StorePaths
from harness.store.spool.writer import store_error


@contextmanager
def direct(store_dir: Path, *, wait: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A workbench with the store as `db`, under the store's lock, for one transaction.

    Args:
        store_dir: the store's folder; made when missing.
        wait: for others who write.

    Raises:
        StoreError: the store cannot be used; nothing is half-written.
    """
    paths = StorePaths(Path(store_dir))
    try:
        paths.spool_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_error(paths.root, error) from error
    with writing(paths, wait=wait):
        make_current(paths)
        connection = open_workbench(paths, read_only=False)
        try:
            yield connection
        except duckdb.Error as error:
            raise database_error(paths.database, error) from error
        finally:
            connection.close()


def write_rows(
    connection: duckdb.DuckDBPyConnection,
    rows: Mapping[str, str],
    *,
    run: Run | None,
    gone_requests: str | None = None,
    ended_run: str | None = None,
    quarantine: list[Quarantined] | None = None,
    mark: Mark | None = None,
) -> None:
    """One transaction.

    Args:
        connection: of `direct`.
        rows: table -> what to insert: a relation whose columns have the table's names.
        run: a run that begins.
        gone_requests: a relation `rid` of requests that are replaced.
        ended_run: a run that is complete with this.
        quarantine: what could not become a row.
        mark: how far a file is taken now.
    """
    connection.execute("BEGIN")
    if run is not None:
        _begin(connection, run)
    if gone_requests is not None:
        connection.execute(f"DELETE FROM db.requests WHERE rowid IN (SELECT rid FROM {gone_requests})")
    for table, relation in rows.items():
        connection.execute(f"INSERT INTO db.{table} BY NAME FROM {relation}")
    now = datetime.now(UTC).replace(tzinfo=None)
    if ended_run is not None:
        connection.execute(
            "UPDATE db.runs SET ended_at = ?, status = 'completed' WHERE run_id = ?", [now, ended_run]
        )
    for item in quarantine or ():
        connection.execute(
            "INSERT INTO db.quarantine VALUES (?, ?, ?, ?, ?, ?)",
            [now, item.source, item.byte_offset, item.type_name, item.problem, item.body],
        )
    if mark is not None:
        set_mark(connection, mark)
    connection.execute("COMMIT")


def _begin(connection: duckdb.DuckDBPyConnection, run: Run) -> None:
    """A run's row, once."""
    known = connection.execute("SELECT 1 FROM db.runs WHERE run_id = ?", [run.run_id]).fetchall()
    if known:
        return
    values = {
        "run_id": run.run_id,
        "kind": run.kind.value,
        "name": run.name,
        "started_at": run.started_at.astimezone(UTC).replace(tzinfo=None),
        "status": run.status.value,
        "environment": run.environment,
        "target": run.target,
        "harness_version": run.harness_version,
        "owner_since": run.started_at.astimezone(UTC).replace(tzinfo=None),
    }
    marks = ", ".join("?" for _ in values)
    connection.execute(
        f"INSERT INTO db.runs ({', '.join(values)}, config) VALUES ({marks}, '{{}}')", list(values.values())
    )
