# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""What the events of a log say of our columns: values that cannot be read, names that are none of ours."""

import re
from collections.abc import Mapping
from typing import Any

from harness.store.database.tables import FACT_COLUMNS
from harness.store.fold.facts import PATHS, VOCABULARY

ENDS = """epoch_us(coalesce(started_at, scheduled_at)) * 1000
    + (coalesce(CASE WHEN started_at IS NOT NULL THEN service_ms END, latency_ms) * 1e6)::BIGINT"""
"""When a recorded request ended, nanoseconds since 1970; NULL where it has no latency."""
OPEN_ENDS = f"""SELECT request_id, {ENDS} FROM db.requests
WHERE run_id = ? AND {ENDS} IS NOT NULL AND NOT warmup AND server_ms IS NULL AND cost_usd IS NULL"""
"""Requests of a run that nobody has told about yet, and when they ended."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_KINDS = {**FACT_COLUMNS, "latency_ms": "float", "http_status": "int"}
_KNOWN = frozenset({*PATHS.values(), "request_id", "environment", "run_id"})


def unreadable_values(payload: Mapping[str, Any]) -> list[str]:
    """The names of an event's values that no column can take: of a wrong kind, or written `costUsd`.

    Args:
        payload: of one event.
    """
    found = []
    for name, value in payload.items():
        if value is None:
            continue
        if name in _KNOWN:
            if not _fits(name, value):
                found.append(name)
        elif (snake := _HUMP.sub("_", name).lower()) != name and snake in _KNOWN and snake not in payload:
            found.append(name)
    return found


def _fits(name: str, value: Any) -> bool:
    if name in VOCABULARY:
        return isinstance(value, str) and value in set(VOCABULARY[name])
    kind = _KINDS.get(name, "text")
    if kind in ("int", "float", "money"):
        try:
            number = float(value) if not isinstance(value, bool) else -1.0
        except (TypeError, ValueError, OverflowError):
            return False
        return 0 <= number < 1e15 and (kind != "int" or number.is_integer())
    if kind == "bool":
        return isinstance(value, bool) or str(value).lower() in ("true", "false")
    return not isinstance(value, dict | list) if kind == "text" else True
