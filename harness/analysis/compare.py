"""Two runs side by side: is B slower, dearer, worse or less reliable than A, and how sure is that?"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.bootstrap import paired_quantile_difference
from harness.analysis.dependence import variance_inflation
from harness.analysis.difference import (
    Difference,
    mean_difference,
    quantile_difference,
    ratio_difference,
)
from harness.analysis.interval import DEFAULT_CONFIDENCE
from harness.analysis.sample import LatencySample, case_of, counted, latency_sample, request_costs
from harness.records import Call, Request, RequestStatus

QUANTILES = (0.5, 0.95, 0.99)

MIN_CASES_FOR_PAIRING = 10
"""Fewer cases than this say too little about the spread between cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All figures of B against A.

    Attributes:
        differences: one a figure, in reading order.
        paired: the two runs have the same cases, and means are compared case by case.
        confidence: of each interval by itself.
        problem: why the two should not be compared, else None.
    """

    differences: tuple[Difference, ...]
    paired: bool
    confidence: float
    problem: str | None = None

    def named(self, name: str) -> Difference | None:
        """The difference of that name."""
        return next((found for found in self.differences if found.name == name), None)


def compare_runs(
    a: Sequence[Request],
    b: Sequence[Request],
    *,
    a_calls: Sequence[Call] = (),
    b_calls: Sequence[Call] = (),
    confidence: float = DEFAULT_CONFIDENCE,
) -> Comparison:
    """Differences B - A of p50, p95, p99, error ratio, cost and quality score.

    Latency percentiles are compared case by case (bootstrap over cases) when both runs have the same cases
    and no correlation in time; else from each run's own interval. Means are paired whenever cases match.

    Args:
        a: requests of the first run, warm-ups included (they are left out).
        b: requests of the second.
        a_calls: attempts of the first, for the cost of failed requests.
        b_calls: attempts of the second.
        confidence: of each interval by itself.
    """
    rows_a, rows_b = counted(a), counted(b)
    sample_a, sample_b = latency_sample(a), latency_sample(b)
    paired = _same_cases(rows_a, rows_b)
    differences = _latency_differences(
        rows_a, rows_b, sample_a, sample_b, paired=paired, confidence=confidence
    )
    differences.append(
        ratio_difference("error_ratio", _failed(rows_a), _failed(rows_b), confidence=confidence)
    )
    differences.append(
        mean_difference(
            "cost_per_request",
            "usd",
            costs_by_case(a, a_calls),
            costs_by_case(b, b_calls),
            confidence=confidence,
        )
    )
    differences.append(
        mean_difference(
            "quality_score",
            "score",
            scores_by_case(rows_a),
            scores_by_case(rows_b),
            confidence=confidence,
            higher_is_worse=False,
        )
    )
    return Comparison(
        differences=tuple(differences),
        paired=paired,
        confidence=confidence,
        problem=_problem(sample_a, sample_b),
    )


def _latency_differences(
    rows_a: Sequence[Request],
    rows_b: Sequence[Request],
    sample_a: LatencySample,
    sample_b: LatencySample,
    *,
    paired: bool,
    confidence: float,
) -> list[Difference]:
    found: list[Difference] = []
    for q in QUANTILES:
        plain = quantile_difference(sample_a, sample_b, q=q, confidence=confidence)
        calm = max(variance_inflation(s.arrivals_ms, q) for s in (sample_a, sample_b)) <= 1.0
        bounded = plain.low is not None and plain.high is not None
        if paired and calm and bounded and not (sample_a.unknown or sample_b.unknown):
            found.append(paired_quantile_difference(plain, rows_a, rows_b, q=q, source=sample_a.source))
        else:
            found.append(plain)
    return found


def _same_cases(a: Sequence[Request], b: Sequence[Request]) -> bool:
    cases_a, cases_b = {row.case_id for row in a}, {row.case_id for row in b}
    return None not in cases_a and cases_a == cases_b and len(cases_a) >= MIN_CASES_FOR_PAIRING


def _problem(a: LatencySample, b: LatencySample) -> str | None:
    if not a.n or not b.n:
        return "one of the runs has no requests"
    if a.source is not b.source:
        return "one run's latencies are client-side, the other's server-side"
    return None


def _failed(rows: Sequence[Request]) -> tuple[int, int]:
    return sum(row.status is not RequestStatus.OK for row in rows), len(rows)


def costs_by_case(requests: Sequence[Request], calls: Sequence[Call]) -> dict[str, list[float]]:
    """USD of the counted requests by case; those of unknown cost are left out."""
    groups: dict[str, list[float]] = {}
    for row, cost in zip(counted(requests), request_costs(requests, calls), strict=True):
        if cost is not None:
            groups.setdefault(case_of(row), []).append(float(cost))
    return groups


def scores_by_case(rows: Sequence[Request]) -> dict[str, list[float]]:
    """Quality scores of the graded answers by case."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        if row.status is RequestStatus.OK and row.quality_score is not None:
            groups.setdefault(case_of(row), []).append(row.quality_score)
    return groups
