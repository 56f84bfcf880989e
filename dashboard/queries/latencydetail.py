# ruff: noqa: S608 - names come from this module's allow-lists, values are bound
"""Latency over time, as a distribution, by stage and by attempt, and the slowest requests.

Points of a line have no intervals of their own: the percentiles with intervals are `latency_figures`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.frame.scope import Scope
from harness.analysis.estimate import Estimate
from harness.analysis.percentile import min_requests, neighbours
from harness.figures import Better, Figure, Rows, Share, Unit, measure
from harness.figures.grouping import group_sql
from harness.store import Snapshot

QUANTILES = (0.5, 0.95, 0.99)
STAGES = ("draft", "validate", "repair", "suggest")
MOST_BUCKETS = 60
WANTED_PER_BUCKET = 25
"""Fewer requests than 20 have no p95."""
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 604800)
STEPS_AN_E = 100
"""Points of a distribution for each factor of e in latency: one percent apart."""

SLOWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Latency of the requests that arrived in one span of time."""

    at: datetime
    n: int
    failures: int
    quantiles_ms: tuple[float | None, ...]
    usd_per_request: float | None = None


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
    quantiles_ms: tuple[float | None, ...]
    ttft_p50_ms: float | None = None


def step_for(span_s: float, n: int) -> int:
    """Width of a time bucket: at most 60 of them, each with enough requests for a p95 if possible."""
    wanted = max(span_s / MOST_BUCKETS, span_s * WANTED_PER_BUCKET / max(1, n))
    return next((step for step in STEPS_S if step >= wanted), STEPS_S[-1])


def timeline(view: Snapshot, scope: Scope) -> Timeline:
    """p50, p95 and p99 over time, by intended start."""
    selected = Rows(view, scope)
    ((span_s, n),) = view.rows(
        f"""SELECT date_diff('second', min(first_at), max(last_at)), coalesce(sum(arrivals), 0)::BIGINT
        FROM {selected.tally.table}"""
    )
    if not n:
        return Timeline(step_s=STEPS_S[0], buckets=())
    step_s = step_for(float(span_s or 0), n)
    rows = selected.dicts(
        f""", timed AS (
            SELECT time_bucket(to_seconds({step_s}), arrived_at) AS bucket, status = 'ok' AS ok, ms, usd
            FROM counted WHERE arrived_at IS NOT NULL
        )
        SELECT bucket AS at, count(*) FILTER (NOT ok) AS failures, count(ms) FILTER (ok) AS answers,
            max(ms) FILTER (ok) AS slowest, avg(usd)::DOUBLE AS usd,
            quantile_cont(CASE WHEN ok THEN ms ELSE 'inf'::DOUBLE END, {list(QUANTILES)}) AS found
        FROM timed GROUP BY bucket ORDER BY bucket"""
    )
    return Timeline(step_s=step_s, buckets=tuple(_bucket(row) for row in rows))


def _bucket(row: dict[str, Any]) -> Bucket:
    n = row["failures"] + row["answers"]
    found = row["found"] or [None] * len(QUANTILES)
    return Bucket(
        at=row["at"],
        n=n,
        failures=row["failures"],
        usd_per_request=row["usd"],
        quantiles_ms=tuple(
            _point_ms(q, value, row["slowest"], n, row["failures"])
            for q, value in zip(QUANTILES, found, strict=True)
        ),
    )


