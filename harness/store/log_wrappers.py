"""How services wrap an event before it reaches a log: pino, structlog, Winston, a container's log driver."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from harness.records import REQUEST_EVENTS
from harness.records.jsontext import load_json_exact
from harness.store.log_text import json_values

Payload = dict[str, Any]

_NAME_KEYS = ("event", "msg", "message", "event_name", "name")
_NESTED_KEYS = (
    "event",
    "payload",
    "data",
    "fields",
    "attributes",
    "extra",
    "context",
    "msg",
    "message",
    "log",
    "line",
    "jsonPayload",
    "textPayload",
    "MESSAGE",
)
"""Where an event may lie inside a log line, as an object, a string of JSON, or journald's list of bytes."""
_LISTS = ("logEvents", "events", "entries", "streams", "records", "resourceLogs", "result", "data", "values")
"""Where a shipper puts many lines into one: CloudWatch, Loki, Firehose."""
_TIME_KEYS = (
    "ts",
    "timestamp",
    "time",
    "@timestamp",
    "datetime",
    "_SOURCE_REALTIME_TIMESTAMP",
    "__REALTIME_TIMESTAMP",
)
_MAX_DEPTH = 3
_MAX_NESTING = 100
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (0.0, 1.0))
"""Smallest number that is read in nanoseconds, microseconds, milliseconds, seconds since 1970."""
_LAST_SECOND = 253_402_300_799
_MAX_INT = 2**63 - 1


def unwrapped(line: Payload, depth: int = 0) -> tuple[str, Payload] | None:
    """The event in a log line: its name and its fields, the wrapper's own kept beside them.

    Returns:
        None when the line holds no event that ends a request.
    """
    for key in _NAME_KEYS:
        name = line.get(key)
        if isinstance(name, str) and name in REQUEST_EVENTS:
            return name, _flattened(line)
    if depth == _MAX_DEPTH:
        return None
    for key, inner in _inner(line):
        found = unwrapped(inner, depth + 1)
        if found is not None:
            outer = {name: value for name, value in line.items() if name != key}
            return found[0], {**outer, **found[1]}
    return None


def entries(line: Payload) -> list[Payload] | None:
    """The lines inside a line that a shipper made of many; None for an ordinary one."""
    for key in _LISTS:
        inner = line.get(key)
        if isinstance(inner, dict) and key in ("data", "result"):
            found = entries(inner)
            if found is not None:
                return found
        if isinstance(inner, list) and inner and all(isinstance(item, dict | list) for item in inner):
            return [entry for item in inner for entry in _entries_of(item)]
    return None


def _entries_of(item: Any) -> list[Payload]:
    if isinstance(item, list):  # Loki: [nanoseconds, line]
        pair = len(item) >= 2 and isinstance(item[1], str)
        return [{"timestamp": item[0], "line": item[1]}] if pair else []
    return entries(item) or [item]


def moment_of(payload: Payload) -> datetime | None:
    """When it happened, by the first of the usual keys that can be read."""
    return next((found for key in _TIME_KEYS if (found := _moment(payload.get(key))) is not None), None)


def storable(payload: Payload) -> Payload | None:
    """The payload with what a table cannot hold made harmless; None when it is nested too deeply."""
    try:
        cleaned: Payload = _clean(payload, 0)
    except RecursionError:
        return None
    return cleaned


def _flattened(line: Payload) -> Payload:
    """Fields beside the name, or in one object under one of the usual keys (`log.info(name, data=...)`)."""
    if "request_id" in line or "latency_ms" in line or "cost_usd" in line:
        return line
    for key, inner in _inner(line):
        if "request_id" in inner or "latency_ms" in inner or "cost_usd" in inner:
            return {**{name: value for name, value in line.items() if name != key}, **inner}
    return line


def _inner(line: Payload) -> Iterator[tuple[str, Payload]]:
    for key in _NESTED_KEYS:
        value = line.get(key)
        if isinstance(value, list) and key == "MESSAGE":
            value = _bytes_text(value)
        if isinstance(value, str) and value.lstrip().startswith("{"):
            try:
                value = load_json_exact(value)
            except (ValueError, RecursionError):
                continue
        if isinstance(value, dict):
            yield key, value


def _bytes_text(values: list[Any]) -> str:
    """A message that journald wrote as a list of bytes, because of some that are not printable."""
    try:
        return bytes(values).decode("utf-8", "replace")
    except (ValueError, TypeError):
        return ""


def _moment(value: Any) -> datetime | None:
    """A moment from ISO 8601 text (UTC where it names no zone) or a number of s, ms, us or ns since 1970."""
    try:
        if isinstance(value, str) and not _is_number(value):
            moment = datetime.fromisoformat(value.strip())
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
            return moment if moment.year >= 1970 else None
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            return None
        number = float(value)
        unit = next((unit for least, unit in _UNITS if number >= least), None)
        if unit is None or not 0 < number / unit <= _LAST_SECOND:
            return None
        return datetime.fromtimestamp(number / unit, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _is_number(text: str) -> bool:
    """A number of at least nine digits: `20261123` stays a date."""
    whole = text.strip().partition(".")[0]
    return whole.isascii() and whole.isdigit() and 9 <= len(whole) <= 20


def _clean(value: Any, depth: int) -> Any:
    if depth > _MAX_NESTING:
        raise RecursionError
    if isinstance(value, dict):
        return {_text(key): _clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MAX_INT:
        return str(value) if abs(value) < 10**300 else None
    if isinstance(value, Decimal) and not math.isfinite(float(value)):
        return str(value)
    return value


def _text(text: str) -> str:
    """Without half characters and NULs, which no column can hold."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def is_json_object(line: bytes) -> bool:
    """True for a line that is one whole JSON object, or several."""
    try:
        return all(isinstance(value, dict) for value in json_values(line.decode()))
    except (ValueError, RecursionError):
        return False
