"""The figures of an evaluation, strategy by strategy: never over several at once.

Repeats of a case are not new cases: every interval is clustered by case.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from harness.analysis.cluster import (
    clustered_mean,
    clustered_quantile_interval,
    clustered_ratio,
    clustered_share,
)
from harness.analysis.difference import Difference, mean_difference
from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.percentile import latency_percentile
from harness.analysis.power import cases_for_difference
from harness.analysis.sample import RunFacts, case_of, counted, latency_sample, provider_mode, request_latency
from harness.pricing import PriceBook
from harness.records import Call, Grade, ProviderMode, Request, RequestStatus, RunStatus, Tier
from harness.report.answers import answer_notes, is_untimed
from harness.report.failures import answered, failure_notes
from harness.report.grading import GradingFigures, grading_figures
from harness.report.savings import MeasuredSaving, SavingsSide, cost_outcomes, savings_report, savings_sides

MARGIN = 0.02
"""A strategy that is surely not worse by more than this many points of score is called not worse."""
SAME_COST = 0.05
"""An interval of the saving no wider than this to either side, with 0 in it, is called about the same."""
NOTEWORTHY = 0.05
"""The difference that the power note speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileFigure:
    """A latency percentile with an interval clustered by case; None is unknown or among failures."""

    q: float
    value_ms: float | None
    low_ms: float | None
    high_ms: float | None
    over_limit: bool
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyFigures:
    """What one strategy came to.

    Attributes:
        planned: requests it was to make; None when the run does not say.
        tiers: share of the graded answers by tier. graded: how many those are.
        cost_per_high: what all of it cost for each high-tier answer, failures included.
        unpriced: requests of unknown cost, left out of the cost figures.
    """

    strategy: str
    planned: int | None
    requests: int
    ok: int
    graded: int
    cases: int
    repaired: Estimate
    failed: Estimate
    tiers: dict[Tier, Estimate]
    score: Estimate
    p50: QuantileFigure
    p95: QuantileFigure
    cost_per_request: Estimate
    cost_per_high: Estimate
    total_usd: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyComparison:
    """One strategy against the first, over the cases that both have.

    Attributes:
        confidence: of each interval; all comparisons of the run hold together at 95% (Bonferroni).
        verdict: in one sentence.
        power: how many cases a noteworthy difference needs; None without spread.
        is_comparable: False where a side answered nothing: then there is no saving to speak of.
    """

    first: str
    other: str
    cases: int
    confidence: float
    score: Difference
    high: Difference
    saving: MeasuredSaving
    verdict: str
    power: str | None
    is_comparable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFigures:
    """An evaluation in figures.

    Attributes:
        caution: why they are not those of the whole run; None for a complete one.
        latency_note: on which clock the latencies stand, when it is not the real one.
        answer_notes: what must be said of batched and cached answers.
        failures: why requests failed, strategy by strategy.
    """

    run: RunFacts
    mode: ProviderMode | None
    planned: int | None
    caution: str | None
    latency_note: str | None
    answer_notes: tuple[str, ...]
    strategies: tuple[StrategyFigures, ...]
    comparisons: tuple[StrategyComparison, ...]
    grading: GradingFigures = field(default_factory=GradingFigures)
    failures: tuple[str, ...] = ()


def is_evaluation(requests: Sequence[Request]) -> bool:
    """True when the requests belong to several strategies, so that no figure may span them all."""
    return len({row.strategy for row in requests if not row.warmup}) > 1


def evaluation_figures(
    run: RunFacts,
    requests: Sequence[Request],
    calls: Sequence[Call],
    book: PriceBook | None = None,
    *,
    grades: Sequence[Grade] = (),
) -> EvaluationFigures:
    """The figures of every strategy, and of each further one against the first.

    Args:
        run: a stored run, or one from a report file.
        requests: of the run.
        calls: its attempts.
        book: prices; None loads the shipped ones.
        grades: what graders and judges said.
    """
    sides = savings_sides(run, requests, calls)
    planned = run.config.get("planned")
    count = len(run.config.get("strategies") or sides) or 1
    each = None if planned is None else int(planned) // count
    confidence = 1 - (1 - DEFAULT_CONFIDENCE) / max(1, len(sides) - 1)
    savings = savings_report(sides, book or PriceBook.load(), confidence=confidence).savings
    return EvaluationFigures(
        run=run,
        mode=provider_mode(requests, run),
        planned=None if planned is None else int(planned),
        caution=_caution(run, len(requests), planned),
        latency_note=None if is_untimed(calls) else _latency_note(run),
        answer_notes=answer_notes(calls),
        strategies=tuple(strategy_figures(side, each) for side in sides),
        comparisons=tuple(_comparison(saving, confidence) for saving in savings),
        grading=grading_figures(run, requests, calls, grades),
        failures=failure_notes(requests),
    )


