"""Records as spool lines: CRC-32, type, JSON, newline; `lines` reads them back.

    1c291ca3 request {"run_id":"...","request_id":"...","cost_usd":"0.02886"}

Money is a string of its own digits, moments are UTC text, nested objects are JSON text, None is left out.
"""

import types
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from math import isfinite
from operator import attrgetter
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import orjson

from harness.records import (
    AlertEvent,
    Call,
    Content,
    Event,
    GateResult,
    Grade,
    Request,
    Run,
    RunEnd,
    dump_json,
    utc_text,
)

Record: TypeAlias = Run | RunEnd | Request | Call | Grade | Event | GateResult | AlertEvent | Content
Kind: TypeAlias = Literal["text", "int", "float", "bool", "money", "time", "json"]

RECORD_TYPES: dict[str, type[Record]] = {
    "run": Run,
    "run_end": RunEnd,
    "request": Request,
    "call": Call,
    "grade": Grade,
    "event": Event,
    "gate_result": GateResult,
    "alert_event": AlertEvent,
    "content": Content,
}
TYPE_NAMES: dict[type[Record], str] = {record: name for name, record in RECORD_TYPES.items()}

MONEY_DIGITS = 10
"""Digits after the point in the tables' DECIMAL(18,10)."""
MONEY_LIMIT = Decimal(10) ** 8
_MONEY_STEP = Decimal(1).scaleb(-MONEY_DIGITS)


@cache
def columns_of(type_name: str) -> dict[str, Kind]:
    """Field name -> kind of column, read from the dataclass itself, so that they cannot drift apart."""
    record_type = RECORD_TYPES[type_name]
    hints = get_type_hints(record_type)
    return {field.name: _kind(hints[field.name]) for field in fields(record_type)}


def _kind(hint: Any) -> Kind:
    if get_origin(hint) in (types.UnionType, Union):
        (hint,) = [part for part in get_args(hint) if part is not types.NoneType]
    if get_origin(hint) is not None:
        return "json"
    plain: dict[type, Kind] = {bool: "bool", int: "int", float: "float", Decimal: "money", datetime: "time"}
    if hint in plain:
        return plain[hint]
    if issubclass(hint, str | StrEnum):
        return "text"
    raise TypeError(f"no column for {hint}")


def json_object(record: Record) -> dict[str, Any]:
    """The record's JSON object as spools hold it; None, nan and infinity left out.

    Raises:
        ValueError: money that is not finite or does not fit DECIMAL(18,10), or a moment without a zone.
        TypeError: a nested value that JSON cannot carry.
    """
    type_name = TYPE_NAMES[type(record)]
    row: dict[str, Any] = {}
    for (name, write), value in zip(_writers_of(type_name), _values_of(type_name)(record), strict=True):
        if value is None:
            continue
        if write is None:
            row[name] = value
        elif (written := write(value)) is not None:
            row[name] = written
    return row


@cache
def _values_of(type_name: str) -> Callable[[Record], tuple[Any, ...]]:
    """All fields of a record in one call: a load generator writes thousands of records a second."""
    return attrgetter(*columns_of(type_name))


@cache
def _writers_of(type_name: str) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """Each field with what turns its value into JSON; None where the value is already what JSON holds."""
    return tuple((name, _WRITERS.get(kind)) for name, kind in columns_of(type_name).items())


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _nested(value: Any) -> str:
    return dump_json(value).decode()


def money_text(amount: Decimal) -> str:
    """USD as plain digits, rounded to what the tables hold.

    Raises:
        ValueError: not finite, or 100 million or more.
    """
    if not amount.is_finite() or abs(amount) >= MONEY_LIMIT:
        raise ValueError(f"not an amount that a table can hold: {amount}")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MONEY_DIGITS:
        amount = amount.quantize(_MONEY_STEP)
    return format(amount, "f")


_WRITERS: dict[Kind, Callable[[Any], Any]] = {
    "float": _finite,
    "time": utc_text,
    "money": money_text,
    "json": _nested,
}


def encode_json(row: Mapping[str, Any]) -> bytes:
    """A record's JSON object as bytes; what is no valid text (lone surrogates) becomes `?`."""
    try:
        return orjson.dumps(row)
    except TypeError:
        clean = {
            k: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for k, v in row.items()
        }
        return orjson.dumps(clean)


def encode_line(type_name: str, encoded: bytes) -> bytes:
    """One spool line, newline included."""
    body = type_name.encode() + b" " + encoded
    return b"%08x %b\n" % (zlib.crc32(body), body)
