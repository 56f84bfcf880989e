"""Differences between two samples with intervals, from what is known of each alone, or case by case."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from harness.analysis.cluster import clustered_mean
from harness.analysis.dependence import dependent_quantile_interval
from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate, wilson
from harness.analysis.percentile import latency_percentile
from harness.analysis.sample import LatencySample


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one figure of run B differs from the same of run A.

    Attributes:
        name: `p95_latency`, `cost_per_request`, ...
        unit: of all figures: ms, usd, ratio, score.
        a, b: the figure in each run, a mean over cases when paired; None when unknown or over every limit.
        value: b - a; None when either is.
        low, high: interval of b - a; None is no bound on that side.
        confidence: nominal, 0..1.
        method: how the interval was made.
        paired: cases were compared with themselves.
        n_a, n_b: rows behind a and b; cases when paired.
        higher_is_worse: latency, cost and errors; not quality.
        note: why something is missing, or what was left out.
    """

    name: str
    unit: str
    a: float | None
    b: float | None
    value: float | None
    low: float | None
    high: float | None
    confidence: float
    method: str
    paired: bool
    n_a: int
    n_b: int
    higher_is_worse: bool = True
    note: str | None = None

    @property
    def significant(self) -> bool:
        """The interval excludes no difference."""
        return (self.low is not None and self.low > 0) or (self.high is not None and self.high < 0)

    @property
    def regression(self) -> bool:
        """Significantly worse."""
        worse = self.low if self.higher_is_worse else (None if self.high is None else -self.high)
        return worse is not None and worse > 0

    @property
    def improvement(self) -> bool:
        """Significantly better."""
        return self.significant and not self.regression


def recovered_interval(a: Estimate, b: Estimate) -> tuple[float | None, float | None]:
    """Interval of b - a from the intervals of a and b, which need be neither symmetric nor of one kind.

    low = (b - a) - sqrt((b - b_low)^2 + (a_high - a)^2), and high likewise.

    Source: Zou and Donner (2008), the method of variance estimates recovery; for proportions with Wilson
        intervals it is method 10 of Newcombe (1998).
    """
    if a.value is None or b.value is None:
        return None, None
    difference = b.value - a.value
    low = high = None
    if b.low is not None and a.high is not None:
        low = difference - math.hypot(b.value - b.low, a.high - a.value)
    if b.high is not None and a.low is not None:
        high = difference + math.hypot(b.high - b.value, a.value - a.low)
    return low, high


def quantile_difference(
    a: LatencySample, b: LatencySample, *, q: float, confidence: float = DEFAULT_CONFIDENCE
) -> Difference:
    """Difference of a latency percentile of two runs; correlation within each run widens it.

    Args:
        a: the first run's sample; failures rank above every success.
        b: the second run's.
        q: strictly between 0 and 1.
        confidence: 0..1.
    """
    first, second = _quantile_estimate(a, q, confidence), _quantile_estimate(b, q, confidence)
    low, high = recovered_interval(first, second)
    known = first.value is not None and second.value is not None
    return Difference(
        name=f"p{q * 100:.10g}_latency",
        unit="ms",
        a=first.value,
        b=second.value,
        value=second.value - first.value
        if known and first.value is not None and second.value is not None
        else None,
        low=low,
        high=high,
        confidence=confidence,
        method="order_statistics_recovered",
        paired=False,
        n_a=a.n,
        n_b=b.n,
        note=None if known else "a run has too few requests for it, or it falls among failures",
    )


def _quantile_estimate(sample: LatencySample, q: float, confidence: float) -> Estimate:
    figure = latency_percentile(sample.latency_ms, failures=sample.failures, q=q)
    bounds = dependent_quantile_interval(sample.arrivals_ms, q=q, confidence=confidence)
    return Estimate(
        value=figure.value_ms,
        low=bounds.low_ms,
        high=bounds.high_ms,
        confidence=confidence,
        method=bounds.method,
        n=sample.n,
    )


def ratio_difference(
    name: str, a: tuple[int, int], b: tuple[int, int], *, confidence: float = DEFAULT_CONFIDENCE
) -> Difference:
    """Difference of two proportions, each (successes, n)."""
    first, second = wilson(*a, confidence), wilson(*b, confidence)
    bounds = recovered_interval(first, second)
    return _difference(name, "ratio", first, second, bounds, method="newcombe_10", paired=False)


def mean_difference(
    name: str,
    unit: str,
    a: Mapping[str, list[float]],
    b: Mapping[str, list[float]],
    *,
    confidence: float = DEFAULT_CONFIDENCE,
    higher_is_worse: bool = True,
) -> Difference:
    """Difference of means, case by case where both runs have the same cases, else of two clustered means.

    Paired: t interval of the per-case differences of case means, over cases. Unpaired: clustered means
    joined by `recovered_interval`.

    Args:
        name: of the figure.
        unit: of the figure.
        a: the first run's values by case (any key that clusters them), finite.
        b: the second run's.
        confidence: 0..1.
        higher_is_worse: False for quality.

    Source: Miller, Adding Error Bars to Evals (2024), section 3 on paired differences.
    """
    first, second = _clustered(a, confidence), _clustered(b, confidence)
    paired = set(a) == set(b) and len(a) >= 2
    if paired:
        first, second, bounds = _paired_means(a, b, first, second)
    else:
        bounds = recovered_interval(first, second)
    return _difference(
        name,
        unit,
        first,
        second,
        bounds,
        method="paired_t" if paired else "cluster_t_recovered",
        paired=paired,
        cases=len(a) if paired else None,
        higher_is_worse=higher_is_worse,
    )


def _paired_means(
    a: Mapping[str, list[float]], b: Mapping[str, list[float]], first: Estimate, second: Estimate
) -> tuple[Estimate, Estimate, tuple[float | None, float | None]]:
    """Means over cases, so that B - A adds up where a run asked some cases more often, and its t interval."""
    means = [np.array([np.mean(side[case]) for case in sorted(a)]) for side in (a, b)]
    changes = means[1] - means[0]
    quantile = float(stdtrit(changes.size - 1, 0.5 + first.confidence / 2))
    half = quantile * float(changes.std(ddof=1)) / math.sqrt(changes.size)
    centre = float(means[1].mean()) - float(means[0].mean())
    runs = [replace(run, value=float(m.mean())) for run, m in zip((first, second), means, strict=True)]
    return runs[0], runs[1], (centre - half, centre + half)


def _clustered(groups: Mapping[str, list[float]], confidence: float) -> Estimate:
    values = [value for case in groups for value in groups[case]]
    names = [case for case in groups for _ in groups[case]]
    return clustered_mean(values, names, confidence=confidence)


def _difference(
    name: str,
    unit: str,
    a: Estimate,
    b: Estimate,
    bounds: tuple[float | None, float | None],
    *,
    method: str,
    paired: bool,
    cases: int | None = None,
    higher_is_worse: bool = True,
) -> Difference:
    value = None if a.value is None or b.value is None else b.value - a.value
    return Difference(
        name=name,
        unit=unit,
        a=a.value,
        b=b.value,
        value=value,
        low=bounds[0],
        high=bounds[1],
        confidence=a.confidence,
        method=method,
        paired=paired,
        n_a=cases or a.n,
        n_b=cases or b.n,
        higher_is_worse=higher_is_worse,
        note=None if value is not None else "unknown in one of the runs",
    )
