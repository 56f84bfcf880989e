"""An evaluation in figures, strategy by strategy: never over several at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.power import cases_for_difference
from harness.figures.answers import answer_notes, asked_by_context, is_untimed
from harness.figures.catalogue import all_figures
from harness.figures.declaration import Figure
from harness.figures.differences import Differences, Pair, compared
from harness.figures.failures import failure_notes
from harness.figures.grading import UNNAMED, GradingFigures, grading_figures
from harness.figures.measure import Figures, measure_all
from harness.figures.selection import Rows
from harness.figures.sides import Side, mode_of, sides_of, whole_side
from harness.records import ProviderMode, RunConfig, RunStatus
from harness.store import Snapshot
from harness.store.database.typed import StoredRun

COMPARED = ("quality_score", "high_tier", "cost_per_request")
"""What each further strategy is compared with the first by; all their verdicts hold together."""

MARGIN = 0.02
"""A strategy that is surely not worse by more than this many points of score is called not worse."""
SAME_COST = 0.05
"""An interval of the saving no wider than this to either side, with 0 in it, is called about the same."""
NOTEWORTHY = 0.05
"""The difference that the power note speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyFigures:
    """What one strategy came to.

    Attributes:
        planned: requests it was to make; None when the run does not say.
        graded: answers with a tier.
        figures: every declared figure by name.
        total_usd: of the requests of known cost.
        unpriced: requests of unknown cost, left out of the cost figures.
    """

    strategy: str
    planned: int | None
    requests: int
    ok: int
    graded: int
    cases: int
    figures: Figures
    total_usd: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyComparison:
    """One strategy against the first, over the cases that both have.

    Attributes:
        found: the differences, each with the interval at which it was decided, and the saving.
        verdict: in one sentence.
        power: how many cases a noteworthy difference needs; None without spread.
        is_comparable: False where a side answered nothing: then there is no saving to speak of.
    """

    first: str
    other: str
    found: Differences
    verdict: str
    power: str | None
    is_comparable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFigures:
    """An evaluation in figures.

    Attributes:
        declared: the figures of each strategy, in reading order.
        caution: why they are not those of the whole run; None for a complete one.
        latency_note: on which clock the latencies stand, when it is not the real one.
        answer_notes: what must be said of batched and cached answers.
        failures: why requests failed, strategy by strategy.
    """

    run: StoredRun
    mode: ProviderMode | None
    planned: int | None
    caution: str | None
    latency_note: str | None
    answer_notes: tuple[str, ...]
    declared: tuple[Figure, ...]
    strategies: tuple[StrategyFigures, ...]
    comparisons: tuple[StrategyComparison, ...]
    grading: GradingFigures
    failures: tuple[str, ...]


