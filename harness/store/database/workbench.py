"""The in-memory DuckDB in which rows meet: the database attached as `db`, everything else private."""

from pathlib import Path
from typing import Any

import duckdb

from harness.store.database.migrate import PLAIN_NAMES, apply, checked_version, database_error
from harness.store.paths import StorePaths

_LITTLE_VACUUM = {"max_vacuum_tasks": "1"}
"""Row groups that a checkpoint merges: all there are would take a gigabyte to add one line."""


def open_workbench(paths: StorePaths, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection with the store's database as `db`; an empty one when there is none yet.

    Raises:
        StoreDamagedError, StoreTooNewError, StoreError: the file cannot be used.
    """
    config: dict[str, Any] = PLAIN_NAMES | ({} if read_only else _LITTLE_VACUUM)
    connection = duckdb.connect(":memory:", config=config)
    try:
        if read_only and not paths.database.exists():
            connection.execute("ATTACH ':memory:' AS db")
            connection.execute("USE db")
            apply(connection, after=0)
            connection.execute("USE memory")
        else:
            _attach(connection, paths.database, read_only=read_only)
            checked_version(connection, paths.database, "db.schema_version")
    except BaseException:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    quoted = str(path).replace("'", "''")
    mode = " (READ_ONLY)" if read_only else ""
    try:
        connection.execute(f"ATTACH '{quoted}' AS db{mode}")
    except duckdb.Error as error:
        raise database_error(path, error) from error


def spool_offsets(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """File name -> how far the database has it."""
    return dict(connection.execute("SELECT file, byte_offset FROM db.spool_offsets").fetchall())
