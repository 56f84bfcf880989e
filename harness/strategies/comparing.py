"""Every other strategy against a first one, with verdicts that hold together."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.estimate import DEFAULT_CONFIDENCE
from harness.errors import UsageError
from harness.figures.differences import Differences, compared
from harness.figures.sides import Comparable, LeftOut, Side, comparable_sides
from harness.records import ProviderMode, RunKind
from harness.strategies.savings import SideFacts, side_facts

FIGURES = ("cost_per_request", "p50_latency", "p95_latency", "quality_score", "high_tier", "error_ratio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """One strategy held against the first."""

    side: SideFacts
    found: Differences


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
    first: SideFacts
    others: tuple[Against, ...]
    left_out: tuple[LeftOut, ...]
    confidence: float
    differences: int
    notes: tuple[str, ...]


def strategies_report(
    sides: Sequence[Side], *, against: str | None = None, confidence: float = DEFAULT_CONFIDENCE
) -> StrategiesReport:
    """Differences of every other strategy to one, paired by case, with verdicts that hold together (Holm).

    Args:
        sides: of any runs; of several provider modes only the best one is judged.
        against: a strategy's or a side's name; None takes the first.
        confidence: of all verdicts together.

    Raises:
        UsageError: no such strategy, or fewer than two to compare.
    """
    chosen = comparable_sides(sides)
    first = _first(chosen, against)
    others = [found for found in chosen.sides if found[1] is not first[1]]
    if not others:
        why = "; ".join(f"{out.name}: {out.reason}" for out in chosen.left_out)
        more = f" (left out: {why})" if why else ""
        raise UsageError(f"only one strategy to look at, {first[0]}: nothing to compare it with{more}")
    found = compared(first[1].rows, [side.rows for _, side in others], FIGURES, confidence=confidence)
    return StrategiesReport(
        mode=chosen.mode,
        kind=chosen.kind,
        first=side_facts(first[1], first[0]),
        others=tuple(
            Against(side=side_facts(side, name), found=own)
            for (name, side), own in zip(others, found, strict=True)
        ),
        left_out=chosen.left_out,
        confidence=confidence,
        differences=sum(one.shift.change.value is not None for own in found for one in own.found),
        notes=chosen.cautions,
    )


def _first(chosen: Comparable, against: str | None) -> tuple[str, Side]:
    if not chosen.sides:
        raise UsageError("no counted request: nothing to compare")
    if against is None:
        return chosen.sides[0]
    for name, side in chosen.sides:
        if against in (name, side.way):
            return name, side
    known = ", ".join(name for name, _ in chosen.sides)
    reason = next((f" ({out.reason})" for out in chosen.left_out if out.name == against), "")
    raise UsageError(
        f"--against '{against}': not among the strategies to compare{reason}; there are: {known}"
    )
