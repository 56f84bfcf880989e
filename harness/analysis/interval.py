"""Exact intervals: order statistics for quantiles, Wilson for ratios."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, ndtri

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, Sides, simultaneous_confidence
from harness.analysis.percentile import checked_latencies

__all__ = [
    "DEFAULT_CONFIDENCE",
    "Estimate",
    "QuantileInterval",
    "Sides",
    "interval_at_ranks",
    "normal_quantile",
    "order_statistic_ranks",
    "quantile_interval",
    "simultaneous_confidence",
    "wilson",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileInterval:
    """An interval for a latency quantile.

    Attributes:
        low_ms: None when there is no lower bound, or it falls among failures (`low_over_limit`).
        high_ms: None when there is no upper bound (too few requests), or it falls among failures.
        low_over_limit: even the lower bound is a failure: the quantile is above every limit.
        high_over_limit: the upper bound is a failure.
        confidence: nominal, 0..1.
        method: `order_statistic` (independent requests) or `order_statistic_dependent`.
        n: requests it rests on.
    """

    low_ms: float | None
    high_ms: float | None
    low_over_limit: bool
    high_over_limit: bool
    confidence: float
    method: str
    n: int

    def lies_above(self, limit_ms: float) -> bool:
        """True when the whole interval is above the limit."""
        return self.low_over_limit or (self.low_ms is not None and self.low_ms > limit_ms)

    def lies_within(self, limit_ms: float) -> bool:
        """True when the whole interval is at or below the limit."""
        return self.high_ms is not None and self.high_ms <= limit_ms


def quantile_interval(
    latency_ms: ArrayLike,
    *,
    failures: int = 0,
    q: float,
    confidence: float = DEFAULT_CONFIDENCE,
    sides: Sides = Sides.BOTH,
) -> QuantileInterval:
    """Distribution-free interval for a quantile of independent requests, from two order statistics.

    X(l) and X(u) enclose the quantile with probability P(l <= Bin(n, q) < u). The narrowest pair of ranks
    that reaches the confidence is taken; of equally narrow ones the most even.

    Args:
        latency_ms: of the successes, shape (n,), milliseconds, finite, >= 0.
        failures: requests without a latency; they rank above every success.
        q: strictly between 0 and 1.
        confidence: 0..1, at least reached.
        sides: both, or a single bound at the same confidence.

    Returns:
        The interval; a bound is None where the sample is too small for one, or falls among failures.

    Source: David and Nagaraja, Order Statistics (2003), section 7.1.
    """
    ranked = np.sort(checked_latencies(latency_ms, failures))
    n = int(ranked.size) + failures
    low, high = order_statistic_ranks(n, q, confidence, sides)
    return interval_at_ranks(ranked, n, low, high, confidence=confidence, method="order_statistic")


def order_statistic_ranks(
    n: int, q: float, confidence: float = DEFAULT_CONFIDENCE, sides: Sides = Sides.BOTH
) -> tuple[int, int]:
    """Ranks l < u (1-based) whose order statistics enclose the q quantile; 0 and n + 1 mean unbounded."""
    if not 0.0 < q < 1.0:
        raise ValueError(f"an interval needs q strictly between 0 and 1, not {q}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
    if n == 0:
        return 0, 1
    # below[k] = P(Bin(n, q) < k) = P(the quantile lies below X(k)), k = 0 .. n + 1
    below = np.concatenate(([0.0], bdtr(np.arange(n + 1.0), n, q)))
    if sides is Sides.LOWER:
        return _last_within(below, 1.0 - confidence, n), n + 1
    if sides is Sides.UPPER:
        return 0, _first_reaching(below, confidence, n)
    return _narrowest(below, q, confidence, n)


def _first_reaching(below: NDArray[np.float64], wanted: float, n: int) -> int:
    """The smallest rank whose order statistic lies above the quantile with the wanted probability."""
    rank = int(np.searchsorted(below[: n + 1], wanted - 1e-12, side="left"))
    return rank if rank <= n else n + 1


def _last_within(below: NDArray[np.float64], error: float, n: int) -> int:
    """The largest rank whose order statistic lies above the quantile with at most that probability."""
    return int(np.searchsorted(below[: n + 1], error + 1e-12, side="right")) - 1


def _narrowest(below: NDArray[np.float64], q: float, confidence: float, n: int) -> tuple[int, int]:
    lows = np.arange(0, n + 1)
    wanted = below[lows] + confidence
    # the open end n + 1 encloses with certainty above; finite ranks are preferred by their width
    highs = np.searchsorted(below[: n + 1], wanted - 1e-12, side="left")
    finite = (highs <= n) & (lows >= 1)
    if finite.any():
        lows, highs = lows[finite], highs[finite]
        width = highs - lows
        best = np.flatnonzero(width == width.min())
        unevenness = np.abs(below[lows[best]] - (1.0 - below[highs[best]]))
        chosen = best[int(np.argmin(unevenness))]
        return int(lows[chosen]), int(highs[chosen])
    # no pair is wide enough: one honest side is left, the one the quantile is nearer the middle of
    if q < 0.5:
        return 0, _first_reaching(below, confidence, n)
    return _last_within(below, 1.0 - confidence, n), n + 1


def interval_at_ranks(
    ranked: NDArray[np.float64], n: int, low: int, high: int, *, confidence: float, method: str
) -> QuantileInterval:
    """The interval between two ranks (1-based) of n requests, of which `ranked` are the sorted successes."""
    successes = int(ranked.size)
    low_over, high_over = low > successes, successes < high <= n
    return QuantileInterval(
        low_ms=float(ranked[low - 1]) if 1 <= low <= successes else None,
        high_ms=float(ranked[high - 1]) if 1 <= high <= successes else None,
        low_over_limit=low_over and low <= n,
        high_over_limit=high_over,
        confidence=confidence,
        method=method,
        n=n,
    )


def wilson(successes: int, n: int, confidence: float = DEFAULT_CONFIDENCE) -> Estimate:
    """Wilson score interval of a proportion; it stays inside 0..1 and is honest at 0 of n.

    Args:
        successes: how many of n, 0 <= successes <= n.
        n: trials.
        confidence: 0..1.

    Returns:
        successes / n and its interval; all None for n = 0.

    Source: Wilson (1927); Brown, Cai and DasGupta (2001).
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    if n == 0:
        return Estimate(value=None, low=None, high=None, confidence=confidence, method="wilson", n=0)
    z = normal_quantile(0.5 + confidence / 2.0)
    share = successes / n
    scale = 1.0 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n))
    return Estimate(
        value=share,
        low=0.0 if successes == 0 else max(0.0, centre - half),
        high=1.0 if successes == n else min(1.0, centre + half),
        confidence=confidence,
        method="wilson",
        n=n,
    )


def normal_quantile(probability: float) -> float:
    """The standard normal quantile."""
    return float(ndtri(probability))
