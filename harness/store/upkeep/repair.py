# ruff: noqa: S608 - table names are literals, values are bound
"""Bring a store back: finish dead spools, retry the quarantine, set a damaged database aside."""

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from harness.errors import StoreDamagedError, StoreMissingError
from harness.store.database.locks import writing
from harness.store.database.migrate import connect, copy_whole, database_error, make_current, schema_version
from harness.store.database.workbench import open_workbench
from harness.store.fold.fold import fold_stage
from harness.store.fold.ingestion import ingest, write_folded
from harness.store.fold.stage import Stage
from harness.store.paths import StorePaths
from harness.store.spool.codec import RECORD_TYPES
from harness.store.upkeep.salvage import salvage, unreadable_columns

_RETRIED = "(problem LIKE 'not what its columns hold%' OR problem LIKE 'unknown record type%')"


@dataclass(slots=True)
class RepairReport:
    """What was done, sentence by sentence; empty when nothing was wrong."""

    done: list[str] = field(default_factory=list)


def repair_store(store_dir: Path, *, exported: str | None = None) -> RepairReport:
    """Do what can be done without losing anything; what is replaced stays beside it under another name.

    Args:
        store_dir: the store's folder.
        exported: Parquet exported from this store, to fill what a damaged database has lost.

    Raises:
        StoreMissingError: there is nothing to repair.
        StoreTooNewError, StoreFullError, StoreError: not now.
    """
    paths = StorePaths(Path(store_dir))
    if not paths.root.is_dir():
        raise StoreMissingError(f"there is no store at {paths.root}")
    report = RepairReport()
    with writing(paths):
        revived = _revive_database(paths, report, exported)
        _retry_quarantine(paths, report)
    taken = ingest(paths.root)
    if revived:
        _drop_doubles(paths)
    if taken.records:
        report.done.append(f"{taken.records} records moved from spools into the database")
    if taken.torn_bytes:
        report.done.append(f"{taken.torn_bytes} bytes of unfinished, never acknowledged lines left out")
    for leftover in ("harness.duckdb.new", "harness.duckdb.new.wal"):
        if (paths.root / leftover).exists():
            (paths.root / leftover).unlink()
            report.done.append(f"removed {leftover}, which a killed process left")
    return report


def _revive_database(paths: StorePaths, report: RepairReport, exported: str | None) -> bool:
    """True when the database was broken and another now stands in its place."""
    if not paths.database.exists():
        return False
    try:
        schema_version(paths)
        _read_through(paths)
    except StoreDamagedError as error:
        report.done.append(str(error))
    else:
        return False
    wal = Path(f"{paths.database}.wal")
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    if wal.exists():
        _set_aside(wal, stamp, report)
        try:
            schema_version(paths)
            _read_through(paths)
        except StoreDamagedError:
            pass
        else:
            report.done.append("without its write-ahead log the database is whole")
            return True
    with tempfile.TemporaryDirectory(prefix="repair-", dir=paths.root) as folder:
        beside = StorePaths(Path(folder))
        make_current(beside)
        try:
            taken = salvage(paths.database, beside.database, exported=exported)
        except duckdb.Error as error:  # without room for another, everything stays as it is
            raise database_error(paths.database, error) from error
        if not any("taken over" in sentence for sentence in taken):
            taken += _backup_restored(paths, beside)
        _set_aside(paths.database, stamp, report)
        beside.database.rename(paths.database)
    report.done += taken
    return True


def _backup_restored(paths: StorePaths, beside: StorePaths) -> list[str]:
    """The copy that a migration left, where nothing else could be read; made whole before anything moves."""
    backups = sorted(paths.root.glob("harness.duckdb.v*.backup"), key=lambda path: path.stat().st_mtime)
    if not backups:
        return []
    beside.database.unlink()
    copy_whole(backups[-1], beside.database)
    make_current(beside)
    return [f"restored {backups[-1].name}; spools that are still there follow"]


def _read_through(paths: StorePaths) -> None:
    """Read every value once: a block that fails its checksum shows only when read."""
    with connect(paths.database, read_only=True) as connection:
        broken = unreadable_columns(connection, paths.database.stem)
    if broken:
        named = ", ".join(f"{table}.{column}" for table, columns in broken.items() for column in columns)
        raise StoreDamagedError(f"{paths.database} is damaged: {named[:300]}")


def _drop_doubles(paths: StorePaths) -> None:
    """Where it was lost how far the spools had been read, they were read again from their beginning."""
    with writing(paths), connect(paths.database) as connection:
        try:
            for table in ("grades", "events", "gate_results", "alert_events", "contents"):
                connection.execute(
                    f"""DELETE FROM {table} WHERE rowid NOT IN (
                        SELECT min(r) FROM (SELECT rowid AS r, hash(t) AS h FROM {table} t) GROUP BY h
                    )"""
                )
        except duckdb.Error as error:
            raise database_error(paths.database, error) from error


def _set_aside(path: Path, stamp: str, report: RepairReport) -> None:
    damaged = path.with_name(f"{path.name}.damaged-{stamp}")
    path.rename(damaged)
    report.done.append(f"{path.name} set aside as {damaged.name}")


def _retry_quarantine(paths: StorePaths, report: RepairReport) -> None:
    """Lines that an older harness could not read may be fine for this one."""
    if not paths.database.exists():
        return
    make_current(paths)
    connection = open_workbench(paths, read_only=False)
    try:
        rows = connection.execute(
            f"SELECT rowid, source, byte_offset, type_name, body FROM db.quarantine WHERE {_RETRIED}"
        ).fetchall()
        if not rows:
            return
        stage = Stage()
        for _, source, offset, type_name, body in rows:
            spool_id = source.partition(".")[0]
            if type_name in RECORD_TYPES:
                stage.add_body(type_name, body.encode(), spool_id=spool_id, offset=offset or 0)
            else:
                stage.add(f"{body}\n".encode(), offset or 0, spool_id=spool_id, source=source)
        fold_stage(connection, stage)
        ((still,),) = connection.execute("SELECT count(*) FROM fresh.quarantine").fetchall()
        connection.execute("BEGIN")
        connection.execute(
            "DELETE FROM db.quarantine WHERE rowid IN (SELECT unnest(?::BIGINT[]))",
            [[row[0] for row in rows]],
        )
        write_folded(connection)
        connection.execute("COMMIT")
        if len(rows) > still:
            report.done.append(f"{len(rows) - still} records came out of quarantine")
    except duckdb.Error as error:
        raise database_error(paths.database, error) from error
    finally:
        connection.close()
