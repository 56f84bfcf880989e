"""Which of several groups is the best by a figure, where that is shown and not merely seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, simultaneous_confidence
from harness.analysis.shift import recovered
from harness.figures.declaration import Better, Figure
from harness.figures.measure import Figures, measure
from harness.figures.selection import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Groups side by side.

    Attributes:
        groups: group -> its figures, the largest group first; all intervals hold together.
        best: figure -> the group that is better than every other one; without those where none is shown.
    """

    groups: Mapping[str, Figures]
    best: Mapping[str, str]


def ranked(
    rows: Rows, figures: Sequence[Figure], by: str, *, confidence: float = DEFAULT_CONFIDENCE
) -> Ranked:
    """The figures of each group, and which group is the best by each.

    Groups are compared whole (nobody says that they met the same cases), each with the best one; the error
    is shared among all comparisons (Bonferroni).

    Args:
        rows: the selection.
        figures: what to compare by.
        by: a key of `grouping.GROUPS`.
        confidence: of all statements together.
    """
    several = len(measure(rows, [], by=by))
    level = simultaneous_confidence(confidence, max(1, (several - 1) * len(figures)))
    groups = measure(rows, figures, by=by, confidence=level)
    best = {figure.name: _best(groups, figure) for figure in figures}
    return Ranked(groups=groups, best={name: group for name, group in best.items() if group is not None})


def _best(groups: Mapping[str, Figures], figure: Figure) -> str | None:
    known = {name: found[figure.name] for name, found in groups.items()}
    valued = [name for name, found in known.items() if found.value is not None]
    if len(valued) < 2 or len(valued) < len(known) or figure.better is Better.NEITHER:
        return None
    pick = min if figure.better is Better.LESS else max
    first = pick(valued, key=lambda name: known[name].value or 0.0)
    return first if all(_apart(known[first], known[name]) for name in valued if name != first) else None


def _apart(one: Estimate, other: Estimate) -> bool:
    return recovered(one, other).significant
