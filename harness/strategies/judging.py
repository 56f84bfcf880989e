"""Figures of a policy over the units: quick ones to choose by, and estimates with clustered intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.moments import (
    Moments,
    mean_estimate,
    moments_of,
    score_estimate,
    share_estimate,
)
from harness.analysis.quantile import (
    cut_rank,
    inflation_by_case,
    quantile_at,
    quantile_ranks,
)
from harness.strategies.cells import Column
from harness.strategies.policies import Way

P95 = 0.95


@dataclass(frozen=True, slots=True)
class Quick:
    """Means over the units whose figure is known; not a number where none is."""

    usd: float
    p95_ms: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WayFigures:
    """A way's figures with their intervals, clustered by case.

    Attributes:
        units: looked at.
        unpriced, untimed, ungraded: left out of the figure.
    """

    units: int
    cost_per_request: Estimate
    p95: Estimate
    high_tier: Estimate
    error_ratio: Estimate
    unpriced: int
    untimed: int
    ungraded: int


def quick(way: Way) -> Quick:
    """The figures without their intervals."""
    return Quick(_mean(way.usd), _p95(way), _mean(way.high))


def _mean(values: Column) -> float:
    total = float(values.sum())
    if total == total:  # noqa: PLR0124 - all known
        return total / len(values) if len(values) else np.nan
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _ranked(way: Way) -> Column:
    """Latencies with failures above every answer, unknown ones left out."""
    ms = np.where(way.ok > 0.0, way.ms, np.inf)
    return ms[~np.isnan(ms)]


def _p95(way: Way) -> float:
    ms = _ranked(way)
    if not np.isfinite(ms).any():
        return np.nan
    place = (len(ms) - 1) * P95
    below = int(place)
    low, high = np.partition(ms, [below, min(below + 1, len(ms) - 1)])[[below, min(below + 1, len(ms) - 1)]]
    return float(low + (place - below) * (high - low)) if place > below and np.isfinite(high) else float(low)


def way_figures(way: Way, cases: NDArray[np.intp], *, confidence: float = DEFAULT_CONFIDENCE) -> WayFigures:
    """The figures with their intervals.

    Args:
        way: what a policy gives over the units.
        cases: number of each unit's case.
        confidence: of each interval by itself.
    """
    usd, high, ok = (moments_by_case(values, cases) for values in (way.usd, way.high, way.ok))
    graded = way.high[~np.isnan(way.high)]
    certain = bool(np.isin(graded, (0.0, 1.0)).all())
    failed = moments_by_case(1.0 - way.ok, cases)
    whole = bool(np.isin(way.ok, (0.0, 1.0)).all())
    answers = int((way.ok > 0.0).sum())
    timed = int(np.isfinite(np.where(way.ok > 0.0, way.ms, np.nan)).sum())
    return WayFigures(
        units=ok.n,
        cost_per_request=mean_estimate(usd, confidence=confidence, least=0.0),
        p95=_p95_estimate(way, cases, confidence),
        high_tier=(share_estimate if certain else score_estimate)(high, confidence=confidence),
        error_ratio=(share_estimate if whole else score_estimate)(failed, confidence=confidence),
        unpriced=usd.unknown,
        untimed=answers - timed,
        ungraded=answers - high.n,
    )


def moments_by_case(values: Column, cases: NDArray[np.intp]) -> Moments:
    """The sums of the known values; the others are counted."""
    known = ~np.isnan(values)
    if known.all():
        return moments_of(values, cases)
    return moments_of(values[known], cases[known], unknown=int((~known).sum()))


def _p95_estimate(way: Way, cases: NDArray[np.intp], confidence: float) -> Estimate:
    """By the one rule for percentiles, from the order statistics; dependence by case."""
    ms = np.where(way.ok > 0.0, way.ms, np.inf)
    known = ~np.isnan(ms)
    ms, own = ms[known], cases[known]
    n, failures = len(ms), int(np.isinf(ms).sum())
    unknown = int((~known).sum())
    if n == failures:
        return quantile_at(
            quantile_ranks(0, P95), {}, n=0, failures=0, unknown=unknown, confidence=confidence
        )
    ordered = np.sort(ms)
    cut = ordered[cut_rank(n, P95) - 1]
    inflation = inflation_by_case(moments_of((ms <= cut).astype(np.float64), own))
    ranks = quantile_ranks(n, P95, by_case=inflation, confidence=confidence)
    at = {rank: float(ordered[rank - 1]) for rank in ranks.wanted if 1 <= rank <= n}
    return quantile_at(ranks, at, n=n, failures=failures, unknown=unknown, confidence=confidence)
