"""Rate-limit headers of either provider, read into one shape."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_PREFIXES = ("anthropic-ratelimit-", "x-ratelimit-")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What is left of one kind (`requests`, `tokens`, `input-tokens`); `reset_s` is seconds from now."""

    kind: str
    limit: float
    remaining: float
    reset_s: float | None


def allowances(headers: Mapping[str, str], now: datetime) -> list[Allowance]:
    """Every kind whose limit and remainder are told; anything unreadable is left out.

    Args:
        headers: names in lower case. Anthropic writes `anthropic-ratelimit-KIND-remaining`, OpenAI
            `x-ratelimit-remaining-KIND`.
        now: for resets that are moments, aware.
    """
    told: dict[str, dict[str, str]] = {}
    for name, value in headers.items():
        prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None)
        if prefix is None:
            continue
        rest = name.removeprefix(prefix)
        for what in ("limit", "remaining", "reset"):
            if rest.endswith(f"-{what}"):
                told.setdefault(rest.removesuffix(f"-{what}"), {})[what] = value
            elif rest.startswith(f"{what}-"):
                told.setdefault(rest.removeprefix(f"{what}-"), {})[what] = value
    found = []
    for kind, values in told.items():
        limit, remaining = _number(values.get("limit")), _number(values.get("remaining"))
        if limit is not None and remaining is not None and limit > 0:
            reset_s = _seconds(values.get("reset"), now)
            found.append(Allowance(kind=kind, limit=limit, remaining=remaining, reset_s=reset_s))
    return found


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _seconds(text: str | None, now: datetime) -> float | None:
    """Seconds until a moment in RFC 3339, or of a duration such as `6m0s` or `120ms`."""
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    if match and any(match.groups()):
        try:
            hours, minutes, seconds, ms = (float(part or 0) for part in match.groups())
        except ValueError:
            return None
        return hours * 3600 + minutes * 60 + seconds + ms / 1000
    try:
        return max(0.0, (datetime.fromisoformat(text) - now).total_seconds())
    except (ValueError, TypeError):
        return None
