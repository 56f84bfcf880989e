# ruff: noqa: S608 - names come from this module's constants and the allow-list of groups, values are bound
"""Tiers, scores and graders of a selection."""

from dataclasses import dataclass
from typing import Any

from dashboard.frame.scope import Scope
from harness.analysis.estimate import Estimate, no_estimate
from harness.figures import Rows, figure_named, measure
from harness.figures.grades import GraderFigures, grader_figures
from harness.figures.grouping import group_sql
from harness.store import Snapshot

TIERS = ("high", "medium", "low")
WEAK = 200
"""Weak requests listed at most, worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuality:
    """One group's answers by tier. `ungraded` and `failed` beside them; `high` is a share of the graded."""

    group: str
    tiers: dict[str, int]
    ungraded: int
    failed: int
    high: Estimate
    score: Estimate
    cases: int


_BESIDE = {"ungraded": "status = 'ok' AND quality_tier IS NULL", "failed": "status <> 'ok'"}


def group_quality(view: Snapshot, scope: Scope, group_by: str) -> tuple[GroupQuality, ...]:
    """Tiers and mean score by provider, model, strategy or run, largest group first."""
    selected = Rows(view, scope)
    counted = {**{tier: f"status = 'ok' AND quality_tier = '{tier}'" for tier in TIERS}, **_BESIDE}
    sums = ", ".join(
        f"coalesce(sum(CASE WHEN {condition} THEN n END), 0)::BIGINT AS {name}"
        for name, condition in counted.items()
    )
    rows = view.dicts(
        f"SELECT {group_sql(group_by)} AS grp, {sums} FROM {selected.combinations.table} GROUP BY grp"
    )
    counts = {row["grp"]: row for row in rows}
    cases = dict(
        selected.rows(
            f"""SELECT {group_sql(group_by)} AS grp, count(DISTINCT case_id) FROM counted
            WHERE case_id IS NOT NULL GROUP BY grp"""
        )
    )
    found = measure(selected, [figure_named("high_tier"), figure_named("quality_score")], by=group_by)
    return tuple(
        GroupQuality(
            group=group,
            tiers={tier: counts[group][tier] for tier in TIERS},
            ungraded=counts[group]["ungraded"],
            failed=counts[group]["failed"],
            high=figures.get("high_tier", no_estimate("wilson")),
            score=figures.get("quality_score", no_estimate("wilson")),
            cases=cases.get(group, 0),
        )
        for group, figures in found.items()
    )


def graders(view: Snapshot, scope: Scope) -> tuple[GraderFigures, ...]:
    """What each grader says, by strategy."""
    return grader_figures(Rows(view, scope))


def weak_requests(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """Requests that failed or fell short of the high tier, worst first."""
    return Rows(view, scope).dicts(
        f"""SELECT request_id, case_id, strategy, status, error_kind, quality_tier, quality_score,
            fallback_reason, draft_model, repair_model, latency_ms, usd::DOUBLE AS cost_usd, run_id
        FROM counted WHERE status != 'ok' OR quality_tier IN ('low', 'medium')
        ORDER BY status = 'ok', quality_score NULLS FIRST, request_id LIMIT {WEAK}"""
    )


def weak_cases(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """Cases with a failed or less than high answer, worst mean first; empty where requests have no cases."""
    return Rows(view, scope).dicts(
        f"""SELECT case_id, count(*) AS n, count(*) FILTER (status != 'ok') AS failed,
            count(*) FILTER (quality_tier = 'low') AS low,
            count(*) FILTER (quality_tier = 'medium') AS medium,
            avg(quality_score) AS mean_score, min(quality_score) AS worst_score
        FROM counted WHERE case_id IS NOT NULL GROUP BY case_id
        HAVING count(*) FILTER (status != 'ok' OR quality_tier IN ('low', 'medium')) > 0
        ORDER BY mean_score NULLS FIRST, case_id LIMIT {WEAK}"""
    )
