"""Which order statistics enclose a quantile: exact, distribution-free, for any number of requests."""

import numpy as np
from numpy.typing import NDArray

from harness.analysis.distributions import binomial_below
from harness.analysis.estimate import DEFAULT_CONFIDENCE, Sides

_SLACK = 1e-12


def order_statistic_ranks(
    n: int, q: float, confidence: float = DEFAULT_CONFIDENCE, sides: Sides = Sides.BOTH
) -> tuple[int, int]:
    """Ranks l < u (1-based) whose order statistics enclose the q quantile of n independent requests.

    X(l) and X(u) enclose the quantile with probability P(l <= Bin(n, q) < u). The narrowest pair of ranks
    that reaches the confidence is taken; of equally narrow ones the most even. 0 and n + 1 mean unbounded.

    Source: David and Nagaraja, Order Statistics (2003), section 7.1.
    """
    if not 0.0 < q < 1.0:
        raise ValueError(f"an interval needs q strictly between 0 and 1, not {q}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be strictly between 0 and 1, not {confidence}")
    if n == 0:
        return 0, 1
    first, below = binomial_below(n, q)
    if sides is Sides.LOWER:
        return _last_within(first, below, 1.0 - confidence), n + 1
    if sides is Sides.UPPER:
        return 0, min(n + 1, _first_reaching(first, below, confidence))
    return _narrowest(first, below, q, confidence, n)


def _first_reaching(first: int, below: NDArray[np.float64], wanted: float) -> int:
    """The smallest rank whose order statistic lies above the quantile with the wanted probability."""
    return first + int(np.searchsorted(below, wanted - _SLACK, side="left"))


def _last_within(first: int, below: NDArray[np.float64], error: float) -> int:
    """The largest rank whose order statistic lies above the quantile with at most that probability."""
    return first + int(np.searchsorted(below, error + _SLACK, side="right")) - 1


def _narrowest(
    first: int, below: NDArray[np.float64], q: float, confidence: float, n: int
) -> tuple[int, int]:
    lows = np.arange(below.size)
    highs = np.searchsorted(below, below + confidence - _SLACK, side="left")
    # the open end n + 1 encloses with certainty above; finite ranks are preferred by their width
    finite = (first + highs <= n) & (first + lows >= 1) & (highs < below.size)
    if finite.any():
        lows, highs = lows[finite], highs[finite]
        width = highs - lows
        best = np.flatnonzero(width == width.min())
        unevenness = np.abs(below[lows[best]] - (1.0 - below[highs[best]]))
        chosen = best[int(np.argmin(unevenness))]
        return first + int(lows[chosen]), first + int(highs[chosen])
    # no pair is wide enough: one honest side is left, the one the quantile is nearer the middle of
    if q < 0.5:
        return 0, min(n + 1, _first_reaching(first, below, confidence))
    return _last_within(first, below, 1.0 - confidence), n + 1
