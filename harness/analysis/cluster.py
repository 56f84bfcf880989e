"""Means of rows that come in clusters: repeats of a case are not new cases."""

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from harness.analysis.interval import (
    DEFAULT_CONFIDENCE,
    Estimate,
    QuantileInterval,
    interval_at_ranks,
    normal_quantile,
    order_statistic_ranks,
)


def clustered_mean(
    values: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    *,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Estimate:
    """Mean with a cluster-robust t interval.

    The variance of the mean is G / (G - 1) sum_g (sum_{i in g} (x_i - mean))^2 / n^2 over G clusters, with
    G - 1 degrees of freedom. Without clusters every row is its own, and this is the usual t interval.

    Args:
        values: shape (n,), finite.
        clusters: which cluster (case) each value belongs to; None for independent values.
        confidence: 0..1.

    Returns:
        The mean, None for no values; bounds None below two clusters, where no spread can be seen.

    Source: Miller, Adding Error Bars to Evals (2024), section 2.2; Cameron and Miller (2015), section II.
    """
    rows = np.asarray(values, dtype=np.float64)
    n = int(rows.size)
    if rows.ndim != 1 or not np.isfinite(rows).all():
        raise ValueError("values must be one sequence of finite numbers")
    if clusters is not None and len(clusters) != n:
        raise ValueError(f"{n} values but {len(clusters)} cluster names")
    if n == 0:
        return Estimate(value=None, low=None, high=None, confidence=confidence, method="cluster_t", n=0)
    mean = float(rows.mean())
    sums = _cluster_sums(rows - mean, clusters)
    count = len(sums)
    if count < 2:
        return Estimate(value=mean, low=None, high=None, confidence=confidence, method="cluster_t", n=n)
    error = math.sqrt(count / (count - 1) * float(np.dot(sums, sums))) / n
    half = float(stdtrit(count - 1, 0.5 + confidence / 2.0)) * error
    return Estimate(
        value=mean, low=mean - half, high=mean + half, confidence=confidence, method="cluster_t", n=n
    )


def _cluster_sums(deviations: np.ndarray, clusters: Sequence[Hashable] | None) -> np.ndarray:
    if clusters is None:
        return deviations
    order: dict[Hashable, int] = {}
    index = [order.setdefault(name, len(order)) for name in clusters]
    return np.bincount(index, weights=deviations)


def clustered_share(
    hits: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Estimate:
    """Share of hits with a Wilson interval at the effective sample size.

    n_eff = p (1 - p) / se^2 with the cluster-robust error, at most n; where all rows agree (p is 0 or 1) no
    spread can be seen and the clusters themselves are counted. The t quantile with G - 1 degrees of freedom
    stands for the normal one. A hit may be a part of one (0..1): its spread is never above p (1 - p).

    Returns:
        The share, None for no rows; bounds None below two clusters.

    Source: Korn and Graubard (1998) for the effective sample size; Wilson (1927) for the form.
    """
    mean = clustered_mean([float(hit) for hit in hits], clusters, confidence=confidence)
    count = len(set(clusters)) if clusters is not None else len(hits)
    if mean.value is None or mean.high is None:
        return Estimate(
            value=mean.value, low=None, high=None, confidence=confidence, method="cluster_wilson", n=mean.n
        )
    quantile, share = float(stdtrit(count - 1, 0.5 + confidence / 2.0)), mean.value
    error = (mean.high - mean.value) / quantile
    effective = min(float(mean.n), share * (1.0 - share) / error**2) if error > 0 else float(count)
    scale = 1.0 + quantile**2 / effective
    centre = (share + quantile**2 / (2 * effective)) / scale
    spread = math.sqrt(share * (1.0 - share) / effective + quantile**2 / (4 * effective**2))
    half = quantile / scale * spread
    return Estimate(
        value=share,
        low=0.0 if share == 0 else max(0.0, centre - half),
        high=1.0 if share == 1 else min(1.0, centre + half),
        confidence=confidence,
        method="cluster_wilson",
        n=mean.n,
    )


def clustered_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    *,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Estimate:
    """Sum of the numerators over the sum of the denominators (cost per good answer), cluster-robust.

    Linearised: the residuals numerator - R denominator are summed by cluster.

    Returns:
        None where the denominators sum to 0; bounds None below two clusters.

    Source: Cochran, Sampling Techniques (1977), section 2.11.
    """
    top, bottom = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    n, whole = int(top.size), float(bottom.sum())
    if not n or whole <= 0:
        return Estimate(value=None, low=None, high=None, confidence=confidence, method="cluster_ratio", n=n)
    ratio = float(top.sum()) / whole
    residuals = _cluster_sums(top - ratio * bottom, clusters)
    count = len(residuals)
    half: float | None = None
    if count >= 2:
        error = math.sqrt(count / (count - 1) * float(np.dot(residuals, residuals))) / whole
        half = float(stdtrit(count - 1, 0.5 + confidence / 2.0)) * error
    return Estimate(
        value=ratio,
        low=None if half is None else max(0.0, ratio - half),
        high=None if half is None else ratio + half,
        confidence=confidence,
        method="cluster_ratio",
        n=n,
    )


def clustered_quantile_interval(
    latency_ms: ArrayLike,
    clusters: Sequence[Hashable] | None = None,
    *,
    q: float,
    confidence: float = DEFAULT_CONFIDENCE,
) -> QuantileInterval:
    """Interval for a quantile of rows that come in clusters: the order statistics of the effective sample.

    n_eff = p (1 - p) / se^2 with the cluster-robust error of the share p at or below the sample's quantile;
    at most n, and less by the square of z / t for few clusters. A bound that n_eff requests cannot give is
    None.

    Args:
        latency_ms: shape (n,), milliseconds; infinite where the request failed.
        clusters: which cluster (case) each belongs to; None for independent requests.
        q: strictly between 0 and 1.
        confidence: 0..1.

    Source: Woodruff (1952); Korn and Graubard (1998) for the effective sample size.
    """
    rows = np.asarray(latency_ms, dtype=np.float64)
    n = int(rows.size)
    ranked = np.sort(rows)
    effective = 0
    if n:
        below = rows <= ranked[min(n - 1, math.floor((n - 1) * q))]
        effective = _effective_size(below, clusters, confidence)
    low, high = order_statistic_ranks(effective, q, confidence)
    scale = (n + 1) / (effective + 1)
    return interval_at_ranks(
        ranked[np.isfinite(ranked)],
        n,
        math.floor(low * scale),
        n + 1 if high > effective else math.ceil(high * scale),
        confidence=confidence,
        method="order_statistic_clustered",
    )


def _effective_size(hits: np.ndarray, clusters: Sequence[Hashable] | None, confidence: float) -> int:
    """As many independent rows tell as much about the share of hits; 0 below two clusters."""
    count = len(set(clusters)) if clusters is not None else int(hits.size)
    mean = clustered_mean(hits.astype(np.float64), clusters, confidence=confidence)
    if mean.value is None or mean.high is None:
        return 0
    probability = 0.5 + confidence / 2.0
    quantile = float(stdtrit(count - 1, probability))
    error = (mean.high - mean.value) / quantile
    rows = min(float(mean.n), mean.value * (1.0 - mean.value) / error**2) if error > 0 else float(count)
    return int(rows * (normal_quantile(probability) / quantile) ** 2)