def evaluation_figures(view: Snapshot, run: StoredRun) -> EvaluationFigures:
    """The figures of every strategy of a run, and of each further one against the first."""
    whole, sides = whole_side(view, run), sides_of(view, run)
    told = RunConfig.read(run.config)
    planned, count = told.planned, len(told.strategies or sides) or 1
    asked = asked_by_context(whole.rows)
    return EvaluationFigures(
        run=run,
        mode=mode_of(whole.rows, run),
        planned=planned,
        caution=_caution(run, whole.rows.n, planned),
        latency_note=None if is_untimed(asked) else _latency_note(whole),
        answer_notes=answer_notes(asked),
        declared=all_figures(),
        strategies=tuple(
            strategy_figures(side, None if planned is None else planned // count) for side in sides
        ),
        comparisons=tuple(_comparisons(sides)),
        grading=grading_figures(whole.rows, run),
        failures=failure_notes(whole.rows),
    )


def strategy_figures(
    side: Side, planned: int | None = None, *, confidence: float = DEFAULT_CONFIDENCE
) -> StrategyFigures:
    """What one side came to.

    Args:
        side: the requests of one run and strategy.
        planned: requests it was to make; None when unknown.
        confidence: of each interval by itself.
    """
    (told,) = side.rows.dicts(
        """SELECT count(*) AS requests, count(CASE WHEN status = 'ok' THEN 1 END) AS ok,
            count(CASE WHEN status = 'ok' AND quality_tier IS NOT NULL THEN 1 END) AS graded,
            count(DISTINCT case_id) + count(CASE WHEN case_id IS NULL THEN 1 END) AS cases,
            coalesce(sum(usd), 0) AS total_usd, count(CASE WHEN usd IS NULL THEN 1 END) AS unpriced
        FROM counted"""
    )
    return StrategyFigures(
        strategy=side.strategy or UNNAMED,
        planned=planned,
        figures=measure_all(side.rows, confidence=confidence),
        **told,
    )


def _caution(run: StoredRun, requests: int, planned: int | None) -> str | None:
    if run.status in (RunStatus.COMPLETED, RunStatus.STOPPED_EARLY):
        return None
    of = "" if planned is None else f" of {planned:,} planned"
    why = {
        RunStatus.TRUNCATED: "TRUNCATED by its budget",
        RunStatus.INTERRUPTED: "INTERRUPTED",
        RunStatus.RUNNING: "STILL RUNNING",
    }.get(run.status, run.status.value.upper())
    return f"{why}: every figure is over the {requests:,} requests that were finished{of}"


def _latency_note(whole: Side) -> str | None:
    if whole.speed == 1.0:
        return None
    return (
        f"latencies are emulated at speed x{whole.speed:g}: the providers' part is divided by that, "
        "this machine's own is not"
    )


def _comparisons(sides: Sequence[Side]) -> list[StrategyComparison]:
    if len(sides) < 2:
        return []
    first, *others = sides
    differences = compared(first.rows, [other.rows for other in others], COMPARED)
    return [_comparison(first, other, found) for other, found in zip(others, differences, strict=True)]


def _comparison(first: Side, other: Side, found: Differences) -> StrategyComparison:
    name = other.strategy or other.label
    silent = [side.strategy or side.label for side in (first, other) if not _answered(side.rows)]
    verdict = f"{name} {_quality_words(found)}, and {_saving_words(found.saving)}"
    if silent:
        verdict = f"{name} cannot be compared: {' and '.join(silent)} answered no request"
    return StrategyComparison(
        first=first.strategy or first.label,
        other=name,
        found=found,
        verdict=verdict,
        power=_power_note(first.rows, other.rows),
        is_comparable=not silent,
    )


def _answered(rows: Rows) -> int:
    ((ok,),) = rows.view.rows(f"SELECT coalesce(sum(ok), 0)::BIGINT FROM {rows.tally.table}")  # noqa: S608 - the snapshot's own table
    return int(ok)


def _quality_words(found: Differences) -> str:
    difference = found.named("quality_score")
    change = None if difference is None else difference.shift.change
    if change is None or change.value is None or change.low is None or change.high is None:
        return "cannot be judged on quality"
    points, sure = 100 * change.value, "95% sure"
    between = f"{100 * change.low:+.1f} to {100 * change.high:+.1f}"
    margin = f"{100 * MARGIN:g} points"
    if change.low > 0:
        return f"is better by {points:.1f} points ({between}), {sure}"
    if change.high < 0:
        small = f", though by less than {margin}" if change.low > -MARGIN else ""
        return f"is worse by {-points:.1f} points ({between}), {sure}{small}"
    if change.low > -MARGIN:
        return f"is not worse by more than {margin}, {sure}"
    return f"cannot be told apart in quality yet ({between} points)"


def _saving_words(saving: Estimate) -> str:
    if saving.value is None or saving.low is None or saving.high is None:
        return "its saving is unknown"
    half = (saving.high - saving.low) / 2
    spread = f"{abs(saving.value):.1%} +- {half:.1%}"
    if saving.low > 0:
        return f"saves {spread}"
    if saving.high < 0:
        return f"costs {spread} more"
    if half <= SAME_COST:
        return f"costs about the same ({-saving.value:+.1%} +- {half:.1%})"
    return f"whether it saves cannot be told yet (a saving of {saving.low:.0%} to {saving.high:.0%})"


def _power_note(first: Rows, other: Rows) -> str | None:
    changes = Pair(first, other, ["quality_score"]).changes("quality_score")
    spread = float(np.std(changes, ddof=1)) if changes.size > 1 else 0.0
    if spread <= 0:
        return None
    needed = cases_for_difference(NOTEWORTHY, spread)
    enough = "this run has" if changes.size >= needed else "this run has only"
    return (
        f"to see a {100 * NOTEWORTHY:g}-point difference from the first strategy (80% power): "
        f"{needed:,} cases; {enough} {changes.size:,}"
    )
