"""Differences between two samples with intervals, from what is known of each alone, or case by case."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.moments import Moments, mean_estimate

RESAMPLES = 2000
SEED = 20240917
"""Fixed: the same two runs always give the same interval."""

MOST_RESAMPLED = 5_000
"""Requests whose cases are resampled for a percentile; with more, both sides' own intervals are narrow."""

_CHUNK_ELEMENTS = 4_000_000
"""Weights held at once: bounds the memory at about 100 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How one figure of B differs from the same of A, whatever the figure.

    Attributes:
        a: the figure of A; a mean over cases when paired.
        b: the figure of B.
        change: b - a with its interval; None is unknown, or no bound on that side.
        paired: cases were compared with themselves.
    """

    a: Estimate
    b: Estimate
    change: Estimate
    paired: bool

    @property
    def significant(self) -> bool:
        """The interval excludes no difference."""
        low, high = self.change.low, self.change.high
        return (low is not None and low > 0) or (high is not None and high < 0)


def recovered(a: Estimate, b: Estimate, *, method: str = "recovered") -> Shift:
    """B - A from the intervals of A and B, which need be neither symmetric nor of one kind.

    low = (b - a) - sqrt((b - b_low)^2 + (a_high - a)^2), and high likewise.

    Source: Zou and Donner (2008), the method of variance estimates recovery; for proportions with Wilson
        intervals it is method 10 of Newcombe (1998).
    """
    value = low = high = None
    if a.value is not None and b.value is not None:
        value = b.value - a.value
        if b.low is not None and a.high is not None:
            low = value - math.hypot(b.value - b.low, a.high - a.value)
        if b.high is not None and a.low is not None:
            high = value + math.hypot(b.high - b.value, a.value - a.low)
    change = Estimate(
        value=value, low=low, high=high, confidence=a.confidence, method=method, n=min(a.n, b.n)
    )
    return Shift(a=a, b=b, change=change, paired=False)


def paired_means(a: Moments, b: Moments, change: Moments, *, confidence: float = DEFAULT_CONFIDENCE) -> Shift:
    """B - A case by case: the t interval of the cases' differences.

    Args:
        a: moments of A's case means, a case counting once.
        b: the same of B, of the same cases.
        change: the same of B's case means minus A's.
        confidence: 0..1.

    Source: Miller, Adding Error Bars to Evals (2024), section 3 on paired differences.
    """
    first, second, difference = (mean_estimate(side, confidence=confidence) for side in (a, b, change))
    return Shift(a=first, b=second, change=_named(difference, "paired_t"), paired=True)


def saving_from(means: Moments, *, confidence: float = DEFAULT_CONFIDENCE) -> Estimate:
    """1 - B / A of paired case means: u is B's mean of a case, v is A's.

    Returns:
        None where A costs nothing; no bounds below two cases.

    Source: Cochran, Sampling Techniques (1977), section 2.11, for the ratio estimator.
    """
    return _one_minus(mean_estimate(means, confidence=confidence), "ratio_paired")


def saving_between(a: Estimate, b: Estimate) -> Estimate:
    """1 - B / A of two independent means: their relative errors add up.

    Returns:
        None where A costs nothing or either is unknown; no bounds where one of them has none.

    Source: Cochran, Sampling Techniques (1977), section 2.11, the delta method.
    """
    value = low = high = None
    if a.value is not None and b.value is not None and a.value > 0:
        ratio = b.value / a.value
        value = 1.0 - ratio
        if a.high is not None and b.high is not None and b.value > 0:
            half = ratio * math.hypot((a.high - a.value) / a.value, (b.high - b.value) / b.value)
            low, high = value - half, value + half
    return Estimate(
        value=value, low=low, high=high, confidence=a.confidence, method="ratio_delta", n=min(a.n, b.n)
    )


def _one_minus(ratio: Estimate, method: str) -> Estimate:
    turned = ratio.negated()
    return Estimate(
        value=None if turned.value is None else 1.0 + turned.value,
        low=None if turned.low is None else 1.0 + turned.low,
        high=None if turned.high is None else 1.0 + turned.high,
        confidence=ratio.confidence,
        method=method,
        n=ratio.n,
    )


