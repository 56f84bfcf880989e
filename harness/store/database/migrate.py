"""The database file: made whole or not at all, brought up to date with a backup, refused when too new."""

import os
import re
import shutil
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from harness.errors import StoreDamagedError, StoreError, StoreFullError, StoreTooNewError
from harness.store.paths import StorePaths, sync_directory
from harness.store.spool.writer import store_error
from harness.version import __version__

PLAIN_NAMES = {"python_enable_replacements": "false"}
"""Without it, DuckDB takes a Python variable for a missing table of that name."""
_MIGRATION = re.compile(r"^(\d{4})_\w+\.sql$")
_VERSION_TABLE = """
CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    applied_at TIMESTAMP NOT NULL,
    harness_version VARCHAR NOT NULL
)
"""


@cache
def migrations() -> dict[int, str]:
    """Version -> SQL, from the numbered files beside this module."""
    found = {}
    for item in files("harness.store.database").joinpath("migrations").iterdir():
        match = _MIGRATION.match(item.name)
        if match:
            found[int(match[1])] = item.read_text(encoding="utf-8")
    return dict(sorted(found.items()))


def known_version() -> int:
    """The schema that this program writes."""
    return max(migrations())


def make_current(paths: StorePaths) -> None:
    """Create the database, or bring it to the present schema. The caller holds the store's lock exclusively.

    Raises:
        StoreTooNewError, StoreDamagedError, StoreFullError: the file stays as it was.
    """
    if not paths.database.exists():
        _create(paths)
        return
    version = schema_version(paths)
    if version < known_version():
        _back_up(paths, version)
        with connect(paths.database) as connection:
            try:
                apply(connection, after=version)
            except duckdb.Error as error:  # closing rolls back
                raise database_error(paths.database, error) from error


def schema_version(paths: StorePaths) -> int:
    """The file's schema version.

    Raises:
        StoreDamagedError: not a database of ours, or broken.
        StoreTooNewError: later than this program knows.
    """
    with connect(paths.database, read_only=True) as connection:
        return checked_version(connection, paths.database)


def checked_version(connection: duckdb.DuckDBPyConnection, path: Path, table: str = "schema_version") -> int:
    """The version that an open database says it has; errors as `schema_version`."""
    try:
        ((version,),) = connection.execute(f"SELECT max(version) FROM {table}").fetchall()  # noqa: S608 - a literal
    except duckdb.CatalogException as error:
        raise StoreDamagedError(f"{path} is a DuckDB file, but not a store of the harness") from error
    except duckdb.Error as error:
        raise database_error(path, error) from error
    if version is None:
        raise StoreDamagedError(f"{path} does not say which schema it has")
    if version > known_version():
        raise StoreTooNewError(str(path), version, known_version())
    return int(version)


def connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database file directly, with errors as one sentence."""
    try:
        return duckdb.connect(str(path), read_only=read_only, config=dict(PLAIN_NAMES))
    except duckdb.Error as error:
        raise database_error(path, error) from error


def apply(connection: duckdb.DuckDBPyConnection, *, after: int) -> None:
    """Run the migrations later than `after`, each in its own transaction."""
    for version, sql in migrations().items():
        if version <= after:
            continue
        connection.execute("BEGIN")
        if version == min(migrations()):
            connection.execute(_VERSION_TABLE)
        connection.execute(sql)
        connection.execute(
            "INSERT INTO schema_version VALUES (?, ?, ?)",
            [version, datetime.now(UTC).replace(tzinfo=None), __version__],
        )
        connection.execute("COMMIT")


def database_error(path: Path | str, error: duckdb.Error) -> StoreError:
    """The one sentence for what DuckDB said."""
    text = " ".join(str(error).split())
    if "Could not set lock" in text or "Conflicting lock" in text:
        return StoreError(f"{path} is open in another program; close it there and try again")
    if re.search(r"No space left|File too large|Could not write|Disk quota|out of disk", text, re.IGNORECASE):
        return StoreFullError(f"{path}: the disk refused a write; the records stay safe in the spool")
    if re.search(
        r"not a valid DuckDB|Corrupt|checksum|Serialization|IO Error|Fatal|INTERNAL", text, re.IGNORECASE
    ):
        return StoreDamagedError(
            f"{path} is damaged or not a store ({text[:200]}); `harness store repair` saves what it can"
        )
    return StoreError(f"{path}: {text[:300]}")


def _create(paths: StorePaths) -> None:
    """Make the file under another name first: a half-made one is never seen, whatever dies."""
    fresh = paths.root / "harness.duckdb.new"
    try:
        for leftover in (fresh, fresh.with_name(fresh.name + ".wal")):
            leftover.unlink(missing_ok=True)
        try:
            with duckdb.connect(str(fresh), config=dict(PLAIN_NAMES)) as connection:
                apply(connection, after=0)
                # Closing would do this too, but would not tell of a full disk.
                connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise database_error(paths.database, error) from error
        _sync_file(fresh)
        fresh.rename(paths.database)
        sync_directory(paths.root)
    except OSError as error:
        raise store_error(paths.database, error) from error


def _back_up(paths: StorePaths, version: int) -> None:
    with connect(paths.database) as connection:
        try:
            connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise database_error(paths.database, error) from error
    copy_whole(paths.database, paths.root / f"harness.duckdb.v{version}.backup")


def copy_whole(source: Path, target: Path) -> None:
    """Copy a database file; the copy appears whole and durable, or not at all.

    Raises:
        StoreError: the disk refused.
    """
    partial = target.with_name(target.name + ".part")
    try:
        shutil.copyfile(source, partial)
        _sync_file(partial)
        partial.rename(target)
        sync_directory(target.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise store_error(target, error) from error


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
