"""When a failed attempt is worth another, and how long to wait first.

The SDKs' own retries are off: here every attempt is seen, reserved, paid and recorded.
"""

import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from harness.errors import ProviderError
from harness.records import ErrorKind

RETRIED_KINDS: frozenset[str] = frozenset(
    {
        ErrorKind.RATE_LIMITED,
        ErrorKind.OVERLOADED,
        ErrorKind.UPSTREAM_5XX,
        ErrorKind.CONNECTION,
        ErrorKind.TIMEOUT,
    }
)
"""Kinds that another attempt may cure. A refusal by the cost guard is never among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with deterministic jitter, under what the provider asks for.

    Attributes:
        max_attempts: attempts at one route in all.
        base_ms: the wait before the second attempt, before jitter, milliseconds.
        cap_ms: the longest wait of our own choosing, milliseconds.
        retry_after_cap_ms: a provider that asks for more is not asked again: coming back early would be
            refused, and waiting longer helps no one.
        kinds: which failures are retried.
    """

    max_attempts: int = 3
    base_ms: float = 500.0
    cap_ms: float = 8_000.0
    retry_after_cap_ms: float = 20_000.0
    kinds: AbstractSet[str] = RETRIED_KINDS

    def delay_ms(self, attempt: int, error: ProviderError, *, key: str, remaining_ms: float) -> float | None:
        """How long to wait before the next attempt.

        Args:
            attempt: the attempt that failed, from 1.
            error: why.
            key: seeds the jitter, so that a replay waits the same.
            remaining_ms: until the request's deadline, milliseconds.

        Returns:
            Milliseconds >= 0, or None for no further attempt.
        """
        if attempt >= self.max_attempts or error.kind not in self.kinds:
            return None
        own = min(self.cap_ms, self.base_ms * 2 ** (attempt - 1)) * (0.5 + 0.5 * _fraction(key, attempt))
        asked = error.retry_after_ms
        if asked is not None and asked > self.retry_after_cap_ms:
            return None
        delay = own if asked is None else max(asked, 0.0)
        return delay if delay < remaining_ms else None


def _fraction(key: str, attempt: int) -> float:
    """A number in 0..1 drawn from the key alone."""
    digest = hashlib.blake2b(f"{key}:{attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
