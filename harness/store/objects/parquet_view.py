# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""Reading exported Parquet in place, from a folder or object storage, through PyArrow's filesystems."""

import re
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs

from harness.errors import StoreError, StoreMissingError
from harness.store.database.live_view import lock_down
from harness.store.database.migrate import PLAIN_NAMES, apply
from harness.store.database.tables import PUBLIC_TABLES
from harness.store.snapshot import Snapshot

PARTITIONS = pa.schema([("date", pa.string()), ("run_id", pa.string())])
PARTITIONED = ("requests", "calls", "grades", "events", "gate_results")
"""Tables in folders by date and run; the others are small and stand in one file each."""

_COLLAPSED = re.compile(r"^(s3|gs|gcs|abfss?|hdfs|file):/+")


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """Where exported Parquet lies."""

    where: str
    filesystem: fs.FileSystem
    root: str


def locate(where: str) -> ParquetSource:
    """A folder or an address (`s3://bucket/path?region=...&endpoint_override=...`) as a place for Parquet.

    Raises:
        StoreError: the address cannot be understood.
    """
    where = _address(where)
    if "://" not in where:
        return ParquetSource(where, fs.LocalFileSystem(), where)
    try:
        filesystem, root = fs.FileSystem.from_uri(where)
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(f"{where.partition('?')[0]} is no address to store at: {_reason(error)}") from error
    return ParquetSource(where.partition("?")[0], filesystem, root)


def _address(where: str) -> str:
    """Give an address its slashes back: a command line's `Path` makes `s3:/bucket` of `s3://bucket`."""
    found = _COLLAPSED.match(where)
    if not found:
        return where
    slashes = ":///" if found[1] == "file" else "://"
    return f"{found[1]}{slashes}{where[found.end() :]}"


def find_parquet(where: str) -> ParquetSource | None:
    """The source at a place that holds exported Parquet; None for a folder that does not.

    Raises:
        StoreMissingError: an address with nothing exported there.
        StoreError: an address that cannot be understood or reached.
    """
    where = _address(where)
    source = locate(where)
    try:
        info = source.filesystem.get_file_info(f"{source.root}/runs")
    except OSError as error:
        raise StoreError(f"{source.where} cannot be reached: {_reason(error)}") from error
    if info.type is fs.FileType.Directory:
        return source
    if "://" in where:
        raise StoreMissingError(f"there is no exported store at {source.where}")
    return None


def parquet_snapshot(source: ParquetSource) -> Snapshot:
    """A snapshot over exported files.

    Raises:
        StoreError: they cannot be read.
    """
    connection = duckdb.connect(":memory:", config=dict(PLAIN_NAMES))
    try:
        connection.execute("ATTACH ':memory:' AS shape; USE shape")
        apply(connection, after=0)
        connection.execute("USE memory")
        for table in PUBLIC_TABLES:
            _make_view(connection, source, table)
        lock_down(connection)
    except (duckdb.Error, pa.ArrowInvalid, OSError) as error:
        connection.close()
        raise StoreError(f"{source.where} cannot be read as a store: {_reason(error)}") from error
    return Snapshot(connection, source.where)


def _make_view(connection: duckdb.DuckDBPyConnection, source: ParquetSource, table: str) -> None:
    folder = f"{source.root}/{table}"
    if source.filesystem.get_file_info(folder).type is not fs.FileType.Directory:
        connection.execute(f"CREATE VIEW memory.main.{table} AS FROM shape.{table}")
        return
    columns = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'shape' AND table_name = ? ORDER BY column_index",
        [table],
    ).fetchall()
    partitioning = ds.HivePartitioning(PARTITIONS) if table in PARTITIONED else None
    files = ds.dataset(folder, filesystem=source.filesystem, format="parquet", partitioning=partitioning)
    files = _with_later_columns(files, connection.sql(f"FROM shape.{table} LIMIT 0").to_arrow_table().schema)
    connection.register(f"{table}_files", files)
    held = set(files.schema.names)
    picked = ", ".join(
        f"{name}::{kind} AS {name}" if name in held else f"NULL::{kind} AS {name}" for name, kind in columns
    )
    connection.execute(f"CREATE VIEW memory.main.{table} AS SELECT {picked} FROM {table}_files")


def _with_later_columns(files: ds.Dataset, wanted: pa.Schema) -> ds.Dataset:
    """The files with every column wanted: the first, which gives the schema, may be of an earlier version."""
    held = set(files.schema.names)
    later = [field.with_type(_plain(field.type)) for field in wanted if field.name not in held]
    return files.replace_schema(pa.schema([*files.schema, *later])) if later else files


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
