"""Requests per minute by model: a bucket that refills evenly, and the headers that tell of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOMINAL_RPM = 10_000
NOMINAL_TPM = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Where one model stands after a request.

    Attributes:
        limit: requests per minute.
        remaining: whole requests left at this moment.
        reset_s: seconds until the bucket is full.
        retry_after_s: seconds until the next request may pass; None when this one may.
    """

    limit: int
    remaining: int
    reset_s: float
    retry_after_s: float | None = None


class RequestLimiter:
    """Token buckets by model.

    Args:
        rpm: the limit; None announces a nominal one and enforces nothing.
        now_s: a monotonic clock, seconds.
    """

    def __init__(self, rpm: int | None, now_s: Callable[[], float] = time.monotonic) -> None:
        self.enforced = rpm is not None
        self._rpm = rpm or NOMINAL_RPM
        self._now_s = now_s
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, model: str) -> Allowance:
        """Count one request against the model's minute."""
        now, per_s = self._now_s(), self._rpm / 60
        level, at = self._buckets.get(model, (float(self._rpm), now))
        level = min(float(self._rpm), level + (now - at) * per_s)
        allowed = level >= 1 or not self.enforced
        level = max(0.0, level - 1) if allowed else level
        self._buckets[model] = (level, now)
        return Allowance(
            limit=self._rpm,
            remaining=int(level),
            reset_s=(self._rpm - level) / per_s,
            retry_after_s=None if allowed else (1 - level) / per_s,
        )


def anthropic_headers(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    """Anthropic's rate-limit headers; resets are moments in RFC 3339."""
    reset = datetime.now(UTC) + timedelta(seconds=allowance.reset_s)
    moment = reset.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    rows = [("requests", allowance.limit, allowance.remaining), ("tokens", NOMINAL_TPM, NOMINAL_TPM)]
    headers = []
    for what, limit, remaining in rows:
        prefix = f"anthropic-ratelimit-{what}".encode()
        headers += [(prefix + b"-limit", b"%d" % limit), (prefix + b"-remaining", b"%d" % remaining)]
        headers.append((prefix + b"-reset", moment))
    return headers


def openai_headers(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    """OpenAI's rate-limit headers; resets are durations."""
    return [
        (b"x-ratelimit-limit-requests", b"%d" % allowance.limit),
        (b"x-ratelimit-remaining-requests", b"%d" % allowance.remaining),
        (b"x-ratelimit-reset-requests", f"{allowance.reset_s * 1000:.0f}ms".encode()),
        (b"x-ratelimit-limit-tokens", b"%d" % NOMINAL_TPM),
        (b"x-ratelimit-remaining-tokens", b"%d" % NOMINAL_TPM),
        (b"x-ratelimit-reset-tokens", b"0ms"),
    ]
