"""Rate-limit headers with their unit: of what, and within which window."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MARKS = ("ratelimit",)
_PARTS = ("limit", "remaining", "reset")
_WORDS = {
    "10-second": 10.0,
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
    "month": 2592000.0,
}
_WINDOWS_S = (1.0, 10.0, 60.0, 3600.0, 86400.0)
_NEAR = 0.2
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """One allowance. `of` is requests, tokens or other; `window_s` is None where nothing tells it.

    `window_is_told` when the header's name says it; otherwise it follows from limit, remainder and reset.
    """

    name: str
    of: str
    limit: float | None
    remaining: float | None
    reset_s: float | None
    window_s: float | None
    window_is_told: bool


def rate_limits_in(headers: Mapping[str, str]) -> Iterator[RateLimit]:
    """Every allowance that a response's headers tell; anything unreadable is left out.

    Args:
        headers: names in lower case.
    """
    told: dict[str, dict[str, str]] = {}
    for name, value in headers.items():
        if not any(mark in name for mark in _MARKS):
            continue
        part = next((part for part in _PARTS if re.search(rf"(?:^|-){part}(?:-|$)", name)), None)
        if part is not None:
            told.setdefault(re.sub(rf"-?\b{part}\b", "", name, count=1), {})[part] = value
    for name, values in told.items():
        limit, remaining = _number(values.get("limit")), _number(values.get("remaining"))
        if limit is None and remaining is None:
            continue
        reset_s = _seconds(values.get("reset"))
        told_s = next((seconds for word, seconds in _WORDS.items() if word in name), None)
        yield RateLimit(
            name=name,
            of="tokens" if "token" in name else "requests" if "req" in name else "other",
            limit=limit,
            remaining=remaining,
            reset_s=reset_s,
            window_s=told_s or _window_s(limit, remaining, reset_s),
            window_is_told=told_s is not None,
        )


def _window_s(limit: float | None, remaining: float | None, reset_s: float | None) -> float | None:
    """The window of an allowance that fills up steadily: what is gone, over how soon it is back."""
    if not limit or remaining is None or not reset_s or remaining >= limit:
        return None
    window_s = reset_s * limit / (limit - remaining)
    nearest = min(_WINDOWS_S, key=lambda known: abs(known - window_s) / known)
    return nearest if abs(nearest - window_s) <= _NEAR * nearest else None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text.strip()) else None


def _seconds(text: str | None) -> float | None:
    if not text:
        return None
    read = _DURATION.fullmatch(text.strip())
    if read is None or not any(read.groups()):
        return None  # a moment, or a number whose unit nobody knows
    try:
        days, hours, minutes, seconds, ms = (float(part or 0) for part in read.groups())
    except ValueError:
        return None
    return days * 86400 + hours * 3600 + minutes * 60 + seconds + ms / 1000
