"""The figures of the groups of a selection, side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.estimate import Estimate, no_estimate
from harness.figures.declaration import Figure
from harness.figures.measure import Figures
from harness.figures.summary import RunHead
from harness.report import wording
from harness.report.document import estimate_json
from harness.report.rows import is_told

MOST_COLUMNS = 6
"""Groups shown on a terminal, the largest first."""


def groups_document(
    head: RunHead, by: str, declared: Sequence[Figure], groups: Mapping[str, Figures]
) -> dict[str, Any]:
    """Every group with every figure."""
    return {
        "run_id": head.run_id,
        "by": by,
        "groups": {
            group: {figure.name: estimate_json(figure, _of(figures, figure)) for figure in declared}
            for group, figures in groups.items()
        },
    }


def group_head(groups: Mapping[str, Figures]) -> tuple[str, ...]:
    """A column for the figures' titles and one for each of the largest groups."""
    return ("figure", *list(groups)[:MOST_COLUMNS])


def group_rows(declared: Sequence[Figure], groups: Mapping[str, Figures]) -> list[tuple[str, ...]]:
    """One line a figure, one column a group, each figure with its interval."""
    shown = list(groups.values())[:MOST_COLUMNS]
    return [
        (figure.title, *(wording.compact(_of(figures, figure), figure.unit) for figures in shown))
        for figure in declared
        if any(is_told(figure, _of(figures, figure)) for figures in shown)
    ]


def _of(figures: Figures, figure: Figure) -> Estimate:
    return figures.get(figure.name) or no_estimate("none")
