"""Rows as records again: enums, Decimals, aware moments, parsed JSON."""

import enum
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from harness.records import Run, RunStatus
from harness.records.told import SUMMARY_KEY

Row = dict[str, Any]
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun(Run):
    """A run as it stands now: `status` is effective, a `running` one whose owner is gone reads `interrupted`.

    `summary` is what only the end knows, also to be found in `config` under `SUMMARY_KEY`.
    """

    ended_at: datetime | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)


def stored_run(row: Row) -> StoredRun:
    """A row of the view `runs` as a record."""
    run = record_from_row(StoredRun, row)
    summary = run.config.get(SUMMARY_KEY, {})
    values = {item.name: getattr(run, item.name) for item in fields(StoredRun)}
    values["status"] = RunStatus(values["status"])
    return StoredRun(**{**values, "summary": summary})


def record_from_row(record_type: type[R], row: Row) -> R:
    """A record from a row by column name; columns that the record does not have are left out."""
    (found,) = records_from_rows(record_type, list(row), [tuple(row.values())])
    return found


def records_from_rows(record_type: type[R], names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[R]:
    """Records from rows of these columns; columns that the record does not have are left out."""
    readers = _readers(cast("Any", record_type))
    plain = [(name, place) for place, name in enumerate(names) if name in readers and readers[name] is None]
    typed = [(name, place, read) for place, name in enumerate(names) if (read := readers.get(name))]
    found = []
    for row in rows:
        values = {name: row[place] for name, place in plain}
        for name, place, read in typed:
            value = row[place]
            if value is not None:
                values[name] = read(value)
            elif read is not _from_json:
                values[name] = None
        found.append(record_type(**values))
    return found


@cache
def _readers(record_type: Any) -> dict[str, Any]:
    hints = get_type_hints(record_type)
    return {item.name: _reader(hints[item.name]) for item in fields(record_type)}


def _reader(hint: Any) -> Any:
    if get_origin(hint) is types.UnionType:
        (hint,) = [part for part in get_args(hint) if part is not types.NoneType]
    if get_origin(hint) is not None:
        return _from_json
    return hint if isinstance(hint, enum.EnumMeta) else None


def _from_json(text: str) -> Any:
    return json.loads(text)


def aware(description: Sequence[Any], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Give UTC to the naive moments of fetched rows; tables hold UTC without saying so."""
    moments = [index for index, item in enumerate(description) if str(item[1]).startswith("TIMESTAMP")]
    if not moments:
        return rows
    return [_aware_row(row, moments) for row in rows]


def _aware_row(row: tuple[Any, ...], moments: list[int]) -> tuple[Any, ...]:
    values = list(row)
    for index in moments:
        if isinstance(values[index], datetime):
            values[index] = values[index].replace(tzinfo=UTC)
    return tuple(values)
