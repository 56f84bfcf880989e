"""What the target tells about a request: `X-Assist-Telemetry` and `Server-Timing`, read with suspicion.

A missing, broken or lying header leaves None in the row and is counted; it never fails the request.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from harness.keys import without_keys
from harness.load.answer import Answer
from harness.records import FallbackReason, ProviderMode, ScoreBasis, Tier, load_json_exact, tags_of

MAX_TELEMETRY_CHARS = 8192
MAX_TEXT_CHARS = 200
MAX_COUNT = 2**53
"""Beyond it a number of tokens is a lie, and JSON elsewhere would round it."""
_TIMING = re.compile(r"([A-Za-z0-9_.-]{1,64})\s*;[^,]*?\bdur=\"?([0-9.]{1,20})", re.ASCII)


class _WrongTypeError(ValueError):
    pass


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongTypeError
    return value[:MAX_TEXT_CHARS]


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_COUNT:
        raise _WrongTypeError
    return value


def _money(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _WrongTypeError
    amount = Decimal(value)
    if not amount.is_finite() or not 0 <= amount < 10**8:
        raise _WrongTypeError
    return amount


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _WrongTypeError
    try:
        number = float(value)
    except OverflowError as error:
        raise _WrongTypeError from error
    if not 0 <= number < MAX_COUNT:
        raise _WrongTypeError
    return number


def _share(value: Any) -> float:
    number = _number(value)
    if number > 1:
        raise _WrongTypeError
    return number


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongTypeError
    return value


def _stages(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or len(value) > 32:
        raise _WrongTypeError
    return {name[:64]: _number(duration) for name, duration in value.items()}


def _tags(value: Any) -> dict[str, str] | None:
    if not isinstance(value, dict):
        raise _WrongTypeError
    return tags_of(value, without_keys) or None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "draft_source": _text,
    "draft_model": _text,
    "draft_cost_usd": _money,
    "repair_source": _text,
    "repair_model": _text,
    "repair_cost_usd": _money,
    "cost_usd": _money,
    "mixed_providers": _flag,
    "prompt_cache_hit": _flag,
    "confidence": _share,
    "quality_score": _share,
    "score_basis": ScoreBasis,
    "quality_tier": Tier,
    "fallback_reason": FallbackReason,
    "environment": _text,
    "provider_mode": ProviderMode,
    "strategy": _text,
    "stages_ms": _stages,
    "tags": _tags,
    **{
        f"{role}_{part}_tokens": _count
        for role in ("draft", "repair")
        for part in ("input", "cache_read", "cache_write", "output")
    },
}
"""Event fields that are columns of `requests` of the same name."""


def telemetry_fields(text: str | bytes, request_id: str) -> tuple[dict[str, Any], bool]:
    """Columns of a request from its completed event.

    Args:
        text: the header's value, or the data of the stream's telemetry event.
        request_id: of the request that was sent; an event about another one is broken telemetry.

    Returns:
        The columns that could be read, and whether anything was broken.
    """
    if len(text) > MAX_TELEMETRY_CHARS:
        return {}, True
    try:
        event = load_json_exact(text)
    except (ValueError, RecursionError):
        return {}, True
    if not isinstance(event, dict) or event.get("request_id") != request_id:
        return {}, True
    fields: dict[str, Any] = {}
    broken = False
    for name, reader in _READERS.items():
        value = event.get(name)
        if value is None:
            continue
        try:
            fields[name] = reader(value)
        except (ValueError, TypeError):
            broken = True
    if "latency_ms" in event:
        try:
            fields["server_ms"] = _number(event["latency_ms"])
        except _WrongTypeError:
            broken = True
    fields["unpriced"] = "cost_usd" not in fields
    return fields, broken


def server_timing(text: str) -> dict[str, float]:
    """Stage durations of a `Server-Timing` header, milliseconds; empty when there is none legible.

    Source: https://www.w3.org/TR/server-timing/
    """
    found: dict[str, float] = {}
    for name, duration in _TIMING.findall(text[:4096])[:32]:
        try:
            value = float(duration)
        except ValueError:
            continue
        if value < MAX_COUNT:
            found[name] = value
    return found


def fill_telemetry(answer: Answer, text: str | bytes, request_id: str) -> None:
    """Fill in what the completed event tells."""
    fields, broken = telemetry_fields(text, request_id)
    answer.columns.update(fields)
    answer.telemetry_broken = broken