def _caution(run: RunFacts, requests: int, planned: int | None) -> str | None:
    if run.status in (RunStatus.COMPLETED, RunStatus.STOPPED_EARLY):
        return None
    of = "" if planned is None else f" of {planned:,} planned"
    why = {
        RunStatus.TRUNCATED: "TRUNCATED by its budget",
        RunStatus.INTERRUPTED: "INTERRUPTED",
        RunStatus.RUNNING: "STILL RUNNING",
    }.get(run.status, run.status.value.upper())
    return f"{why}: every figure is over the {requests:,} requests that were finished{of}"


def emulator_speed(run: RunFacts) -> float:
    """What the providers' part of the run's latencies was divided by; 1 for their own pace."""
    return float(run.config.get("emulator_speed") or 1.0)


def _latency_note(run: RunFacts) -> str | None:
    speed = emulator_speed(run)
    if speed == 1.0:
        return None
    return (
        f"latencies are emulated at speed x{speed:g}: the providers' part is divided by that, "
        "this machine's own is not"
    )


def strategy_figures(
    side: SavingsSide, planned: int | None = None, *, confidence: float = DEFAULT_CONFIDENCE
) -> StrategyFigures:
    """What one side came to; every interval is clustered by case.

    Args:
        side: the requests of one run and strategy.
        planned: requests it was to make; None when unknown.
        confidence: of each interval.
    """
    rows = list(side.requests)
    ok = [row for row in rows if row.status is RequestStatus.OK]
    graded = [row for row in ok if row.quality_tier is not None]
    outcomes = cost_outcomes(rows, side.calls)
    known = [
        (row, outcome, (outcome.draft_usd or Decimal(0)) + (outcome.repair_usd or Decimal(0)))
        for row, outcome in zip(counted(rows), outcomes, strict=True)
        if outcome.draft_usd is not None
    ]
    costs = [float(cost) for _, _, cost in known]
    clusters = [outcome.case for _, outcome, _ in known]

    def share(hits: Sequence[bool], of: Sequence[Request]) -> Estimate:
        return clustered_share(hits, [case_of(row) for row in of], confidence=confidence)

    return StrategyFigures(
        strategy=side.strategy or "(none)",
        planned=planned,
        requests=len(rows),
        ok=len(ok),
        graded=len(graded),
        cases=len({case_of(row) for row in rows}),
        repaired=share([row.repair_source is not None for row in ok], ok),
        failed=share([row.status is not RequestStatus.OK for row in rows], rows),
        tiers={tier: share([row.quality_tier is tier for row in graded], graded) for tier in Tier},
        score=clustered_mean(
            [row.quality_score or 0.0 for row in graded],
            [case_of(row) for row in graded],
            confidence=confidence,
        ),
        p50=clustered_quantile(rows, 0.5, confidence),
        p95=clustered_quantile(rows, 0.95, confidence),
        cost_per_request=clustered_mean(costs, clusters, confidence=confidence),
        cost_per_high=clustered_ratio(
            costs,
            [float(row.quality_tier is Tier.HIGH) for row, _, _ in known],
            clusters,
            confidence=confidence,
        ),
        total_usd=sum((cost for _, _, cost in known), Decimal(0)),
        unpriced=len(rows) - len(known),
    )


def clustered_quantile(
    rows: Sequence[Request], q: float, confidence: float = DEFAULT_CONFIDENCE
) -> QuantileFigure:
    """A latency percentile with bounds clustered by case; failures rank above every success."""
    source = latency_sample(rows).source
    known_ms = [(row, request_latency(row, source)) for row in rows]
    timed = [(row, ms) for row, ms in known_ms if row.status is not RequestStatus.OK or ms is not None]
    answered_ms = [ms for row, ms in known_ms if row.status is RequestStatus.OK]
    if answered_ms and all(ms is None for ms in answered_ms):
        timed = []  # nobody timed the answers: a failure ranks above nothing that is known
    latency = np.array([math.inf if ms is None else ms for _, ms in timed], dtype=np.float64)
    finite = latency[np.isfinite(latency)]
    found = latency_percentile(finite, failures=latency.size - finite.size, q=q)
    bounds = clustered_quantile_interval(
        latency, [case_of(row) for row, _ in timed], q=q, confidence=confidence
    )
    known = found.value_ms is not None
    return QuantileFigure(
        q=q,
        value_ms=found.value_ms,
        low_ms=bounds.low_ms if known else None,
        high_ms=bounds.high_ms if known else None,
        over_limit=found.over_limit,
        n=found.n,
    )


