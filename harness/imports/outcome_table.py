"""A long table of recorded outcomes, row by row: CSV, TSV, JSONL or Parquet; a bad row never ends it."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigError

MAX_ROW_CHARS = 100_000
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row: its place in the file, and its fields or what is wrong with it.

    Attributes:
        number: of the line, or of the row in Parquet; from 1.
        text: as it stood, bounded, for the quarantine.
    """

    number: int
    fields: Mapping[str, Any] | None
    problem: str | None = None
    text: str = ""


def table_rows(path: Path) -> Iterator[TableRow]:
    """Every row that is not blank, in file order.

    Raises:
        ConfigError: the file cannot be read, has no header, or is of no known format.
    """
    suffix = path.suffix.lower()
    try:
        match suffix:
            case ".csv" | ".tsv":
                yield from _separated(path, "\t" if suffix == ".tsv" else ",")
            case ".jsonl" | ".ndjson":
                yield from _json_lines(path)
            case ".parquet":
                yield from _parquet(path)
            case _:
                raise ConfigError(str(path), f"is none of {', '.join(FORMATS)}")
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror or type(error).__name__})") from error


def _separated(path: Path, delimiter: str) -> Iterator[TableRow]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        header: list[str] | None = None
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield TableRow(number=number, fields=None, problem=f"is not CSV ({error})")
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(f"{path}:{number}", cells)
            else:
                yield _row(number, header, cells, delimiter.join(cells))


def _header(where: str, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(where, f"column '{twice[:40]}' stands twice in the header")
    return names


def _row(number: int, header: Sequence[str], cells: Sequence[str], text: str) -> TableRow:
    kept = _storable(text)
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells, the header {len(header)}"
        return TableRow(number=number, fields=None, problem=problem, text=kept)
    if kept != text:
        return TableRow(number=number, fields=None, problem="is not UTF-8 text, or too long", text=kept)
    return TableRow(number=number, fields=dict(zip(header, cells, strict=True)), text=text)


def _json_lines(path: Path) -> Iterator[TableRow]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            text = line.strip()
            if text:
                yield _json_row(number, text)


def _json_row(number: int, text: str) -> TableRow:
    kept = _storable(text)
    if kept != text:
        return TableRow(number=number, fields=None, problem="is not UTF-8 text, or too long", text=kept)
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return TableRow(number=number, fields=None, problem="is not a JSON object", text=text)
    return TableRow(number=number, fields=fields, text=text)


def _parquet(path: Path) -> Iterator[TableRow]:
    import pyarrow as pa  # noqa: PLC0415 - 0.2 s that only Parquet needs
    from pyarrow import parquet  # noqa: PLC0415

    try:
        with parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=10_000):
                for fields in batch.to_pylist():
                    number += 1
                    yield TableRow(number=number, fields=fields, text=_storable(str(fields)))
    except pa.ArrowException as error:
        raise ConfigError(str(path), "is not a Parquet file that can be read") from error


def _storable(text: str) -> str:
    """Bounded, and valid text: what is no UTF-8 becomes `?`, a NUL becomes a blank."""
    return text[:MAX_ROW_CHARS].encode("utf-8", "replace").decode().replace("\0", " ")
