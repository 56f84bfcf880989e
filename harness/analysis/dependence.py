"""Quantile intervals that stay honest when consecutive latencies are correlated.

Correlated requests tell less than as many independent ones. The interval is the order-statistic interval of
the *effective* number of requests: n divided by the variance inflation of "is it above the quantile?".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.distributions import normal_quantile, normal_quantiles

_MIN_REQUESTS = 20
"""Below this a correlation cannot be told from chance."""

_SIGNIFICANT_Z = 1.96
"""A lag-1 correlation above 1.96 / sqrt(n) counts: of independent runs 2.5% are widened needlessly."""


def variance_inflations(arrivals_ms: ArrayLike, quantiles: Sequence[float]) -> tuple[float, ...]:
    """How many correlated requests tell as much about each quantile as one independent request; >= 1.

    1 + 2 sum rho_k(q), where rho_k(q) is the correlation at lag k of the indicator "above the q quantile",
    derived from the correlation of normal scores by a Gaussian copula (stable in the tail, where the
    indicator itself is seldom 1). 1.0 when the lag-1 correlation is not significantly positive.

    Args:
        arrivals_ms: in arrival order, shape (n,), milliseconds; infinite where the request failed.
        quantiles: each strictly between 0 and 1.

    Source: Woodruff (1952) for quantiles of dependent samples; Geyer (1992), section 3.3, for where to cut
        the sum; simulated in docs/proof/statistics.md.
    """
    arrivals = np.asarray(arrivals_ms, dtype=np.float64)
    n = int(arrivals.size)
    correlations = _score_correlations(arrivals, max(1, n // 4))
    return tuple(_inflation(correlations, n, q) for q in quantiles)


def lag_correlation(values: ArrayLike, lag: int = 1) -> float | None:
    """Correlation at a lag of the values' normal scores, corrected for its small-sample bias.

    Args:
        values: in arrival order; infinities rank last, ties share their mean rank.
        lag: 1 or more.

    Returns:
        The correlation; None for fewer than 20 values or when all are equal.
    """
    correlations = _score_correlations(np.asarray(values, dtype=np.float64), lag)
    return None if correlations is None else float(correlations[lag - 1])


def _inflation(correlations: NDArray[np.float64] | None, n: int, q: float) -> float:
    if correlations is None or correlations[0] <= _SIGNIFICANT_Z / np.sqrt(n):
        return 1.0
    kept = _initial_positive(correlations)
    lags = np.arange(1, kept.size + 1)
    return max(1.0, float(1.0 + 2.0 * np.sum((1.0 - lags / n) * _indicator_correlation(kept, q))))


def _score_correlations(values: NDArray[np.float64], lags: int) -> NDArray[np.float64] | None:
    n = int(values.size)
    if n < _MIN_REQUESTS:
        return None
    scores = normal_quantiles((_mean_ranks(values) - 0.5) / n)
    scores = scores - scores.mean()
    power = float(np.dot(scores, scores))
    if power <= 0.0:
        return None
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(scores, size)
    raw = np.fft.irfft(spectrum * np.conj(spectrum), size)[1 : lags + 1] / power
    overlap = n / (n - np.arange(1, lags + 1))
    # Kendall (1954): E[r] = rho - (1 + 4 rho) / n for a first-order process
    corrected: NDArray[np.float64] = np.minimum(raw * overlap + (1.0 + 4.0 * np.maximum(raw, 0.0)) / n, 0.999)
    return corrected


def _mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks 1 .. n; ties share their mean rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2.0)[place]
    return ranks


def _initial_positive(correlations: NDArray[np.float64]) -> NDArray[np.float64]:
    """The leading correlations up to the first pair whose sum is not positive, made non-increasing."""
    keep = 1
    while keep + 1 < correlations.size and correlations[keep] + correlations[keep + 1] > 0.0:
        keep += 2
    monotone: NDArray[np.float64] = np.minimum.accumulate(np.maximum(correlations[:keep], 0.0))
    return monotone


def _indicator_correlation(correlations: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    """Correlation of "above the q quantile" at two normal scores of the given correlations.

    P(both below) - q^2 is the integral of the bivariate normal density at (z, z) over the correlation
    (Plackett 1954), here by Gauss-Legendre quadrature.
    """
    z = normal_quantile(q)
    nodes, weights = np.polynomial.legendre.leggauss(32)
    # substituting rho = sin(angle) removes the singularity at 1
    angle = np.arcsin(correlations)[:, None] * (nodes + 1.0) / 2.0
    density = np.exp(-(z**2) / (1.0 + np.sin(angle))) / (2.0 * np.pi)
    shared = np.arcsin(correlations) / 2.0 * (density @ weights)
    indicator: NDArray[np.float64] = shared / (q * (1.0 - q))
    return indicator
