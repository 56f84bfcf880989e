"""Graders and judges of an evaluation, as the rows of tables and as JSON."""

from collections.abc import Sequence
from typing import Any

from harness.figures.declaration import Unit
from harness.figures.grading import WORDS, GradingFigures, JudgeSpending, StrategyGrader
from harness.report import wording
from harness.report.document import interval_json

PAIRWISE_HEAD = (
    "judged against the first",
    "win rate",
    "at equal length",
    "flipped",
    "won, tied, lost",
    "pairs",
)


def grader_rows(figures: GradingFigures, strategies: Sequence[str]) -> list[tuple[str, ...]]:
    """Lines for the table of strategies: each grader of the suite's own, and what judging cost apart."""
    rows = []
    for name in dict.fromkeys(found.grader for found in figures.graders if found.own):
        by_strategy = {found.strategy: found for found in figures.graders if found.grader == name}
        rows.append((f"grader {name}", *(_cell(by_strategy.get(s)) for s in strategies)))
    if figures.judges:
        spent = {found.strategy: found for found in figures.spending}
        rows.append(("$ of judges, apart", *(_spent(spent.get(s)) for s in strategies)))
    return rows


def _cell(found: StrategyGrader | None) -> str:
    if found is None:
        return wording.UNKNOWN
    missing = f", {found.ungraded:,} ungraded" if found.ungraded else ""
    return f"{wording.compact(found.score, Unit.SCORE)}{missing}"


def _spent(found: JudgeSpending | None) -> str:
    if found is None:
        return wording.UNKNOWN
    unknown = f" (+{found.unknown:,} unknown)" if found.unknown else ""
    return f"{found.cost_usd:.4f}{unknown}"


def pairwise_rows(figures: GradingFigures) -> list[tuple[str, ...]]:
    """One line for each strategy that was compared with the first."""
    return [
        (
            found.strategy,
            wording.compact(found.win_rate, Unit.RATIO),
            wording.compact(found.adjusted.estimate, Unit.RATIO),
            wording.compact(found.flipped, Unit.RATIO),
            ", ".join(f"{found.counts[word]:,}" for word in WORDS),
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
                "score": interval_json(found.score),
                "passed_ratio": interval_json(found.passed),
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
                "counts": dict(found.counts),
                "win_rate": interval_json(found.win_rate),
                "flip_ratio": interval_json(found.flipped),
                "length_adjusted_win_rate": interval_json(found.adjusted.estimate),
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