def _named(estimate: Estimate, method: str) -> Estimate:
    return Estimate(
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        confidence=estimate.confidence,
        method=method,
        n=estimate.n,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLatencies:
    """Latencies with their cases: `ms`, shape (n,), infinite where failed; `cases`, numbers 0 .. k - 1."""

    ms: NDArray[np.float64]
    cases: NDArray[np.intp]


def resampled_shifts(
    a: CaseLatencies, b: CaseLatencies, quantiles: Sequence[float]
) -> dict[float, NDArray[np.float64]]:
    """B's quantiles minus A's in resamples of whole cases, the same cases in both.

    Args:
        a: the first sample; both have the same cases by the same numbers.
        b: the second.
        quantiles: each strictly between 0 and 1.

    Returns:
        q -> the shifts, ascending, shape (RESAMPLES,); infinite among failures.

    Source: Efron and Tibshirani (1993), chapter 13; resampling clusters, Davison and Hinkley (1997),
        section 3.8.
    """
    count = int(max(a.cases.max(), b.cases.max())) + 1
    rng = np.random.default_rng(SEED)
    chosen = rng.multinomial(count, np.full(count, 1.0 / count), size=RESAMPLES)
    with np.errstate(invalid="ignore"):
        shifts = _weighted_quantiles(b, chosen, quantiles) - _weighted_quantiles(a, chosen, quantiles)
    ranked = np.sort(np.where(np.isnan(shifts), np.inf, shifts), axis=1)
    return dict(zip(quantiles, ranked, strict=True))


def with_resampled(plain: Shift, shifts: NDArray[np.float64], cases: int) -> Shift:
    """`plain` with the percentile-bootstrap interval at its confidence; its figures stay.

    Args:
        plain: the unpaired difference.
        shifts: of `resampled_shifts`.
        cases: how many were resampled.

    Returns:
        A bound among failures is None.
    """
    tail = (1.0 - plain.change.confidence) / 2.0
    low = float(shifts[int(np.floor(tail * (RESAMPLES - 1)))])
    high = float(shifts[int(np.ceil((1.0 - tail) * (RESAMPLES - 1)))])
    change = Estimate(
        value=plain.change.value,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        confidence=plain.change.confidence,
        method="case_bootstrap",
        n=cases,
    )
    return Shift(a=plain.a, b=plain.b, change=change, paired=True)


def _weighted_quantiles(
    side: CaseLatencies, chosen: NDArray[np.int64], quantiles: Sequence[float]
) -> NDArray[np.float64]:
    """Each quantile (definition 7) of each resample: every value counted as often as its case was drawn.

    Returns:
        Shape (quantiles, resamples).
    """
    order = np.argsort(side.ms, kind="stable")
    values, cases = side.ms[order], side.cases[order]
    found: list[NDArray[np.float64]] = []
    step = max(1, _CHUNK_ELEMENTS // max(1, values.size))
    for start in range(0, chosen.shape[0], step):
        reached = np.cumsum(chosen[start : start + step][:, cases], axis=1)
        found.append(np.stack([_at(values, reached, q) for q in quantiles]))
    return np.concatenate(found, axis=1)


def _at(values: NDArray[np.float64], reached: NDArray[np.int64], q: float) -> NDArray[np.float64]:
    """The q quantile of each resample, from how many of its values reach each place of the order."""
    position = (reached[:, -1] - 1) * q
    below = np.floor(position)
    low, high = (
        values[np.minimum((reached <= rank[:, None]).sum(axis=1), values.size - 1)]
        for rank in (below, np.ceil(position))
    )
    with np.errstate(invalid="ignore"):
        between = low + (position - below) * (high - low)
    found: NDArray[np.float64] = np.where(position > below, between, low)
    return found


def holm_decided(
    shifts_at: Callable[[float], Sequence[Shift]], confidence: float = DEFAULT_CONFIDENCE
) -> list[Shift]:
    """Each difference with the interval at which Holm's procedure decided it.

    Step down: with k differences undecided, those whose interval at 1 - (1 - confidence) / k excludes zero
    are significant; repeat with the rest until none is. The others keep the last interval. Intervals are
    nested in their confidence, so this decides as the ordered p-values do.

    Args:
        shifts_at: all differences, in one order, with intervals at the given confidence.
        confidence: 1 - the chance that any verdict "significant" is wrong.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    known = [index for index, found in enumerate(shifts_at(confidence)) if found.change.value is not None]
    open_ones, decided = set(known), dict[int, Shift]()
    while True:
        now = shifts_at(1.0 - (1.0 - confidence) / max(1, len(open_ones)))
        fresh = {index for index in open_ones if now[index].significant}
        decided |= {index: now[index] for index in fresh}
        open_ones -= fresh
        if not fresh or not open_ones:
            return [decided.get(index, found) for index, found in enumerate(now)]
