# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""Move complete spool lines into DuckDB, each exactly once, whatever dies in between.

Rows and the offsets they came from are one transaction. A commit that fails may still have become durable (a
full disk at the checkpoint), so nothing is remembered: the next attempt asks the database how far it is.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from harness.store.database.locks import writing
from harness.store.database.migrate import database_error, make_current
from harness.store.database.workbench import open_workbench, spool_offsets
from harness.store.fold.fold import FOLDED_TABLES, fold_stage
from harness.store.paths import StorePaths, sync_directory
from harness.store.spool.tail import Tail, read_tail

CHUNK_BYTES = 128 * 1024 * 1024
"""Spool bytes in one transaction: bounds memory, and how long readers wait.

Enough for more rows than DuckDB's row group of 122,880, which go to their place at once; fewer would take the
way through the write-ahead log."""


@dataclass(slots=True)
class IngestReport:
    """What one ingest did.

    Attributes:
        records: lines taken, quarantined ones included.
        quarantined: lines and rows that are kept in `quarantine` only.
        torn_bytes: unfinished last lines of dead owners, which nobody had acknowledged.
        files_removed: spools that are wholly in the database and gone from the disk.
        busy: True when someone else was at it and `wait` was False; then nothing was done.
    """

    records: int = 0
    quarantined: int = 0
    torn_bytes: int = 0
    files_removed: int = 0
    busy: bool = False


def ingest(store_dir: Path, *, wait: bool = True, chunk_bytes: int = CHUNK_BYTES) -> IngestReport:
    """Take everything that the spools hold now.

    Args:
        store_dir: the store's folder; nothing happens when it holds no spool.
        wait: False returns at once (`busy`) when another ingest is at work.
        chunk_bytes: spool bytes a transaction.

    Raises:
        StoreFullError, StoreDamagedError, StoreTooNewError, StoreError: nothing is lost; try again later.
    """
    report = IngestReport()
    paths = StorePaths(Path(store_dir))
    more = bool(paths.segments())
    while more:
        with writing(paths, wait=wait) as held:
            if not held:
                report.busy = True
                return report
            more = _ingest_chunk(paths, chunk_bytes, report)
    return report


def _ingest_chunk(paths: StorePaths, chunk_bytes: int, report: IngestReport) -> bool:
    make_current(paths)
    connection = open_workbench(paths, read_only=False)
    try:
        known = spool_offsets(connection)
        tail = read_tail(paths, known, max_bytes=chunk_bytes)
        gone = set(known) - {segment.path.name for segment in paths.segments()}
        if tail.offsets:
            fold_stage(connection, tail.stage)
            ((quarantined,),) = connection.execute("SELECT count(*) FROM fresh.quarantine").fetchall()
            _write(connection, tail, gone)
            report.records += tail.stage.lines
            report.quarantined += quarantined
    except duckdb.Error as error:
        raise database_error(paths.database, error) from error
    finally:
        connection.close()
    report.torn_bytes += tail.torn_bytes
    report.files_removed += _remove_spent(paths, tail)
    return tail.more


def _write(connection: duckdb.DuckDBPyConnection, tail: Tail, gone: set[str]) -> None:
    """One transaction: the rows, and how far the spools are read."""
    connection.execute("BEGIN")
    write_folded(connection)
    for name in (*tail.offsets, *gone):
        connection.execute("DELETE FROM db.spool_offsets WHERE file = ?", [name])
    for name, offset in tail.offsets.items():
        connection.execute("INSERT INTO db.spool_offsets VALUES (?, ?)", [name, offset])
    connection.execute("COMMIT")


def write_folded(connection: duckdb.DuckDBPyConnection) -> None:
    """Within the caller's transaction: what is replaced goes, what is new comes."""
    counts = " UNION ALL ".join(
        f"SELECT '{table}', (SELECT count(*) FROM gone.{table}), (SELECT count(*) FROM fresh.{table})"
        for table in FOLDED_TABLES
    )
    for table, gone, fresh in connection.execute(counts).fetchall():
        if gone:
            connection.execute(f"DELETE FROM db.{table} WHERE rowid IN (FROM gone.{table})")
        if fresh:
            connection.execute(f"INSERT INTO db.{table} FROM fresh.{table}")


def _remove_spent(paths: StorePaths, tail: Tail) -> int:
    """Delete files that are wholly in the database; an ingest that sees them gone drops their offsets."""
    for segment in tail.spent:
        segment.path.unlink(missing_ok=True)
    left = {segment.spool_id for segment in paths.segments()}
    for segment in tail.spent:
        if segment.spool_id not in left and not paths.owner_alive(segment.spool_id):
            paths.owner_lock(segment.spool_id).unlink(missing_ok=True)
            (paths.spool_dir / f"{segment.spool_id}.reserve").unlink(missing_ok=True)
    if tail.spent:
        sync_directory(paths.spool_dir)
    return len(tail.spent)
