"""When to try again, and how long to wait."""

import pytest

from harness.errors import ProviderError
from harness.orchestration import RetryPolicy
from harness.records import ErrorKind

POLICY = RetryPolicy()


def delay(
    attempt: int, error: ProviderError, *, key: str = "k", remaining_ms: float = 55_000
) -> float | None:
    return POLICY.delay_ms(attempt, error, key=key, remaining_ms=remaining_ms)


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_only_what_another_attempt_may_cure_is_retried(kind: ErrorKind) -> None:
    cured = {"rate_limited", "overloaded", "upstream_5xx", "connection", "timeout"}
    assert (delay(1, ProviderError(kind, "x")) is not None) == (kind in cured)


def test_waits_double_within_their_jitter_and_repeat_exactly() -> None:
    error = ProviderError("overloaded", "x")
    first, second = delay(1, error), delay(2, error)
    assert first is not None
    assert second is not None
    assert 250 <= first <= 500
    assert 500 <= second <= 1000
    assert delay(1, error) == first
    assert delay(1, error, key="other") != first
    assert delay(3, error) is None


def test_the_provider_s_own_wait_is_honoured_to_the_millisecond() -> None:
    assert delay(1, ProviderError("rate_limited", "x", retry_after_ms=1234.0)) == 1234.0
    assert delay(1, ProviderError("rate_limited", "x", retry_after_ms=0.0)) == 0.0


def test_a_wait_beyond_the_cap_or_the_deadline_ends_the_attempts() -> None:
    assert delay(1, ProviderError("rate_limited", "x", retry_after_ms=60_000.0)) is None
    assert delay(1, ProviderError("overloaded", "x"), remaining_ms=100) is None
