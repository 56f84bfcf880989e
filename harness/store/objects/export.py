# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""Rows out of a store: Parquet in folders by date and run, CSV that no spreadsheet executes."""

import csv
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs

from harness.errors import StoreError, StoreFullError
from harness.store.objects.parquet_view import PARTITIONED, PARTITIONS, ParquetSource, locate
from harness.store.reader import Store
from harness.store.snapshot import Snapshot
from harness.store.spool.writer import store_error

WHOLE = ("alert_events", "runs")
"""Tables that are written whole; `runs` comes last, so that a run is seen when its rows are there."""
_MOMENT = {"requests": "started_at", "calls": "started_at", "events": "ts", "gate_results": "ts"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BATCH_ROWS = 10_000


@dataclass(slots=True)
class ExportReport:
    """What was written: where, how many rows a table, which runs."""

    where: str
    rows: dict[str, int] = field(default_factory=dict)
    run_ids: list[str] = field(default_factory=list)


def export_parquet(store: Store, where: str, *, runs: Sequence[str] = ()) -> ExportReport:
    """Write the tables as Parquet; a run that was exported before is replaced, so repeating is harmless.

    `requests`, `calls`, `grades`, `events` and `gate_results` go to `<table>/date=YYYY-MM-DD/run_id=.../`,
    with the date of the row (UTC); the other tables to one folder each. Prompts and outputs stay here.

    Args:
        store: what to read.
        where: a folder, or an address such as `s3://bucket/path`.
        runs: ids, names or `latest`; empty takes all.

    Raises:
        StoreError: the place cannot be written.
        UnknownRunError: there is no such run.
    """
    target = locate(where)
    report = ExportReport(target.where)
    with store.snapshot() as view:
        chosen = [view.run(name) for name in runs] if runs else view.runs()
    report.run_ids = [run.run_id for run in chosen]
    try:
        for run_id in report.run_ids:
            for table in PARTITIONED:
                with store.snapshot() as view:  # one a table and run: ingest need not wait for the whole
                    rows = _rows_of_run(view, table, run_id)
                _write_partitioned(rows, target, table, report)
        for table in WHOLE:
            with store.snapshot() as view:
                rows = _plain(view.arrow(f"FROM {table}"))
            _write_whole(rows, target, table, report)
    except (OSError, pa.ArrowInvalid) as error:
        raise _refused(target, error) from error
    return report


def _rows_of_run(view: Snapshot, table: str, run_id: str) -> pa.Table:
    moment = f"t.{_MOMENT[table]}" if table in _MOMENT else "NULL"
    return _plain(
        view.arrow(
            f"SELECT t.*, strftime(coalesce({moment}, r.started_at), '%Y-%m-%d') AS date "
            f"FROM {table} t JOIN runs r USING (run_id) WHERE run_id = ?",
            [run_id],
        )
    )


def _plain(table: pa.Table) -> pa.Table:
    """JSON columns as text, which every Parquet reader knows."""
    for index, item in enumerate(table.schema):
        if isinstance(item.type, pa.BaseExtensionType):
            table = table.set_column(index, item.name, table.column(index).cast(pa.string()))
    return table


def _write_partitioned(rows: pa.Table, target: ParquetSource, table: str, report: ExportReport) -> None:
    if not rows.num_rows:
        return
    hive = ds.partitioning(PARTITIONS, flavor="hive")
    _write(rows, target, table, partitioning=hive, replaces="delete_matching")
    report.rows[table] = report.rows.get(table, 0) + rows.num_rows


def _write_whole(rows: pa.Table, target: ParquetSource, table: str, report: ExportReport) -> None:
    _write(rows, target, table, partitioning=None, replaces="overwrite_or_ignore")
    report.rows[table] = rows.num_rows


def _write(rows: pa.Table, target: ParquetSource, table: str, *, partitioning: Any, replaces: str) -> None:
    with _staged(target, table) as place:
        ds.write_dataset(
            rows,
            place,
            filesystem=target.filesystem,
            format="parquet",
            partitioning=partitioning,
            existing_data_behavior=replaces,
            max_partitions=100_000,
            basename_template="part-{i}.parquet",
        )


@contextmanager
def _staged(target: ParquetSource, table: str) -> Iterator[str]:
    """Where to write a table; what was exported before stays until the new files are whole.

    An object store shows an object only when it is whole; in a folder the files are moved when they are.
    """
    if not isinstance(target.filesystem, fs.LocalFileSystem):
        yield f"{target.root}/{table}"
        return
    final = Path(target.root) / table
    draft = final.with_name(f".{table}.{os.getpid()}.part")  # readers pass over names that begin with a dot
    try:
        yield str(draft)
        for part in draft.rglob("*.parquet"):
            place = final / part.relative_to(draft)
            place.parent.mkdir(parents=True, exist_ok=True)
            for old in place.parent.glob("*.parquet"):
                if old.name != place.name:
                    old.unlink()
            part.replace(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _refused(target: ParquetSource, error: Exception) -> StoreError:
    if isinstance(error, OSError) and isinstance(target.filesystem, fs.LocalFileSystem) and error.errno:
        return store_error(Path(target.where), error)
    reason = " ".join(str(error).split())[:200]
    if "No space left" in reason or "File too large" in reason:
        return StoreFullError(f"{target.where}: the disk refused a write; the store itself is untouched")
    return StoreError(f"{target.where} cannot be written: {reason}")


def export_csv(store: Store, table: str, path: Path, *, run: str | None = None) -> int:
    """Write one table, or one run's part of it, as CSV; the file appears whole or not at all.

    Returns:
        The number of rows.

    Raises:
        StoreError: the file cannot be written.
        UnknownRunError: there is no such run.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8", newline="") as file:
            count = write_csv(store, table, file, run=run)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise store_error(path, error) from error
    return count


def write_csv(store: Store, table: str, file: TextIO, *, run: str | None = None) -> int:
    """Write CSV to an open file. Text that a spreadsheet would run as a formula gets an apostrophe before it.

    Returns:
        The number of rows.
    """
    writer = csv.writer(file)
    with store.snapshot() as view:
        where, values = ("WHERE run_id = ?", [view.run(run).run_id]) if run is not None else ("", [])
        rows = _plain(view.arrow(f"FROM {table} {where}", values))
    writer.writerow(rows.schema.names)
    for batch in rows.to_batches(max_chunksize=_BATCH_ROWS):
        writer.writerows([_cell(value) for value in values] for values in zip(*_columns(batch), strict=True))
    return int(rows.num_rows)


def _columns(batch: pa.RecordBatch) -> list[list[Any]]:
    return [column.to_pylist() for column in batch.columns]


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
