"""Working figures out: declarations and a selection in, one estimate a figure and group out."""

from collections.abc import Mapping, Sequence

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, Sides, no_estimate
from harness.analysis.moments import (
    NO_MOMENTS,
    Moments,
    mean_estimate,
    score_estimate,
    share_estimate,
)
from harness.figures.catalogue import all_figures
from harness.figures.declaration import Custom, Figure, Mean, Quantile, Ratio, Share
from harness.figures.grouping import group_sql
from harness.figures.ranking import Rankings
from harness.figures.selection import Rows
from harness.figures.sums import combined, moments, term_of

Figures = Mapping[str, Estimate]
"""Figure name -> its estimate."""


def measure(
    rows: Rows,
    figures: Sequence[Figure] | None = None,
    *,
    by: str = "all",
    confidence: float = DEFAULT_CONFIDENCE,
    sides: Sides = Sides.BOTH,
) -> dict[str, Figures]:
    """The figures of each group of a selection, largest group first.

    Args:
        rows: the selection.
        figures: which; None is every one there is.
        by: what to group by, a key of `grouping.GROUPS`; `all` is one group of that name.
        confidence: of each interval by itself.
        sides: of the percentiles' intervals.

    Returns:
        Nothing for a selection without requests.

    Raises:
        UsageError: there is no such group.
    """
    wanted = all_figures() if figures is None else figures
    if not rows.n:
        return {}
    found: dict[str, dict[str, Estimate]] = {}
    for part in (
        _sums(rows, by, wanted, confidence),
        _percentiles(rows, by, wanted, confidence, sides),
        _customs(rows, by, wanted, confidence),
    ):
        for group, estimates in part.items():
            found.setdefault(group, {}).update(estimates)
    # a figure of which a group's rows tell nothing at all is unknown, not missing
    return {
        group: {
            figure.name: found.get(group, {}).get(figure.name) or no_estimate("none", confidence=confidence)
            for figure in wanted
        }
        for group in group_sizes(rows, by)
    }


def group_sizes(rows: Rows, by: str) -> dict[str, int]:
    """Requests of each group, largest first."""
    if by == "all":
        return {"all": rows.n}
    group = group_sql(by)
    if combined(group):
        counts = f"SELECT {group} AS grp, sum(n)::BIGINT AS n FROM {rows.combinations.table} GROUP BY grp"  # noqa: S608 - of the allow-list
    else:
        kept = rows.kept(f"SELECT {group} AS grp, count(*) AS n FROM counted GROUP BY grp")  # noqa: S608 - likewise
        counts = f"FROM {kept.table}"
    return dict(rows.view.rows(f"{counts} ORDER BY n DESC, grp"))


def measure_all(
    rows: Rows, figures: Sequence[Figure] | None = None, *, confidence: float = DEFAULT_CONFIDENCE
) -> Figures:
    """The figures of a whole selection; empty without requests."""
    return measure(rows, figures, confidence=confidence).get("all", {})


def _sums(rows: Rows, by: str, wanted: Sequence[Figure], confidence: float) -> dict[str, dict[str, Estimate]]:
    summed = [(f, f.rule) for f in wanted if isinstance(f.rule, Share | Mean | Ratio)]
    found = moments(rows, by, [term_of(rule) for _, rule in summed])
    return {
        group: {
            figure.name: estimate_of(rule, own, confidence)
            for (figure, rule), own in zip(summed, sums or (NO_MOMENTS,) * len(summed), strict=True)
        }
        for group, sums in found.items()
    }


def estimate_of(
    rule: Share | Mean | Ratio, sums: Moments, confidence: float = DEFAULT_CONFIDENCE
) -> Estimate:
    """The estimate that a rule makes of its sums."""
    if isinstance(rule, Share):
        return share_estimate(sums, confidence=confidence)
    if isinstance(rule, Mean) and rule.score:
        return score_estimate(sums, confidence=confidence)
    least = rule.least if isinstance(rule, Mean) else 0.0
    return mean_estimate(sums, confidence=confidence, least=least)


def _percentiles(
    rows: Rows, by: str, wanted: Sequence[Figure], confidence: float, sides: Sides
) -> dict[str, dict[str, Estimate]]:
    ranked = [(f.name, f.rule) for f in wanted if isinstance(f.rule, Quantile)]
    if not ranked:
        return {}
    measured = Rankings(rows, by, [rule for _, rule in ranked]).of_rules(confidence=confidence, sides=sides)
    found: dict[str, dict[str, Estimate]] = {}
    for (name, _), estimates in zip(ranked, measured, strict=True):
        for group, estimate in estimates.items():
            found.setdefault(group, {})[name] = estimate
    return found


def _customs(
    rows: Rows, by: str, wanted: Sequence[Figure], confidence: float
) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    for figure in wanted:
        if isinstance(figure.rule, Custom):
            for group, estimate in figure.rule.estimates(rows, by, confidence).items():
                found.setdefault(group, {})[figure.name] = estimate
    return found
