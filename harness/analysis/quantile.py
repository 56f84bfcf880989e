"""The one rule for latency percentiles: failures rank above every success, and the interval is honest.

Requests that repeat cases, or follow one another in a slow spell, tell less than as many independent ones.
The interval is that of the effective number of requests: n over the larger of the two inflations.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.dependence import variance_inflations
from harness.analysis.distributions import normal_quantile, t_quantile
from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, Sides, no_estimate
from harness.analysis.moments import Moments, effective_rows, moments_of
from harness.analysis.order_statistics import order_statistic_ranks
from harness.analysis.percentile import min_requests, neighbours

INDEPENDENT = "order_statistic"
CLUSTERED = "order_statistic_clustered"
DEPENDENT = "order_statistic_dependent"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileSample:
    """Latencies of a set of requests, on one clock.

    Attributes:
        arrivals_ms: in arrival order, shape (n,), milliseconds >= 0; infinite where the request failed.
        clusters: number of each request's case, shape (n,); None where no case repeats.
        unknown: answers without a latency on this clock; left out, and said.
    """

    arrivals_ms: NDArray[np.float64]
    clusters: NDArray[np.intp] | None = None
    unknown: int = 0

    @property
    def n(self) -> int:
        """Requests with a known outcome."""
        return int(self.arrivals_ms.size)

    @property
    def failures(self) -> int:
        """Requests that failed."""
        return int(np.isinf(self.arrivals_ms).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Where in the order of n requests a quantile and its bounds stand.

    Attributes:
        below: rank (1-based) at or below the quantile; 0 for an empty sample.
        above: rank at or above it.
        weight: how far from the one to the other, 0..1.
        low: rank of the lower bound; 0 is none.
        high: rank of the upper bound; n + 1 is none.
        method: how the bounds were made.
    """

    q: float
    below: int
    above: int
    weight: float
    low: int
    high: int
    method: str

    @property
    def wanted(self) -> set[int]:
        """The ranks whose latencies are needed."""
        return {self.below, self.above, self.low, self.high}


def inflation_by_case(hits: Moments) -> float:
    """How many requests with repeated cases tell as much about a quantile as one independent request; >= 1.

    Args:
        hits: moments of "at or below the sample's quantile" by case.

    Returns:
        Infinite below two cases, where no spread can be seen; 1.0 where no case repeats.

    Source: Woodruff (1952); Korn and Graubard (1998) for the effective sample size and its correction for
        few clusters, (z / t)^2.
    """
    if not hits.repeats:
        return 1.0
    effective = effective_rows(hits)
    if effective is None or hits.clusters < 2:
        return math.inf
    few = (normal_quantile(0.975) / t_quantile(hits.clusters - 1, 0.975)) ** 2
    return max(1.0, hits.n / (min(effective, hits.n) * few))


def inflation_by_block(hits: Moments) -> float:
    """The same for correlation in time, from moments of the same hits by block of time; >= 1.

    For many requests: spans of time that each hold many of them are the clusters.
    """
    effective = effective_rows(hits)
    if effective is None or hits.clusters < 2 or hits.error == 0.0:
        return 1.0
    return max(1.0, hits.n / effective)


def quantile_ranks(
    n: int,
    q: float,
    *,
    by_case: float = 1.0,
    by_time: float = 1.0,
    confidence: float = DEFAULT_CONFIDENCE,
    sides: Sides = Sides.BOTH,
) -> Ranks:
    """Where the q quantile of n requests and its bounds stand.

    Args:
        n: requests, failures included.
        q: strictly between 0 and 1.
        by_case: inflation by repeated cases, >= 1.
        by_time: inflation by correlation in time, >= 1.
        confidence: 0..1.
        sides: both, or a single bound.
    """
    if n == 0:
        return Ranks(q=q, below=0, above=0, weight=0.0, low=0, high=1, method=INDEPENDENT)
    below, above, weight = neighbours(n, q)
    inflation = max(by_case, by_time)
    if inflation <= 1.0:
        low, high = order_statistic_ranks(n, q, confidence, sides)
        method = INDEPENDENT
    else:
        effective = int(n / inflation)
        low, high = order_statistic_ranks(effective, q, confidence, sides)
        scale = (n + 1) / (effective + 1)
        low, high = math.floor(low * scale), n + 1 if high > effective else math.ceil(high * scale)
        method = CLUSTERED if by_case >= by_time else DEPENDENT
    return Ranks(q=q, below=below + 1, above=above + 1, weight=weight, low=low, high=high, method=method)


