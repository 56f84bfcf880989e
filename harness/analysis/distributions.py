"""The quantiles and probabilities that intervals are made of.

Normal and binomial ones need the standard library and NumPy alone: most commands never load SciPy.
"""

import math
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_NORMAL = NormalDist()

_WINDOW_SDS = 12.0
"""Beyond so many standard deviations a binomial probability is below 1e-30."""


def normal_quantile(probability: float) -> float:
    """The standard normal quantile of a probability strictly between 0 and 1."""
    return _NORMAL.inv_cdf(probability)


def normal_quantiles(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard normal quantile of each, shape (n,), strictly between 0 and 1."""
    return np.fromiter(map(_NORMAL.inv_cdf, probabilities), dtype=np.float64, count=probabilities.size)


@cache
def t_quantile(degrees: int, probability: float) -> float:
    """Student's t quantile with that many degrees of freedom (>= 1)."""
    from scipy.special import stdtrit  # noqa: PLC0415 - 0.3 s that plain proportions do without

    return float(stdtrit(degrees, probability))


def binomial_below(n: int, q: float) -> tuple[int, NDArray[np.float64]]:
    """P(Bin(n, q) < k) for every k where it is neither 0 nor 1 to within 1e-30.

    Args:
        n: trials, >= 1.
        q: chance of each, strictly between 0 and 1.

    Returns:
        The first k and the probabilities from there on, increasing; for all smaller k it is 0, for all
        larger ones 1. At most a few times sqrt(n) values, so that ten million requests cost no more memory.

    Source: the recursion pmf(k + 1) = pmf(k) (n - k) / (k + 1) q / (1 - q) from the mode outwards.
    """
    mode = min(n, int((n + 1) * q))
    reach = int(_WINDOW_SDS * math.sqrt(n * q * (1.0 - q))) + 40
    first, last = max(0, mode - reach), min(n, mode + reach)
    odds = q / (1.0 - q)
    up = np.arange(mode, last, dtype=np.float64)
    down = np.arange(mode, first, -1, dtype=np.float64)
    above = np.cumprod((n - up) / (up + 1.0) * odds)
    below = np.cumprod(down / (n - down + 1.0) / odds)
    weights = np.concatenate((below[::-1], [1.0], above))
    cumulative = np.concatenate(([0.0], np.cumsum(weights / weights.sum())))
    return first, np.minimum(cumulative, 1.0)
