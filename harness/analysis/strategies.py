"""Strategies held against a first one: paired differences whose verdicts hold together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.analysis.bootstrap import paired_quantile_difference
from harness.analysis.cluster import clustered_quantile_interval, clustered_share
from harness.analysis.compare import MIN_CASES_FOR_PAIRING, Comparison, costs_by_case, scores_by_case
from harness.analysis.dependence import variance_inflation
from harness.analysis.difference import (
    Difference,
    mean_difference,
    quantile_difference,
    recovered_interval,
)
from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.sample import LatencySample, case_of, counted, latency_sample, request_latency
from harness.records import Call, Request, RequestStatus, Tier

QUANTILES = (0.5, 0.95)
MOST_RESAMPLED = 5_000
"""Requests whose cases are resampled for a percentile; with more, both sides' own intervals are narrow."""

Rows = tuple[Sequence[Request], Sequence[Call]]
"""Requests and their attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """One strategy against the first.

    Attributes:
        comparison: its differences; each says at which confidence it was decided.
        cases: that both have and are compared; 0 when the two were compared unpaired.
        cases_left_out: that only one of them has.
    """

    comparison: Comparison
    cases: int
    cases_left_out: int


def compare_strategies(
    first: Rows, others: Sequence[Rows], *, confidence: float = DEFAULT_CONFIDENCE
) -> list[Paired]:
    """Differences of every other strategy to the first: cost, p50, p95, score, high tier, errors.

    Cases that both have are compared with themselves where there are ten or more; the rest is left out and
    counted. All verdicts of all strategies hold together with `confidence` (Holm).

    Args:
        first: the strategy to hold the others against.
        others: one pair of requests and attempts a strategy.
        confidence: of all verdicts together.
    """
    matched = [_matched(first, other) for other in others]

    def at(level: float) -> list[Difference]:
        return [found for a, b, shared, _ in matched for found in _differences(a, b, shared > 0, level)]

    decided = holm_decided(at, confidence)
    each = len(decided) // max(1, len(matched))
    return [
        Paired(
            comparison=Comparison(
                differences=tuple(decided[index * each : (index + 1) * each]),
                paired=shared > 0,
                confidence=confidence,
            ),
            cases=shared,
            cases_left_out=left_out,
        )
        for index, (_, _, shared, left_out) in enumerate(matched)
    ]


def holm_decided(
    differences_at: Callable[[float], Sequence[Difference]], confidence: float = DEFAULT_CONFIDENCE
) -> list[Difference]:
    """Each difference with the interval at which Holm's procedure decided it.

    Step down: with k differences undecided, those whose interval at 1 - (1 - confidence) / k excludes zero
    are significant; repeat with the rest until none is. The others keep the last interval. Intervals are
    nested in their confidence, so this decides as the ordered p-values do.

    Args:
        differences_at: all differences, in one order, with intervals at the given confidence.
        confidence: 1 - the chance that any verdict "significant" is wrong.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    known = [index for index, found in enumerate(differences_at(confidence)) if found.value is not None]
    open_ones, decided = set(known), dict[int, Difference]()
    while True:
        now = differences_at(1.0 - (1.0 - confidence) / max(1, len(open_ones)))
        fresh = {index for index in open_ones if now[index].significant}
        decided |= {index: now[index] for index in fresh}
        open_ones -= fresh
        if not fresh or not open_ones:
            return [decided.get(index, found) for index, found in enumerate(now)]


def _matched(first: Rows, other: Rows) -> tuple[Rows, Rows, int, int]:
    """Both restricted to the cases they share, how many those are, and how many are left out."""
    cases = [{row.case_id for row in counted(rows)} for rows, _ in (first, other)]
    shared = {case for case in cases[0] & cases[1] if case is not None}
    if len(shared) < MIN_CASES_FOR_PAIRING:
        return first, other, 0, 0
    a, b = ((_of_cases(rows, shared), calls) for rows, calls in (first, other))
    return a, b, len(shared), len(cases[0] ^ cases[1])


def _of_cases(rows: Sequence[Request], cases: set[str]) -> list[Request]:
    return [row for row in counted(rows) if row.case_id in cases]


