"""Exact latency percentiles in which a failure is slower than every answer."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SLACK = 1e-9
"""Binary fractions: 300 * 0.05 and 1 / (1 - 0.95) must not miss their integers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A percentile and what it rests on.

    Attributes:
        q: which quantile, 0..1.
        value_ms: milliseconds; None when there are too few requests, or the quantile falls among failures.
        over_limit: the quantile falls among failures, so it is above every latency limit.
        n: requests it rests on, failures included.
        failures: how many of them had no usable latency.
    """

    q: float
    value_ms: float | None
    over_limit: bool
    n: int
    failures: int

    @property
    def name(self) -> str:
        """`p95` for 0.95, `p99.9` for 0.999."""
        return percentile_name(self.q)


def percentile_name(q: float) -> str:
    """`p95` for 0.95, `p99.9` for 0.999."""
    return f"p{q * 100:.10g}"


def min_requests(q: float) -> int:
    """Fewest requests from which the q quantile can be told from the maximum: n (1 - q) >= 1.

    Medians and below need a single request; p95 needs 20, p99 needs 100.
    """
    _check_q(q)
    if q <= 0.5 or q == 1.0:
        return 1
    return math.ceil(1.0 / (1.0 - q) - _SLACK)


def latency_percentile(latency_ms: ArrayLike, *, failures: int = 0, q: float) -> Quantile:
    """Latency percentile by linear interpolation; failures rank above every success.

    With h = (n - 1) q over n = successes + failures, the value is x[floor h] + (h - floor h)(x[ceil h] -
    x[floor h]) of the sorted latencies.

    Args:
        latency_ms: of the successes, shape (n,), milliseconds, finite, >= 0, in any order.
        failures: how many more requests had no latency.
        q: 0..1.

    Returns:
        The quantile; its value is None when n is too small for q (`min_requests`) or when a neighbouring
        order statistic is a failure, and then `over_limit` is true.

    Raises:
        ValueError: a latency that is negative, infinite or not a number; q outside 0..1; failures < 0.

    Source: Hyndman and Fan (1996), definition 7; the same as DuckDB's quantile_cont.
    """
    _check_q(q)
    ranked = np.sort(checked_latencies(latency_ms, failures))
    n = int(ranked.size) + failures
    if n == 0:
        return Quantile(q=q, value_ms=None, over_limit=False, n=0, failures=0)
    below, above, weight = neighbours(n, q)
    over_limit = above >= ranked.size
    if over_limit or n < min_requests(q):
        return Quantile(q=q, value_ms=None, over_limit=over_limit, n=n, failures=failures)
    value = ranked[below] + weight * (ranked[above] - ranked[below])
    return Quantile(q=q, value_ms=float(value), over_limit=False, n=n, failures=failures)


def neighbours(n: int, q: float) -> tuple[int, int, float]:
    """The ranks, from 0, that the q quantile of n values lies between, and how far from the first, 0..1."""
    position = (n - 1) * q
    nearest = round(position)
    if abs(position - nearest) < _SLACK:
        position = float(nearest)
    below = math.floor(position)
    return below, math.ceil(position), position - below


def checked_latencies(latency_ms: ArrayLike, failures: int) -> NDArray[np.float64]:
    """The latencies as an array, or a ValueError saying what is wrong with them."""
    values = np.asarray(latency_ms, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"latencies must be one sequence, not of shape {values.shape}")
    if values.size and not (np.isfinite(values).all() and values.min() >= 0):
        raise ValueError("latencies must be finite and >= 0; count what has none as failures")
    if failures < 0:
        raise ValueError(f"failures must be >= 0, not {failures}")
    return values


def _check_q(q: float) -> None:
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"q must be in 0..1, not {q}")
