"""Strategies against a first one, as figures, JSON and the rows of tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.interval import DEFAULT_CONFIDENCE
from harness.analysis.strategies import Paired, compare_strategies
from harness.errors import UsageError
from harness.records import ProviderMode, RunKind
from harness.report import wording
from harness.report.comparable import Comparable, LeftOut, NamedSide, cautions, comparable_sides, mode_name
from harness.report.comparison import comparison_rows, difference_json
from harness.report.savings import SavingsSide

SCHEMA = "harness.strategies.v1"
STRATEGIES_HEAD = ("figure", "first", "other", "other - first", "interval", "decided at", "n", "verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """One strategy held against the first."""

    name: str
    side: SavingsSide
    paired: Paired


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategiesReport:
    """Every comparable strategy against the first.

    Attributes:
        mode: what answered all of them; None is unknown.
        left_out: strategies of another mode, kind or clock, and why.
        differences: how many figures the verdicts hold together over.
        notes: what must be said before the figures are believed.
    """

    mode: ProviderMode | None
    kind: RunKind | None
    first: NamedSide
    others: tuple[Against, ...]
    left_out: tuple[LeftOut, ...]
    confidence: float
    differences: int
    notes: tuple[str, ...]


def strategies_report(
    sides: Sequence[SavingsSide],
    *,
    against: str | None = None,
    cases: Sequence[str] = (),
    confidence: float = DEFAULT_CONFIDENCE,
) -> StrategiesReport:
    """Differences of every other strategy to one, paired by case, with verdicts that hold together (Holm).

    Args:
        sides: of any runs; of several provider modes only the best one is judged.
        against: a strategy's or a side's name; None takes the first.
        cases: patterns of case ids to look at; empty takes all.
        confidence: of all verdicts together.

    Raises:
        UsageError: no such strategy, or fewer than two to compare.
    """
    chosen = comparable_sides(sides, cases=cases)
    first = _first(chosen, against)
    others = [found for found in chosen.sides if found is not first]
    if not others:
        why = "; ".join(f"{out.name}: {out.reason}" for out in chosen.left_out)
        more = f" (left out: {why})" if why else ""
        raise UsageError(f"only one strategy to look at, {first.name}: nothing to compare it with{more}")
    found = compare_strategies(
        (first.side.requests, first.side.calls),
        [(other.side.requests, other.side.calls) for other in others],
        confidence=confidence,
    )
    return StrategiesReport(
        mode=chosen.mode,
        kind=chosen.kind,
        first=first,
        others=tuple(
            Against(name=other.name, side=other.side, paired=paired)
            for other, paired in zip(others, found, strict=True)
        ),
        left_out=chosen.left_out,
        confidence=confidence,
        differences=sum(d.value is not None for paired in found for d in paired.comparison.differences),
        notes=tuple(cautions(chosen.sides)),
    )


def strategies_document(report: StrategiesReport) -> dict[str, Any]:
    """The report as one JSON object; a difference is other - first in its own unit."""
    return {
        "schema": SCHEMA,
        "provider_mode": report.mode,
        "kind": report.kind,
        "confidence": report.confidence,
        "correction": "holm",
        "differences_tested": report.differences,
        "first": {"name": report.first.name, **_run_of(report.first.side)},
        "others": [
            {
                "name": other.name,
                **_run_of(other.side),
                "paired": other.paired.comparison.paired,
                "cases": other.paired.cases,
                "cases_left_out": other.paired.cases_left_out,
                "differences": [
                    {**difference_json(found), "decided_at": found.confidence}
                    for found in other.paired.comparison.differences
                ],
            }
            for other in report.others
        ],
        "left_out": [{"name": found.name, "reason": found.reason} for found in report.left_out],
        "notes": list(report.notes),
    }


def strategies_rows(other: Against) -> list[tuple[str, ...]]:
    """One line a figure; each interval stands at the confidence that its verdict was decided at."""
    comparison = other.paired.comparison
    return [
        (*row[:5], f"{found.confidence:.2%}", *row[5:])
        for row, found in zip(comparison_rows(comparison), comparison.differences, strict=True)
    ]


def pairing_words(other: Against) -> str:
    """How the two were compared: case by case, or as two sets."""
    if not other.paired.comparison.paired:
        return "unpaired: fewer than 10 cases in common"
    left_out = other.paired.cases_left_out
    more = f", {wording.count(left_out, 'case')} of only one of them left out" if left_out else ""
    return f"paired over {wording.count(other.paired.cases, 'case')}{more}"


def together_words(report: StrategiesReport) -> str:
    """What the verdicts claim, and within which mode."""
    return (
        f"within {mode_name(report.mode)} providers; all {report.differences} verdicts hold together at "
        f"{report.confidence * 100:.10g}% (Holm)"
    )


def _first(chosen: Comparable, against: str | None) -> NamedSide:
    if not chosen.sides:
        raise UsageError("no counted request of these cases: nothing to compare")
    if against is None:
        return chosen.sides[0]
    for found in chosen.sides:
        if against in (found.name, found.side.strategy):
            return found
    known = ", ".join(found.name for found in chosen.sides)
    reason = next((f" ({out.reason})" for out in chosen.left_out if out.name == against), "")
    raise UsageError(
        f"--against '{against}': not among the strategies to compare{reason}; there are: {known}"
    )


def _run_of(side: SavingsSide) -> dict[str, Any]:
    return {"run_id": side.run.run_id, "run_name": side.run.name, "strategy": side.strategy}
