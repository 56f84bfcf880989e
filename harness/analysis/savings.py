"""What one set of requests saves against another: measured, draft and repair apart, with intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from scipy.special import stdtrit

from harness.analysis.cluster import clustered_mean
from harness.analysis.difference import Difference, mean_difference
from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOutcome:
    """What one request cost.

    Attributes:
        case: what clusters it: the case id, or the request's own id.
        draft_usd: every paid attempt of the draft role; None when unknown.
        repair_usd: the same of the repair role; zero when none ran.
    """

    case: str
    draft_usd: Decimal | None
    repair_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What B saves against A, a request; a negative saving is a loss.

    Attributes:
        total: cost per request, B - A.
        draft: the draft role's part of it.
        repair: the repair role's part.
        saving_ratio: 1 - mean B / mean A, with its interval.
        excluded_a: requests of A left out because their cost is unknown.
        excluded_b: the same of B.
    """

    total: Difference
    draft: Difference
    repair: Difference
    saving_ratio: Estimate
    excluded_a: int
    excluded_b: int


def measured_savings(
    a: Sequence[CostOutcome], b: Sequence[CostOutcome], *, confidence: float = DEFAULT_CONFIDENCE
) -> Savings:
    """Savings of B against A from what both really cost.

    Args:
        a: requests of the dearer or present way.
        b: requests of the other way.
        confidence: of each interval.

    Returns:
        Differences paired by case where both sets have the same cases; rows of unknown cost are excluded
        and counted, never read as free.
    """
    known_a, known_b = _known(a), _known(b)
    parts = {}
    for name in ("cost_per_request", "draft_cost_per_request", "repair_cost_per_request"):
        parts[name] = mean_difference(
            name, "usd", _by_case(known_a, name), _by_case(known_b, name), confidence=confidence
        )
    return Savings(
        total=parts["cost_per_request"],
        draft=parts["draft_cost_per_request"],
        repair=parts["repair_cost_per_request"],
        saving_ratio=saving_ratio(
            _by_case(known_a, "cost_per_request"),
            _by_case(known_b, "cost_per_request"),
            confidence=confidence,
        ),
        excluded_a=len(a) - len(known_a),
        excluded_b=len(b) - len(known_b),
    )


def saving_ratio(
    a: dict[str, list[float]], b: dict[str, list[float]], *, confidence: float = DEFAULT_CONFIDENCE
) -> Estimate:
    """1 - mean(b) / mean(a) with its interval.

    Paired (same cases): the ratio of case means, its error from the residuals b - R a over cases. Else the
    relative errors of the two clustered means add up.

    Returns:
        None where a or b is empty or a costs nothing; no bounds below two cases.

    Source: Cochran, Sampling Techniques (1977), section 2.11, for the ratio estimator.
    """
    paired = set(a) == set(b) and len(a) >= 2
    method = "ratio_paired" if paired else "ratio_delta"
    n = len(a) if paired else sum(map(len, a.values())) + sum(map(len, b.values()))
    means = [
        np.array([_case_mean(side[case]) for case in sorted(side)])
        if paired
        else np.array([value for values in side.values() for value in values])
        for side in (a, b)
    ]
    if not means[0].size or not means[1].size or means[0].mean() <= 0:
        return Estimate(value=None, low=None, high=None, confidence=confidence, method=method, n=n)
    ratio = float(means[1].mean() / means[0].mean())
    half = (
        _paired_half(means[0], means[1], ratio, confidence)
        if paired
        else _delta_half(a, b, ratio, confidence)
    )
    return Estimate(
        value=1.0 - ratio,
        low=None if half is None else 1.0 - ratio - half,
        high=None if half is None else 1.0 - ratio + half,
        confidence=confidence,
        method=method,
        n=n,
    )


def _case_mean(values: list[float]) -> float:
    # most cases have a single request, and NumPy's mean of one value takes longer than all the rest
    return values[0] if len(values) == 1 else float(np.mean(values))


def _paired_half(a: np.ndarray, b: np.ndarray, ratio: float, confidence: float) -> float:
    residuals = b - ratio * a
    error = math.sqrt(float(np.dot(residuals, residuals)) / (a.size * (a.size - 1))) / float(a.mean())
    return float(stdtrit(a.size - 1, 0.5 + confidence / 2)) * error


def _delta_half(
    a: dict[str, list[float]], b: dict[str, list[float]], ratio: float, confidence: float
) -> float | None:
    relative = 0.0
    for side in (a, b):
        values = [value for case in side for value in side[case]]
        mean = clustered_mean(values, [case for case in side for _ in side[case]], confidence=confidence)
        if mean.value is None or mean.high is None or mean.value <= 0:
            return None
        relative += ((mean.high - mean.value) / mean.value) ** 2
    return ratio * math.sqrt(relative)


def _known(rows: Sequence[CostOutcome]) -> list[CostOutcome]:
    return [row for row in rows if row.draft_usd is not None and row.repair_usd is not None]


def _by_case(rows: Sequence[CostOutcome], name: str) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for row in rows:
        draft, repair = row.draft_usd or Decimal(0), row.repair_usd or Decimal(0)
        value = {"draft_cost_per_request": draft, "repair_cost_per_request": repair}.get(name, draft + repair)
        groups.setdefault(row.case, []).append(float(value))
    return groups
