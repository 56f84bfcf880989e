# ruff: noqa: S608 - names come from this module's constants and `GROUPS`, values are bound
"""Tiers, scores and graders of a selection, with intervals clustered by case."""

import math
from dataclasses import dataclass
from typing import Any

from scipy.special import stdtrit

from dashboard.frame.scope import Scope
from dashboard.queries.latency import GROUPS
from harness.analysis import Estimate, wilson
from harness.analysis.interval import DEFAULT_CONFIDENCE
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GraderResult:
    """One grader over one strategy. `ungraded`: it failed there; never read as 0."""

    grader: str
    strategy: str
    score: Estimate
    passed: Estimate
    ungraded: int


def group_quality(view: Snapshot, scope: Scope, group_by: str) -> tuple[GroupQuality, ...]:
    """Tiers and mean score by provider, model, strategy or run."""
    ctes, values = scope.ctes(view)
    ok = "status = 'ok'"
    tiers = ", ".join(
        f"count(CASE WHEN {ok} AND quality_tier = '{tier}' THEN 1 END) AS {tier}" for tier in TIERS
    )
    rows = view.dicts(
        f"""{ctes} SELECT {GROUPS[group_by]} AS grp, {tiers},
            count(CASE WHEN {ok} AND quality_tier IS NULL THEN 1 END) AS ungraded,
            count(CASE WHEN {ok} THEN NULL ELSE 1 END) AS failed, count(DISTINCT case_id) AS cases
        FROM scoped GROUP BY grp ORDER BY count(*) DESC, grp""",
        values,
    )
    scores, highs = _means(view, scope, group_by)
    return tuple(
        GroupQuality(
            group=row["grp"],
            tiers={tier: row[tier] for tier in TIERS},
            ungraded=row["ungraded"],
            failed=row["failed"],
            high=_share(row, highs.get(row["grp"])),
            score=(scores.get(row["grp"]) or NOTHING).estimate(),
            cases=row["cases"],
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredMean:
    """What a cluster-robust mean needs: n values in clusters, and the sum of squared cluster sums."""

    mean: float | None
    n: int
    clusters: int
    squares: float

    def estimate(self) -> Estimate:
        """The mean with its t interval, as `analysis.cluster.clustered_mean` computes it."""
        half = None
        if self.mean is not None and self.clusters > 1:
            error = math.sqrt(self.clusters / (self.clusters - 1) * self.squares) / self.n
            half = float(stdtrit(self.clusters - 1, 0.5 + DEFAULT_CONFIDENCE / 2)) * error
        return Estimate(
            value=self.mean,
            low=None if half is None or self.mean is None else self.mean - half,
            high=None if half is None or self.mean is None else self.mean + half,
            confidence=DEFAULT_CONFIDENCE,
            method="cluster_t",
            n=self.n,
        )


NOTHING = ClusteredMean(mean=None, n=0, clusters=0, squares=0.0)


def _share(row: dict[str, Any], found: ClusteredMean | None) -> Estimate:
    """The share of the high tier: Wilson's interval for single answers, clustered where cases repeat."""
    graded = sum(row[tier] for tier in TIERS)
    if found is None or found.clusters == found.n or row["high"] in (0, graded):
        return wilson(row["high"], graded)
    estimate = found.estimate()
    return Estimate(
        value=estimate.value,
        low=None if estimate.low is None else max(0.0, estimate.low),
        high=None if estimate.high is None else min(1.0, estimate.high),
        confidence=estimate.confidence,
        method=estimate.method,
        n=estimate.n,
    )


def _means(
    view: Snapshot, scope: Scope, group_by: str
) -> tuple[dict[str, ClusteredMean], dict[str, ClusteredMean]]:
    """Mean score and share of the high tier by group, with the squared sums of their clusters.

    A cluster is a case, or a request of none: those are summed in one go, without a group of their own each.
    """
    ctes, values = scope.ctes(view)
    kept = view.kept(
        f"""{ctes}, answered AS (
            SELECT {GROUPS[group_by]} AS grp, case_id, quality_score AS score,
                CASE WHEN quality_tier IS NOT NULL THEN (quality_tier = 'high')::INTEGER::DOUBLE END AS high
            FROM scoped WHERE status = 'ok'
        )
        SELECT grp, {_TOTALS} FROM answered WHERE case_id IS NULL GROUP BY grp
        UNION ALL
        SELECT grp, {_TOTALS_OF_CASE} FROM answered WHERE case_id IS NOT NULL GROUP BY grp, case_id""",
        values,
    )
    return _clustered(view, kept.table, "score"), _clustered(view, kept.table, "high")


_VALUES = ("score", "high")
_TOTALS = ", ".join(
    f"sum({x}) AS {x}_total, count({x}) AS {x}_k, count({x}) AS {x}_clusters, avg({x}) AS {x}_mean, "
    f"var_pop({x}) AS {x}_variance"
    for x in _VALUES
)
_TOTALS_OF_CASE = ", ".join(
    f"sum({x}) AS {x}_total, count({x}) AS {x}_k, 1 AS {x}_clusters, NULL AS {x}_mean, NULL AS {x}_variance"
    for x in _VALUES
)


def _clustered(view: Snapshot, table: str, x: str) -> dict[str, ClusteredMean]:
    """The means of one value over rows that are a case each, or all single requests of a group."""
    rows = view.dicts(
        f"""WITH known AS (FROM {table} WHERE {x}_k > 0), centre AS (
            SELECT grp, sum({x}_total) / sum({x}_k) AS mean FROM known GROUP BY grp
        )
        SELECT grp, any_value(mean) AS mean, sum({x}_k)::BIGINT AS n, sum({x}_clusters)::BIGINT AS clusters,
            sum(CASE WHEN {x}_variance IS NULL THEN ({x}_total - {x}_k * mean) ** 2
                ELSE {x}_k * ({x}_variance + ({x}_mean - mean) ** 2) END) AS squares
        FROM known JOIN centre USING (grp) GROUP BY grp"""
    )
    return {row.pop("grp"): ClusteredMean(**row) for row in rows}


def graders(view: Snapshot, scope: Scope) -> tuple[GraderResult, ...]:
    """What each grader says, by strategy."""
    ctes, values = scope.ctes(view)
    rows = view.dicts(
        f"""{ctes}, graded AS (
            SELECT g.grader, coalesce(s.strategy, 'unknown') AS strategy, g.score, g.passed,
                coalesce(s.case_id, s.run_id || s.request_id) AS name
            FROM grades g JOIN scoped s USING (run_id, request_id)
        ), cluster AS (
            SELECT grader, strategy, name, sum(score) AS total, count(score) AS k, count(*) AS rows,
                count(*) FILTER (passed) AS passed, count(passed) AS judged
            FROM graded GROUP BY ALL
        ), centre AS (
            SELECT grader, strategy, sum(total) / nullif(sum(k), 0) AS mean FROM cluster GROUP BY ALL
        )
        SELECT grader, strategy, any_value(mean) AS mean, sum(k)::BIGINT AS n,
            count(*) FILTER (k > 0) AS clusters, sum((total - k * mean) ** 2) AS squares,
            sum(passed)::BIGINT AS passed, sum(judged)::BIGINT AS judged, sum(rows - k)::BIGINT AS ungraded
        FROM cluster JOIN centre USING (grader, strategy) GROUP BY ALL ORDER BY grader, strategy""",
        values,
    )
    return tuple(
        GraderResult(
            grader=row["grader"],
            strategy=row["strategy"],
            score=ClusteredMean(
                mean=row["mean"], n=row["n"], clusters=row["clusters"], squares=row["squares"] or 0.0
            ).estimate(),
            passed=wilson(row["passed"], row["judged"]),
            ungraded=row["ungraded"],
        )
        for row in rows
    )


def weak_requests(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """Requests that failed or fell short of the high tier, worst first."""
    ctes, values = scope.ctes(view)
    return view.dicts(
        f"""{ctes} SELECT request_id, case_id, strategy, status, error_kind, quality_tier,
            quality_score, fallback_reason, draft_model, repair_model, latency_ms,
            cost_usd::DOUBLE AS cost_usd
        FROM scoped WHERE status != 'ok' OR quality_tier IN ('low', 'medium')
        ORDER BY status = 'ok', quality_score NULLS FIRST, request_id LIMIT {WEAK}""",
        values,
    )


def weak_cases(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """Cases with a failed or less than high answer, worst mean first; empty where requests have no cases."""
    ctes, values = scope.ctes(view)
    return view.dicts(
        f"""{ctes} SELECT case_id, count(*) AS n, count(*) FILTER (status != 'ok') AS failed,
            count(*) FILTER (quality_tier = 'low') AS low,
            count(*) FILTER (quality_tier = 'medium') AS medium,
            avg(quality_score) AS mean_score, min(quality_score) AS worst_score
        FROM scoped WHERE case_id IS NOT NULL GROUP BY case_id
        HAVING count(*) FILTER (status != 'ok' OR quality_tier IN ('low', 'medium')) > 0
        ORDER BY mean_score NULLS FIRST, case_id LIMIT {WEAK}""",
        values,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDetail:
    """One request with everything stored about it."""

    row: dict[str, Any]
    grades: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    contents: list[dict[str, Any]]


def request_detail(view: Snapshot, scope: Scope, request_id: str) -> RequestDetail | None:
    """A request of the selection; None when there is none of that id in it."""
    ctes, values = scope.ctes(view)
    found = view.dicts(f"{ctes} SELECT * FROM scoped WHERE request_id = ? LIMIT 1", [*values, request_id])
    if not found:
        return None
    key = [found[0]["run_id"], request_id]
    where = "WHERE run_id = ? AND request_id = ?"
    return RequestDetail(
        row=found[0],
        grades=view.dicts(f"SELECT grader, score, passed, detail FROM grades {where} ORDER BY grader", key),
        calls=view.dicts(
            f"""SELECT role, attempt, provider, model, outcome, error_kind, latency_ms,
                input_tokens, output_tokens, cost_usd::DOUBLE AS cost_usd
            FROM calls {where} ORDER BY started_at, call_id""",
            key,
        ),
        contents=view.dicts(
            "SELECT kind, text FROM contents WHERE request_id = ? AND (run_id = ? OR run_id IS NULL) "
            "ORDER BY ts, kind LIMIT 20",
            [request_id, found[0]["run_id"]],
        ),
    )
