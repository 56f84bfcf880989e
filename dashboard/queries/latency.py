"""Latency percentiles of a selection, by group."""

from dataclasses import dataclass

from dashboard.frame.scope import Scope
from harness.analysis.estimate import Estimate
from harness.figures import Rows, figure_named, measure
from harness.figures.measure import group_sizes
from harness.store import Snapshot

NAMES = ("p50", "p95", "p99")
FIGURES = tuple(figure_named(f"{name}_latency") for name in NAMES)
GROUPINGS = ("provider", "model", "strategy", "run")
"""What the page compares by, beside tags."""
MOST_TAGGED = 12
"""Values of a tag that can stand side by side in a chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLatency:
    """Percentiles of one group in the order of `NAMES`; `n` requests, of which some failed."""

    group: str
    n: int
    failures: int
    quantiles: tuple[Estimate, ...]
    errors: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyFigures:
    """Groups in order of size. `source` is whose clock: client, server, or None without requests."""

    source: str | None
    groups: tuple[GroupLatency, ...]


def latency_figures(view: Snapshot, scope: Scope, group_by: str = "all") -> LatencyFigures:
    """p50, p95 and p99 of each group, with intervals.

    Args:
        view: the store.
        scope: which requests.
        group_by: a key of `figures.GROUPS`.
    """
    rows = Rows(view, scope)
    found = measure(rows, [*FIGURES, figure_named("error_ratio")], by=group_by)
    sizes = group_sizes(rows, group_by)
    return LatencyFigures(
        source=rows.clock,
        groups=tuple(
            GroupLatency(
                group=group,
                n=sizes[group],
                failures=round((figures["error_ratio"].value or 0.0) * sizes[group]),
                quantiles=tuple(figures[figure.name] for figure in FIGURES),
                errors=figures["error_ratio"],
            )
            for group, figures in found.items()
        ),
    )
