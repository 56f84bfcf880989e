# ruff: noqa: S608 - names come from this module's allow-lists, values are bound
"""Latency over time, as a distribution, by stage and by attempt, and the slowest requests."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.frame.scope import Scope
from dashboard.queries.latency import GROUPS, LATENCY_SQL, quantile_figure
from harness.analysis import Estimate, Quantile, wilson
from harness.store import Snapshot

QUANTILES = (0.5, 0.95, 0.99)
STAGES = ("draft", "validate", "repair", "suggest")
MOST_BUCKETS = 60
WANTED_PER_BUCKET = 25
"""Fewer requests than 20 have no p95."""
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 604800)
ECDF_POINTS = 200
SLOWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Latency of the requests that arrived in one span of time."""

    at: datetime
    n: int
    failures: int
    quantiles: tuple[Quantile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Buckets in order; empty ones are missing, not zero. `step_s` is their width, seconds."""

    step_s: int
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Share of a group's requests answered within each latency; it ends below 1 where requests failed."""

    group: str
    n: int
    failures: int
    latency_ms: tuple[float, ...]
    share: tuple[float, ...]
    over_limit: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLatency:
    """Percentiles of one stage, or of the attempts of one role at one model."""

    name: tuple[str, ...]
    n: int
    quantiles: tuple[Quantile, ...]
    ttft_p50_ms: float | None = None


def step_for(span_s: float, n: int) -> int:
    """Width of a time bucket: at most 60 of them, each with enough requests for a p95 if possible."""
    wanted = max(span_s / MOST_BUCKETS, span_s * WANTED_PER_BUCKET / max(1, n))
    return next((step for step in STEPS_S if step >= wanted), STEPS_S[-1])


def timeline(view: Snapshot, scope: Scope, source: str) -> Timeline:
    """p50, p95 and p99 over time, by intended start."""
    ctes, values = scope.ctes(view)
    ((span_s, n),) = view.rows(
        f"{ctes} SELECT date_diff('second', min(arrived_at), max(arrived_at)), count(arrived_at) FROM scoped",
        values,
    )
    if not n:
        return Timeline(step_s=STEPS_S[0], buckets=())
    step_s = step_for(float(span_s or 0), n)
    rows = view.dicts(
        f"""{ctes}, timed AS (
            SELECT time_bucket(to_seconds({step_s}), arrived_at) AS bucket, status = 'ok' AS ok,
                {LATENCY_SQL[source]} AS ms
            FROM scoped WHERE arrived_at IS NOT NULL
        )
        SELECT bucket AS at, count(*) FILTER (NOT ok) AS failures, count(ms) FILTER (ok) AS answers,
            max(ms) FILTER (ok) AS slowest,
            quantile_cont(CASE WHEN ok THEN ms ELSE 'inf'::DOUBLE END, {list(QUANTILES)}) AS found
        FROM timed GROUP BY bucket ORDER BY bucket""",
        values,
    )
    return Timeline(step_s=step_s, buckets=tuple(_bucket(row) for row in rows))


def _bucket(row: dict[str, Any]) -> Bucket:
    n = row["failures"] + row["answers"]
    found = row["found"] or [None] * len(QUANTILES)
    return Bucket(
        at=row["at"],
        n=n,
        failures=row["failures"],
        quantiles=tuple(
            quantile_figure(q, value, row["slowest"], n, row["failures"])
            for q, value in zip(QUANTILES, found, strict=True)
        ),
    )


def distributions(
    view: Snapshot, scope: Scope, source: str, group_by: str, limit_ms: float
) -> tuple[Distribution, ...]:
    """The empirical distribution of each group at 200 points, finer towards the tail."""
    ctes, values = scope.ctes(view)
    rows = view.dicts(
        f"""{ctes}, timed AS (
            SELECT {GROUPS[group_by]} AS grp, status = 'ok' AS ok, {LATENCY_SQL[source]} AS ms FROM scoped
        )
        SELECT grp, count(*) FILTER (NOT ok) AS failures, count(ms) FILTER (ok) AS answers,
            count(*) FILTER (ok AND ms > {float(limit_ms)}) AS slow,
            quantile_disc(ms, {_probabilities()}) FILTER (ok) AS found
        FROM timed GROUP BY grp ORDER BY count(*) DESC, grp""",
        values,
    )
    return tuple(_distribution(row) for row in rows)


def _probabilities() -> list[float]:
    """Even up to 0.9, then even in the logarithm of what is left."""
    body = [round(i / 100, 4) for i in range(90)]
    tail = [round(1 - 10 ** (-1 - 3 * i / (ECDF_POINTS - 91)), 6) for i in range(ECDF_POINTS - 90)]
    return [*body, *tail, 1.0]


def _distribution(row: dict[str, Any]) -> Distribution:
    n = row["failures"] + row["answers"]
    found = row["found"] or []
    answered = row["answers"] / n if n else 0.0
    points: dict[float, float] = {}
    for probability, ms in zip(_probabilities(), found, strict=False):
        if ms is not None and math.isfinite(ms):
            points[ms] = max(points.get(ms, 0.0), probability * answered)
    return Distribution(
        group=row["grp"],
        n=n,
        failures=row["failures"],
        latency_ms=tuple(points),
        share=tuple(points.values()),
        over_limit=wilson(row["slow"] + row["failures"], n),
    )


def stages(view: Snapshot, scope: Scope) -> tuple[PartLatency, ...]:
    """Percentiles of each stage of the pipeline, on the server's clock, of answered requests."""
    ctes, values = scope.ctes(view)
    # each record's JSON is read once, for all stages
    paths = [f"$.{stage}" for stage in STAGES]
    casts = ", ".join(f"try_cast(told[{i}] AS DOUBLE) AS {name}" for i, name in enumerate(STAGES, start=1))
    sums = ", ".join(
        f"{{n: count({name}), slowest: max({name}), found: quantile_cont({name}, {list(QUANTILES)})}}"
        for name in STAGES
    )
    (found,) = view.rows(
        f"""{ctes}, answered AS (
            SELECT stages_ms->>{paths} AS told FROM scoped WHERE status = 'ok' AND stages_ms IS NOT NULL
        ), timed AS (SELECT {casts} FROM answered)
        SELECT {sums} FROM timed""",
        values,
    )
    return tuple(_part((name,), row) for name, row in zip(STAGES, found, strict=True) if row["n"])


def attempts(view: Snapshot, scope: Scope) -> tuple[PartLatency, ...]:
    """Percentiles of single attempts by role, provider and model, failed ones left out."""
    ctes, values = scope.ctes(view)
    rows = view.dicts(
        f"""{ctes} SELECT role, provider, model, count(*) AS n, max(c.latency_ms) AS slowest,
            quantile_cont(c.latency_ms, {list(QUANTILES)}) AS found, median(c.ttft_ms) AS ttft
        FROM calls c SEMI JOIN scoped USING (run_id, request_id) WHERE outcome = 'ok'
        GROUP BY role, provider, model
        ORDER BY list_position(['draft', 'repair', 'suggest', 'judge'], role), provider, model""",
        values,
    )
    return tuple(
        _part((row["role"], row["provider"], row["model"]), row, ttft_ms=row["ttft"]) for row in rows
    )


def _part(name: tuple[str, ...], row: dict[str, Any], *, ttft_ms: float | None = None) -> PartLatency:
    return PartLatency(
        name=name,
        n=row["n"],
        quantiles=tuple(
            quantile_figure(q, value, row["slowest"], row["n"], 0)
            for q, value in zip(QUANTILES, row["found"], strict=True)
        ),
        ttft_p50_ms=ttft_ms,
    )


def slowest(view: Snapshot, scope: Scope, source: str) -> list[dict[str, Any]]:
    """The slowest answers, for looking at."""
    ctes, values = scope.ctes(view)
    return view.dicts(
        f"""{ctes} SELECT {LATENCY_SQL[source]} AS latency_ms, request_id, case_id, strategy, draft_source,
            draft_model, repair_source, arrived_at
        FROM scoped WHERE status = 'ok' AND {LATENCY_SQL[source]} IS NOT NULL
        ORDER BY latency_ms DESC LIMIT {SLOWEST}""",
        values,
    )
