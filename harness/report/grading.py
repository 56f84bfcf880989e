"""What graders and judges say of an evaluation, strategy by strategy; an absent grade is counted, never 0."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from harness.analysis.cluster import clustered_mean, clustered_share
from harness.analysis.interval import Estimate
from harness.analysis.pairwise import AdjustedRate, length_adjusted_win_rate, win_rate
from harness.analysis.sample import RunFacts
from harness.records import Call, CallOutcome, Grade, Request, RequestStatus, Role
from harness.report import wording
from harness.report.savings_document import estimate_json

PAIRWISE = "pairwise"
PAIRWISE_HEAD = (
    "judged against the first",
    "win rate",
    "at equal length",
    "flipped",
    "won, tied, lost",
    "pairs",
)
_WORDS = ("win", "tie", "loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraderFigures:
    """One grader over one strategy's answers.

    Attributes:
        ungraded: answers without a score: the grader or judge failed, or was not reached.
        own: the suite's own grader, not a part of the task's score.
    """

    grader: str
    strategy: str
    score: Estimate
    passed: Estimate
    ungraded: int
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PairwiseFigures:
    """A strategy's answers against the baseline's to the same case and repeat.

    Attributes:
        pairs: judged in both orders. ungraded: both answered, without a verdict.
        flipped: pairs whose verdict changed with the order; each counts as a tie.
        adjusted: the win rate at equal length.
    """

    strategy: str
    baseline: str
    pairs: int
    ungraded: int
    counts: dict[str, int]
    win_rate: Estimate
    flipped: Estimate
    adjusted: AdjustedRate


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSpending:
    """What judging one strategy's answers cost; `unknown` calls have no cost and are in no sum."""

    strategy: str
    calls: int
    cost_usd: Decimal
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingFigures:
    """Graders and judges of a run. `judges` as `provider/model`."""

    judges: tuple[str, ...] = ()
    graders: tuple[GraderFigures, ...] = ()
    pairwise: tuple[PairwiseFigures, ...] = ()
    spending: tuple[JudgeSpending, ...] = field(default=())


def grading_figures(
    run: RunFacts, requests: Sequence[Request], calls: Sequence[Call], grades: Sequence[Grade]
) -> GradingFigures:
    """The figures of all graders.

    Args:
        run: its config says which graders and judges the suite asked for.
        requests: of the run.
        calls: its attempts; only judges' are looked at.
        grades: of the run.
    """
    own = tuple(run.config.get("graders") or ())
    answers: dict[str, list[Request]] = {}
    for row in requests:
        if row.status is RequestStatus.OK and not row.warmup:
            answers.setdefault(row.strategy or "(none)", []).append(row)
    by_key = {(grade.request_id, grade.grader): grade for grade in grades}
    found = dict.fromkeys(grade.grader for grade in grades if grade.grader != PAIRWISE)
    names = dict.fromkeys([*found, *(name for name in own if name != PAIRWISE)])
    return GradingFigures(
        judges=tuple(run.config.get("judges") or ()),
        graders=tuple(
            _grader(name, strategy, rows, by_key, own=name in own)
            for name in sorted(names)
            for strategy, rows in answers.items()
        ),
        pairwise=tuple(_pairs(run, answers, by_key)) if PAIRWISE in own else (),
        spending=tuple(_spending(answers, calls)),
    )


def _grader(
    name: str,
    strategy: str,
    rows: Sequence[Request],
    by_key: dict[tuple[str, str], Grade],
    *,
    own: bool,
) -> GraderFigures:
    known = [
        (grade.score, bool(grade.passed), _case(row))
        for row in rows
        if (grade := by_key.get((row.request_id, name))) is not None and grade.score is not None
    ]
    cases = [case for _, _, case in known]
    return GraderFigures(
        grader=name,
        strategy=strategy,
        score=clustered_mean([score for score, _, _ in known], cases),
        passed=clustered_share([passed for _, passed, _ in known], cases),
        ungraded=len(rows) - len(known),
        own=own,
    )


def _pairs(
    run: RunFacts, answers: dict[str, list[Request]], by_key: dict[tuple[str, str], Grade]
) -> Iterable[PairwiseFigures]:
    """Every strategy that answered against the run's first."""
    first = next(iter(run.config.get("strategies") or answers), "")
    others = [strategy for strategy in answers if strategy != first]
    asked = {(_case(row), row.repeat) for row in answers.get(first, ())}
    for strategy in others:
        rows = [row for row in answers[strategy] if (_case(row), row.repeat) in asked]
        found = [(row, by_key.get((row.request_id, PAIRWISE))) for row in rows]
        judged = [
            (row, grade.score, grade.detail)
            for row, grade in found
            if grade is not None and grade.score is not None
        ]
        yield _pair(strategy, first, judged, ungraded=len(rows) - len(judged))