def _differences(a: Rows, b: Rows, paired: bool, confidence: float) -> list[Difference]:  # noqa: FBT001 - private
    rows_a, rows_b = counted(a[0]), counted(b[0])
    graded_a, graded_b = _graded(rows_a), _graded(rows_b)
    return [
        _shared_mean("cost_per_request", "usd", costs_by_case(*a), costs_by_case(*b), confidence),
        *(_quantile(rows_a, rows_b, q, paired, confidence) for q in QUANTILES),
        replace(
            _shared_mean(
                "quality_score", "score", scores_by_case(rows_a), scores_by_case(rows_b), confidence
            ),
            higher_is_worse=False,
        ),
        replace(
            _share(
                "high_tier",
                _by_case(graded_a, [row.quality_tier is Tier.HIGH for row in graded_a]),
                _by_case(graded_b, [row.quality_tier is Tier.HIGH for row in graded_b]),
                confidence,
            ),
            higher_is_worse=False,
        ),
        _share(
            "error_ratio",
            _by_case(rows_a, [row.status is not RequestStatus.OK for row in rows_a]),
            _by_case(rows_b, [row.status is not RequestStatus.OK for row in rows_b]),
            confidence,
        ),
    ]


def _graded(rows: Sequence[Request]) -> list[Request]:
    return [row for row in rows if row.status is RequestStatus.OK and row.quality_tier is not None]


def _by_case(rows: Sequence[Request], hits: Sequence[bool]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for row, hit in zip(rows, hits, strict=True):
        groups.setdefault(case_of(row), []).append(float(hit))
    return groups


def _shared_mean(
    name: str, unit: str, a: Mapping[str, list[float]], b: Mapping[str, list[float]], confidence: float
) -> Difference:
    """The difference of means; a case that is unknown on one side is left out on both, so that pairs stay."""
    shared = set(a) & set(b)
    if len(shared) >= MIN_CASES_FOR_PAIRING:
        a, b = ({case: side[case] for case in side if case in shared} for side in (a, b))
    return mean_difference(name, unit, a, b, confidence=confidence)


def _share(
    name: str, a: Mapping[str, list[float]], b: Mapping[str, list[float]], confidence: float
) -> Difference:
    """The difference of shares; where the cases show no spread, from each side's own Wilson interval."""
    found = _shared_mean(name, "ratio", a, b, confidence)
    if not found.paired or found.low != found.high:
        return found
    sides = [_wilson(side, confidence) for side in (a, b)]
    low, high = recovered_interval(*sides)
    return replace(found, low=low, high=high, method="cluster_wilson_recovered")


def _wilson(groups: Mapping[str, list[float]], confidence: float) -> Estimate:
    names = [case for case, values in groups.items() for _ in values]
    return clustered_share(
        [value > 0 for values in groups.values() for value in values], names, confidence=confidence
    )


def _quantile(
    a: Sequence[Request],
    b: Sequence[Request],
    q: float,
    paired: bool,  # noqa: FBT001 - private
    confidence: float,
) -> Difference:
    """By case where the latencies are not correlated in time; else by what widens each side's interval."""
    samples = latency_sample(a), latency_sample(b)
    plain = quantile_difference(*samples, q=q, confidence=confidence)
    if samples[0].source is not samples[1].source:
        note = "one side's latencies are client-side, the other's server-side"
        return replace(plain, value=None, low=None, high=None, note=note)
    if plain.value is None or max(variance_inflation(s.arrivals_ms, q) for s in samples) > 1.0:
        return plain
    bounded = plain.low is not None and plain.high is not None
    few = max(len(a), len(b)) <= MOST_RESAMPLED
    if paired and bounded and few and not (samples[0].unknown or samples[1].unknown):
        return paired_quantile_difference(plain, a, b, q=q, source=samples[0].source)
    low, high = recovered_interval(
        _clustered_quantile(a, samples[0], plain.a, q, confidence),
        _clustered_quantile(b, samples[1], plain.b, q, confidence),
    )
    return replace(plain, low=low, high=high, method="order_statistics_clustered_recovered")


def _clustered_quantile(
    rows: Sequence[Request], sample: LatencySample, value: float | None, q: float, confidence: float
) -> Estimate:
    names = [
        case_of(row)
        for row in rows
        if row.status is not RequestStatus.OK or request_latency(row, sample.source) is not None
    ]
    found = clustered_quantile_interval(sample.arrivals_ms, names, q=q, confidence=confidence)
    return Estimate(
        value=value,
        low=found.low_ms,
        high=found.high_ms,
        confidence=confidence,
        method=found.method,
        n=found.n,
    )