def distributions(view: Snapshot, scope: Scope, group_by: str, limit_ms: float) -> tuple[Distribution, ...]:
    """The empirical distribution of each group, exact at points one percent apart."""
    selected = Rows(view, scope)
    slow = measure(selected, [_over(limit_ms)], by=group_by)
    rows = selected.rows(
        f"""SELECT {group_sql(group_by)} AS grp, CASE WHEN status = 'ok' THEN
                floor(ln(greatest(ms, 1e-3)) * {STEPS_AN_E})::INTEGER END AS step, count(*) AS n,
            count(CASE WHEN status <> 'ok' THEN 1 END) AS failures
        FROM counted WHERE status <> 'ok' OR ms IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    )
    return tuple(
        _distribution(group, [row[1:] for row in rows if row[0] == group], slow[group]["over_limit"])
        for group in slow
    )


def _over(limit_ms: float) -> Figure:
    return Figure(
        name="over_limit",
        title="over the limit",
        unit=Unit.RATIO,
        better=Better.LESS,
        rows="requests of known latency, and failed ones",
        source="latency",
        rule=Share(hit=f"status <> 'ok' OR ms > {float(limit_ms)}", of="status <> 'ok' OR ms IS NOT NULL"),
    )


def _distribution(
    group: str, steps: Sequence[tuple[int | None, int, int]], over_limit: Estimate
) -> Distribution:
    """Exact shares at the upper ends of the steps."""
    failures = sum(failed for _, _, failed in steps)
    n = sum(count for _, count, _ in steps)
    latency_ms, share, reached = [], [], 0
    for step, count, _ in steps:
        if step is not None:
            reached += count
            latency_ms.append(math.exp((step + 1) / STEPS_AN_E))
            share.append(reached / n)
    return Distribution(
        group=group,
        n=n,
        failures=failures,
        latency_ms=tuple(latency_ms),
        share=tuple(share),
        over_limit=over_limit,
    )


def stages(view: Snapshot, scope: Scope) -> tuple[PartLatency, ...]:
    """Percentiles of each stage of the pipeline, on the server's clock, of answered requests."""
    # each record's JSON is read once, for all stages
    paths = [f"$.{stage}" for stage in STAGES]
    casts = ", ".join(f"try_cast(told[{i}] AS DOUBLE) AS {name}" for i, name in enumerate(STAGES, start=1))
    sums = ", ".join(
        f"{{n: count({name}), slowest: max({name}), found: quantile_cont({name}, {list(QUANTILES)})}}"
        for name in STAGES
    )
    (found,) = Rows(view, scope).rows(
        f""", answered AS (
            SELECT stages_ms->>{paths} AS told FROM counted WHERE status = 'ok' AND stages_ms IS NOT NULL
        ), timed AS (SELECT {casts} FROM answered)
        SELECT {sums} FROM timed"""
    )
    return tuple(_part((name,), row) for name, row in zip(STAGES, found, strict=True) if row["n"])


def attempts(view: Snapshot, scope: Scope) -> tuple[PartLatency, ...]:
    """Percentiles of single attempts by role, provider and model, failed ones left out."""
    rows = Rows(view, scope).dicts(
        f"""SELECT role, provider, model, count(*) AS n, max(c.latency_ms) AS slowest,
            quantile_cont(c.latency_ms, {list(QUANTILES)}) AS found, median(c.ttft_ms) AS ttft
        FROM calls c SEMI JOIN counted USING (run_id, request_id) WHERE outcome = 'ok'
        GROUP BY role, provider, model
        ORDER BY list_position(['draft', 'repair', 'suggest', 'judge'], role), provider, model"""
    )
    return tuple(
        _part((row["role"], row["provider"], row["model"]), row, ttft_ms=row["ttft"]) for row in rows
    )


def _part(name: tuple[str, ...], row: dict[str, Any], *, ttft_ms: float | None = None) -> PartLatency:
    return PartLatency(
        name=name,
        n=row["n"],
        quantiles_ms=tuple(
            _point_ms(q, value, row["slowest"], row["n"], 0)
            for q, value in zip(QUANTILES, row["found"], strict=True)
        ),
        ttft_p50_ms=ttft_ms,
    )


def slowest(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """The slowest answers, for looking at."""
    return Rows(view, scope).dicts(
        f"""SELECT ms AS latency_ms, request_id, case_id, strategy, draft_source, draft_model, repair_source,
            arrived_at, run_id
        FROM counted WHERE status = 'ok' AND ms IS NOT NULL ORDER BY latency_ms DESC LIMIT {SLOWEST}"""
    )


def _point_ms(q: float, value: float | None, slowest_ms: float | None, n: int, failures: int) -> float | None:
    """A percentile from SQL, in which failures are infinite; None among failures, or of too few requests."""
    if n == 0 or neighbours(n, q)[1] >= n - failures or n < min_requests(q):
        return None
    # exactly at the last answer, where rounding may have touched the first failure
    return value if value is not None and math.isfinite(value) else slowest_ms
