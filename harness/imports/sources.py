"""A file as JSON objects: lines, an array, a document, CSV or Parquet; a bad line never ends it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from harness.imports.outcome_table import table_rows
from harness.providers.reading.values import parse
from harness.store.log_file import MAX_KEPT_CHARS, line_values
from harness.store.marks import next_piece

TABLES = (".csv", ".tsv", ".parquet")


@dataclass(slots=True)
class Line:
    """One line: its objects, or what is wrong with it.

    Attributes:
        offset: of the line in bytes; None in a table.
        number: of a table's line; None where only the offset is known.
        text: as it stood, bounded, where something is wrong.
    """

    values: list[Any]
    offset: int | None = None
    number: int | None = None
    problem: str | None = None
    text: str = ""


def is_table(source: Path) -> bool:
    """A file with a header and rows, by its name."""
    return source.suffix.lower() in TABLES


def table_lines(source: Path) -> Iterator[Line]:
    """The rows of a CSV or Parquet file."""
    for row in table_rows(source):
        if row.fields is None:
            yield Line([], number=row.number, problem=row.problem, text=row.text)
        else:
            yield Line([row.fields], number=row.number)


def pieces(plain: Path, begin: int) -> Iterator[tuple[Iterator[Line], int]]:
    """The lines of a file of JSON lines from an offset, a piece at a time, and where each piece ends."""
    more = True
    with plain.open("rb") as file:
        while more:
            data, more = next_piece(file, begin)
            if not data:
                return
            yield lines_of(data, begin), begin + len(data)
            begin += len(data)


def lines_of(data: bytes, base: int) -> Iterator[Line]:
    """The lines of a piece; blank ones are passed over."""
    start = 0
    for raw in data.split(b"\n"):
        line = raw.strip()
        if line:
            yield _line(line, base + start)
        start += len(raw) + 1


def _line(line: bytes, offset: int) -> Line:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = _otherwise(line)
    if isinstance(value, dict):
        return Line([value], offset)
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return Line(value, offset)
    problem = "not JSON" if value is None else "not a JSON object"
    return Line([], offset, problem=problem, text=kept_text(line))


def _otherwise(line: bytes) -> Any:
    """What the fast parser refuses: numbers beyond 64 bits, a byte-order mark, words before the JSON."""
    if b"{" not in line:
        return None
    try:
        return parse(line.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        pass
    try:
        values, _ = line_values(line)
    except (ValueError, RecursionError):
        return None
    return values if len(values) > 1 else values[0]


def kept_text(line: bytes) -> str:
    """What is kept of a bad line."""
    return line[: 4 * MAX_KEPT_CHARS].decode("utf-8", "replace")[:MAX_KEPT_CHARS]
