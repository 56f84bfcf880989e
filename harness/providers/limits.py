"""Rate-limit headers of any provider, read into one shape: how many, of what, in which window.

The same name means different windows: `x-ratelimit-limit-requests` is a day's at Groq and sometimes at
OpenAI, a minute's elsewhere; Mistral and Cerebras write it into the name; Azure's resets have no unit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Literal

_PREFIXES = ("anthropic-ratelimit-", "x-ratelimit-", "ratelimit-")
_PARTS = ("limit", "remaining", "reset")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?", re.ASCII)
_PLAIN = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_NAMED_WINDOW = re.compile(r"-(?:(\d{1,4})-)?(second|minute|hour|day|month)s?$", re.ASCII)
_UNIT_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "month": 2_592_000.0}
_USUAL_WINDOWS_S = (60.0, 3600.0, 86_400.0)
WindowSource = Literal["name", "reset", "assumed"]

_EPOCH_S, _EPOCH_MS = 1e9, 1e12
"""A plain number from here on is a moment, in seconds or in milliseconds, not a wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What is left of one kind (`requests`, `tokens`, `input-tokens`) in a window of so many seconds.

    `reset_s` is seconds from now. `window_from` is what the window follows from: the header's `name`, its
    `reset`, or nothing: `assumed`.
    """

    kind: str
    limit: float
    remaining: float
    reset_s: float | None
    window_s: float = 60.0
    window_from: WindowSource = "assumed"

    @property
    def is_requests(self) -> bool:
        """Requests are counted."""
        return self.kind == "requests"

    @property
    def is_tokens(self) -> bool:
        """Tokens are counted, of either side or both."""
        return "token" in self.kind


def allowances(headers: Mapping[str, str], now: datetime) -> list[Allowance]:
    """Every kind and window whose limit and remainder are told; anything unreadable is left out.

    Args:
        headers: names in lower case. Anthropic writes `anthropic-ratelimit-KIND-remaining`, OpenAI
            `x-ratelimit-remaining-KIND`, some leave the kind out: requests.
        now: for resets that are moments, aware.
    """
    told: dict[str, dict[str, str]] = {}
    for name, value in headers.items():
        prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None)
        if prefix is None:
            continue
        rest = name.removeprefix(prefix)
        for part in _PARTS:
            if rest == part:
                told.setdefault("requests", {})[part] = value
            elif rest.endswith(f"-{part}"):
                told.setdefault(rest.removesuffix(f"-{part}"), {})[part] = value
            elif rest.startswith(f"{part}-"):
                told.setdefault(rest.removeprefix(f"{part}-"), {})[part] = value
    found = (_allowance(kind, values, now) for kind, values in told.items())
    return [allowance for allowance in found if allowance is not None]


def _allowance(name: str, values: Mapping[str, str], now: datetime) -> Allowance | None:
    limit, remaining = _number(values.get("limit")), _number(values.get("remaining"))
    if limit is None or remaining is None or limit <= 0:
        return None
    reset = values.get("reset")
    reset_s = _seconds(reset, now)
    named = _NAMED_WINDOW.search(name)
    if named:
        kind, window_s = name[: named.start()], float(named[1] or 1) * _UNIT_S[named[2]]
        window_from: WindowSource = "name"
    else:
        kind, told_s = name, _window_s(limit, remaining, reset, reset_s)
        window_s, window_from = (_USUAL_WINDOWS_S[0], "assumed") if told_s is None else (told_s, "reset")
    return Allowance(
        kind="requests" if kind in ("req", "request", "requests") else kind,
        limit=limit,
        remaining=remaining,
        reset_s=reset_s,
        window_s=window_s,
        window_from=window_from,
    )


def _window_s(limit: float, remaining: float, reset: str | None, reset_s: float | None) -> float | None:
    """The window of a limit whose name does not say; None where nothing tells.

    A duration with units is the time until what was used has flowed back, so the whole limit takes
    limit / used times as long; a wait without a unit is the end of a fixed window.
    """
    if reset_s is None or not reset_s or reset is None:
        return None
    used = limit - remaining
    if reset[-1:] in ("s", "m", "h", "d") and used > 0:
        whole_s = reset_s * limit / used
        return min(_USUAL_WINDOWS_S, key=lambda window_s: abs(log(whole_s / window_s)))
    if _PLAIN.fullmatch(reset):
        return next((window_s for window_s in _USUAL_WINDOWS_S if reset_s <= window_s), _USUAL_WINDOWS_S[-1])
    return None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _PLAIN.fullmatch(text.strip()) else None


def _seconds(text: str | None, now: datetime) -> float | None:
    """Seconds until a reset: a moment (RFC 3339, or since 1970), or a wait (`6m0s`, `120ms`, `10`)."""
    if not text:
        return None
    if _PLAIN.fullmatch(text):
        value = float(text)
        moment_s = value / 1000 if value >= _EPOCH_MS else value
        return value if value < _EPOCH_S else max(0.0, moment_s - now.timestamp())
    match = _DURATION.fullmatch(text)
    try:
        if match and any(match.groups()):
            days, hours, minutes, seconds, ms = (float(part or 0) for part in match.groups())
            return days * 86_400 + hours * 3600 + minutes * 60 + seconds + ms / 1000
        return max(0.0, (datetime.fromisoformat(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
