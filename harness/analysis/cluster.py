"""Means of rows that come in clusters: repeats of a case are not new cases."""

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate


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