def quantile_at(
    ranks: Ranks,
    ms_at: Mapping[int, float],
    *,
    n: int,
    failures: int,
    unknown: int = 0,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Estimate:
    """The estimate from the latencies at its ranks.

    Args:
        ranks: of `quantile_ranks`.
        ms_at: rank (1-based) -> milliseconds, of the answers; ranks above n - failures are failures.
        n: requests, failures included.
        failures: how many of them failed.
        unknown: answers without a latency.
        confidence: as asked of `quantile_ranks`.

    Returns:
        The value is None when n is too small for q or when a neighbouring order statistic is a failure, and
        then `over_limit` is true.
    """
    if n == 0:
        return no_estimate(ranks.method, unknown=unknown, confidence=confidence)
    answers = n - failures
    over_limit = ranks.above > answers
    value = None
    if not over_limit and n >= min_requests(ranks.q):
        low, high = ms_at[ranks.below], ms_at[ranks.above]
        value = low + ranks.weight * (high - low)
    return Estimate(
        value=value,
        low=ms_at[ranks.low] if 1 <= ranks.low <= answers else None,
        high=ms_at[ranks.high] if 1 <= ranks.high <= answers else None,
        confidence=confidence,
        method=ranks.method,
        n=n,
        unknown=unknown,
        over_limit=over_limit,
        low_over_limit=answers < ranks.low <= n,
        high_over_limit=answers < ranks.high <= n,
    )


def quantile_estimates(
    sample: QuantileSample,
    quantiles: Sequence[float],
    *,
    confidence: float = DEFAULT_CONFIDENCE,
    sides: Sides = Sides.BOTH,
) -> tuple[Estimate, ...]:
    """Latency percentiles with their intervals, of a sample in memory.

    Args:
        sample: the latencies.
        quantiles: each strictly between 0 and 1.
        confidence: 0..1, of each.
        sides: both, or a single bound.

    Source: Hyndman and Fan (1996), definition 7, the same as DuckDB's quantile_cont; docs/figures.md for the
        interval.
    """
    return RankedSample(sample).estimates(quantiles, confidence=confidence, sides=sides)


class RankedSample:
    """A sample in memory, sorted once, to be asked for percentiles at several confidences.

    Args:
        sample: the latencies.
    """

    def __init__(self, sample: QuantileSample) -> None:
        self.sample = sample
        self._order = np.argsort(sample.arrivals_ms, kind="stable")
        self._ranked = sample.arrivals_ms[self._order]
        self._failures = sample.failures
        self._inflated: dict[tuple[float, ...], list[tuple[float, float]]] = {}

    def estimates(
        self,
        quantiles: Sequence[float],
        *,
        confidence: float = DEFAULT_CONFIDENCE,
        sides: Sides = Sides.BOTH,
    ) -> tuple[Estimate, ...]:
        """As `quantile_estimates`."""
        n, failures = self.sample.n, self._failures
        found = []
        for q, (by_case, by_time) in zip(quantiles, self._inflations(tuple(quantiles)), strict=True):
            ranks = quantile_ranks(n, q, by_case=by_case, by_time=by_time, confidence=confidence, sides=sides)
            at = {rank: float(self._ranked[rank - 1]) for rank in ranks.wanted if 1 <= rank <= n - failures}
            unknown = self.sample.unknown
            found.append(
                quantile_at(ranks, at, n=n, failures=failures, unknown=unknown, confidence=confidence)
            )
        return tuple(found)

    def _inflations(self, quantiles: tuple[float, ...]) -> list[tuple[float, float]]:
        if quantiles not in self._inflated:
            by_time = variance_inflations(self.sample.arrivals_ms, quantiles)
            self._inflated[quantiles] = [
                (_case_inflation(self.sample, self._order, q), time)
                for q, time in zip(quantiles, by_time, strict=True)
            ]
        return self._inflated[quantiles]


def _case_inflation(sample: QuantileSample, order: NDArray[np.intp], q: float) -> float:
    """By the hits "among the fastest of the cut": equal latencies are told apart by arrival."""
    if sample.clusters is None or not sample.n:
        return 1.0
    hits = np.zeros(sample.n, dtype=np.float64)
    hits[order[: cut_rank(sample.n, q)]] = 1.0
    return inflation_by_case(moments_of(hits, sample.clusters))


def cut_rank(n: int, q: float) -> int:
    """The rank (1-based) whose latency splits the sample for the inflation by case."""
    return min(n, math.floor((n - 1) * q) + 1)
