# ruff: noqa: S608 - table names are literals, values are bound
"""One consistent view of a store in a folder: the database plus the live tails of all spools, read-only."""

import duckdb

from harness.store.database.migrate import database_error
from harness.store.database.tables import PUBLIC_TABLES
from harness.store.database.workbench import open_workbench, spool_offsets
from harness.store.fold.fold import fold_stage
from harness.store.paths import StorePaths
from harness.store.snapshot import Snapshot
from harness.store.spool.tail import read_tail

_EFFECTIVE_STATUS = """REPLACE (
    CASE WHEN status = 'running' AND owner IS NOT NULL AND owner NOT IN (FROM memory.main.alive_spools)
    THEN 'interrupted' ELSE status END AS status
)"""


def live_snapshot(paths: StorePaths) -> Snapshot:
    """A snapshot of what is stored and spooled now. The caller holds the store's lock shared.

    Raises:
        StoreDamagedError, StoreTooNewError, StoreError: the database cannot be used.
    """
    connection = open_workbench(paths, read_only=True)
    try:
        _build_views(connection, paths)
    except duckdb.Error as error:
        connection.close()
        raise database_error(paths.database, error) from error
    except BaseException:
        connection.close()
        raise
    return Snapshot(connection, str(paths.root))


def _build_views(connection: duckdb.DuckDBPyConnection, paths: StorePaths) -> None:
    # Who lives is asked before the tails are read: a run that ends in between shows its end, not a gap.
    alive = _living_spools(connection, paths)
    tail = read_tail(paths, spool_offsets(connection))
    folded = bool(tail.stage.lines)
    if folded:
        fold_stage(connection, tail.stage)
    connection.execute("CREATE TABLE memory.main.alive_spools (spool_id VARCHAR)")
    for spool_id in alive:
        connection.execute("INSERT INTO memory.main.alive_spools VALUES (?)", [spool_id])
    for table in PUBLIC_TABLES:
        effective = _EFFECTIVE_STATUS if table == "runs" else ""
        rows = _with_tail(table) if folded else f"FROM db.{table}"
        connection.execute(f"CREATE VIEW memory.main.{table} AS SELECT * {effective} FROM ({rows})")
    lock_down(connection)


def lock_down(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on, queries reach nothing but the views: no file, no network, no setting."""
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _living_spools(connection: duckdb.DuckDBPyConnection, paths: StorePaths) -> list[str]:
    owners = connection.execute("SELECT DISTINCT owner FROM db.runs WHERE status = 'running'").fetchall()
    spools = {segment.spool_id for segment in paths.segments()} | {owner for (owner,) in owners if owner}
    return [spool_id for spool_id in spools if paths.owner_alive(spool_id)]


def _with_tail(table: str) -> str:
    return f"FROM db.{table} WHERE rowid NOT IN (FROM gone.{table}) UNION ALL FROM fresh.{table}"