def _pair(
    strategy: str, baseline: str, judged: Sequence[tuple[Request, float, Any]], *, ungraded: int
) -> PairwiseFigures:
    cases = [_case(row) for row, _, _ in judged]
    scores = [score for _, score, _ in judged]
    details = [detail for _, _, detail in judged]
    longer = [float(detail["chars"] - detail["baseline_chars"]) for detail in details]
    said = [detail["verdict"] for detail in details]
    return PairwiseFigures(
        strategy=strategy,
        baseline=baseline,
        pairs=len(judged),
        ungraded=ungraded,
        counts={word: said.count(word) for word in _WORDS},
        win_rate=win_rate(scores, cases),
        flipped=clustered_share([bool(detail["flipped"]) for detail in details], cases),
        adjusted=length_adjusted_win_rate(scores, longer, cases),
    )


def _spending(answers: dict[str, list[Request]], calls: Sequence[Call]) -> Iterable[JudgeSpending]:
    strategy_of = {row.request_id: strategy for strategy, rows in answers.items() for row in rows}
    asked: dict[str, list[Call]] = {}
    for call in calls:
        if call.role is Role.JUDGE and call.outcome is not CallOutcome.REFUSED:
            asked.setdefault(strategy_of.get(call.request_id, "(none)"), []).append(call)
    for strategy in answers:
        mine = asked.get(strategy, [])
        known = [call.cost_usd for call in mine if call.cost_usd is not None]
        yield JudgeSpending(
            strategy=strategy,
            calls=len(mine),
            cost_usd=sum(known, Decimal(0)),
            unknown=len(mine) - len(known),
        )


def grader_rows(
    figures: GradingFigures, strategies: Sequence[str], number: Callable[[Estimate], str]
) -> list[tuple[str, ...]]:
    """Lines for the table of strategies: each grader of the suite's own, and what judging cost apart."""
    rows = []
    for name in dict.fromkeys(found.grader for found in figures.graders if found.own):
        by_strategy = {found.strategy: found for found in figures.graders if found.grader == name}
        rows.append((f"grader {name}", *(_cell(by_strategy.get(s), number) for s in strategies)))
    if figures.judges:
        spent = {found.strategy: found for found in figures.spending}
        rows.append(("$ of judges, apart", *(_spent(spent.get(s)) for s in strategies)))
    return rows


def _cell(found: GraderFigures | None, number: Callable[[Estimate], str]) -> str:
    if found is None:
        return wording.UNKNOWN
    missing = f", {found.ungraded:,} ungraded" if found.ungraded else ""
    return f"{number(found.score)}{missing}"


def _spent(found: JudgeSpending | None) -> str:
    if found is None:
        return wording.UNKNOWN
    unknown = f" (+{found.unknown:,} unknown)" if found.unknown else ""
    return f"{found.cost_usd:.4f}{unknown}"


def pairwise_rows(figures: GradingFigures, percent: Callable[[Estimate], str]) -> list[tuple[str, ...]]:
    """One line for each strategy that was compared with the first."""
    return [
        (
            found.strategy,
            percent(found.win_rate),
            percent(found.adjusted.estimate),
            percent(found.flipped),
            ", ".join(f"{found.counts[word]:,}" for word in _WORDS),
            f"{found.pairs:,}" + (f" ({found.ungraded:,} ungraded)" if found.ungraded else ""),
        )
        for found in figures.pairwise
    ]


def pairwise_notes(figures: GradingFigures) -> list[str]:
    """What must be said beside the pairs: why a figure is missing, or reaches too far."""
    return [
        f"{found.strategy}, at equal length: {found.adjusted.note}"
        for found in figures.pairwise
        if found.adjusted.note is not None
    ]


def grading_json(figures: GradingFigures) -> dict[str, Any]:
    """The figures as JSON: unknown is null, amounts are USD, ratios 0..1."""
    return {
        "judges": list(figures.judges),
        "graders": [
            {
                "grader": found.grader,
                "strategy": found.strategy,
                "own": found.own,
                "score": estimate_json(found.score),
                "passed_ratio": estimate_json(found.passed),
                "ungraded": found.ungraded,
            }
            for found in figures.graders
        ],
        "pairwise": [
            {
                "strategy": found.strategy,
                "baseline": found.baseline,
                "pairs": found.pairs,
                "ungraded": found.ungraded,
                "counts": found.counts,
                "win_rate": estimate_json(found.win_rate),
                "flip_ratio": estimate_json(found.flipped),
                "length_adjusted_win_rate": estimate_json(found.adjusted.estimate),
                "length_effect_logits": found.adjusted.length_effect,
                "length_note": found.adjusted.note,
            }
            for found in figures.pairwise
        ],
        "judge_spending": [
            {
                "strategy": found.strategy,
                "calls": found.calls,
                "cost_usd": found.cost_usd,
                "unknown_calls": found.unknown,
            }
            for found in figures.spending
        ],
    }


def _case(row: Request) -> str:
    return row.case_id if row.case_id is not None else f"{row.run_id}/{row.request_id}"