def _comparison(saving: MeasuredSaving, confidence: float) -> StrategyComparison:
    a, b = _paired_rows(saving.a.requests, saving.b.requests)
    score = mean_difference(
        "quality_score", "score", _scores(a), _scores(b), confidence=confidence, higher_is_worse=False
    )
    high = mean_difference(
        "high_tier", "ratio", _highs(a), _highs(b), confidence=confidence, higher_is_worse=False
    )
    other = saving.b.strategy or saving.b.label
    silent = [side.strategy or side.label for side in (saving.a, saving.b) if not answered(side.requests)]
    return StrategyComparison(
        first=saving.a.strategy or saving.a.label,
        other=other,
        cases=len(_scores(a)) if score.paired else 0,
        confidence=confidence,
        score=score,
        high=high,
        saving=saving,
        verdict=f"{other} cannot be compared: {' and '.join(silent)} answered no request"
        if silent
        else f"{other} {_quality_words(score)}, and {_saving_words(saving)}",
        is_comparable=not silent,
        power=_power_note(score, _scores(a), _scores(b)),
    )


def _paired_rows(a: Sequence[Request], b: Sequence[Request]) -> tuple[list[Request], list[Request]]:
    """Graded answers of the cases that both have."""
    graded = [
        [row for row in rows if row.status is RequestStatus.OK and row.quality_score is not None]
        for rows in (a, b)
    ]
    shared = {case_of(row) for row in graded[0]} & {case_of(row) for row in graded[1]}
    if not shared:
        return graded[0], graded[1]
    first, second = ([row for row in rows if case_of(row) in shared] for rows in graded)
    return first, second


def _quality_words(score: Difference) -> str:
    if score.value is None or score.low is None or score.high is None:
        return "cannot be judged on quality"
    points, sure = 100 * score.value, "95% sure"
    margin = f"{100 * MARGIN:g} points"
    if score.low > 0:
        return f"is better by {points:.1f} points ({_points(score)}), {sure}"
    if score.high < 0:
        small = f", though by less than {margin}" if score.low > -MARGIN else ""
        return f"is worse by {-points:.1f} points ({_points(score)}), {sure}{small}"
    if score.low > -MARGIN:
        return f"is not worse by more than {margin}, {sure}"
    return f"cannot be told apart in quality yet ({_points(score)} points)"


def _points(score: Difference) -> str:
    return f"{100 * (score.low or 0):+.1f} to {100 * (score.high or 0):+.1f}"


def _saving_words(saving: MeasuredSaving) -> str:
    ratio = saving.ratio
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return "its saving is unknown"
    half = (ratio.high - ratio.low) / 2
    spread = f"{abs(ratio.value):.1%} +- {half:.1%}"
    if ratio.low > 0:
        return f"saves {spread}"
    if ratio.high < 0:
        return f"costs {spread} more"
    if half <= SAME_COST:
        return f"costs about the same ({-ratio.value:+.1%} +- {half:.1%})"
    return f"whether it saves cannot be told yet (a saving of {ratio.low:.0%} to {ratio.high:.0%})"


def _power_note(score: Difference, a: dict[str, list[float]], b: dict[str, list[float]]) -> str | None:
    if not score.paired:
        return None
    changes = [float(np.mean(b[case]) - np.mean(a[case])) for case in a]
    spread = float(np.std(changes, ddof=1)) if len(changes) > 1 else 0.0
    if spread <= 0:
        return None
    needed = cases_for_difference(NOTEWORTHY, spread)
    enough = "this run has" if len(changes) >= needed else "this run has only"
    return (
        f"to see a {100 * NOTEWORTHY:g}-point difference from the first strategy (80% power): "
        f"{needed:,} cases; {enough} {len(changes):,}"
    )


def _scores(rows: Sequence[Request]) -> dict[str, list[float]]:
    return _by_case(rows, [row.quality_score or 0.0 for row in rows])


def _highs(rows: Sequence[Request]) -> dict[str, list[float]]:
    return _by_case(rows, [float(row.quality_tier is Tier.HIGH) for row in rows])


def _by_case(rows: Sequence[Request], values: Sequence[float]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for row, value in zip(rows, values, strict=True):
        groups.setdefault(case_of(row), []).append(value)
    return groups
