# ruff: noqa: S608 - names come from declarations and this module's lists, values are bound
"""What a rule's metric, aggregation and scope mean over the room's rows; values are bound.

Metrics are those of the declared figures, so that an alert counts what every page and report counts.
"""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from harness.alerts.rule import Amount, Condition, Rule
from harness.figures import Mean, Rows, Selection, Share, figure_named
from harness.figures.selection import tag_sql
from harness.figures.tags import tag_of_group
from harness.store import Snapshot

_FIGURES: dict[Amount | Condition, str] = {
    "cost_usd": "cost_per_request",
    "draft_cost_usd": "draft_cost_per_request",
    "repair_cost_usd": "repair_cost_per_request",
    "quality_score": "quality_score",
    "errors": "error_ratio",
    "mixed_providers": "mixed_providers",
    "cache_hits": "prompt_cache_hit",
    "fallbacks": "fallback_ratio",
    "high_tier": "high_tier",
}
"""Metrics that are a figure's own."""

_OWN: dict[Amount | Condition, str] = {
    # failures rank above every success, as in the gate
    "latency_ms": "CASE WHEN status = 'ok' THEN ms ELSE 'infinity'::DOUBLE END",
    "requests": "TRUE",
    "fixtures": """CASE WHEN 'fixtures' IN (coalesce(draft_source, ''), coalesce(repair_source, ''), mode)
        THEN TRUE WHEN draft_source IS NOT NULL OR mode <> 'unknown' THEN FALSE END""",
    "unpriced": "usd IS NULL",
}

_ADDED = {
    "sum": "sum(total) {0}",
    "per_hour": "sum(total) {0} * 3600 / $window",
    "mean": "sum(total) {0} / nullif(sum(known) {0}, 0)",
    "max": "max(greatest_x) {0}",
    "count": "sum(hits) {0}",
    "ratio": "sum(hits) {0} / nullif(sum(known) {0}, 0)",
}
"""Aggregations that add up from short spans of time, so that each request is looked at once."""

_RANKED = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def metric_sql(metric: Amount | Condition) -> str:
    """The metric of one request, over `counted`; NULL is unknown and never counts."""
    if metric in _OWN:
        return _OWN[metric]
    rule = figure_named(_FIGURES[metric]).rule
    if isinstance(rule, Share):
        return f"CASE WHEN {rule.of} THEN coalesce({rule.hit}, FALSE) END"
    if isinstance(rule, Mean):
        return f"CASE WHEN {rule.of} THEN {rule.value} END"
    raise TypeError(f"{metric} has no value of a single request")


def rows_in_scope(view: Snapshot, rule: Rule, start: datetime, end: datetime) -> Rows:
    """The requests that a rule looks at for ticks between two moments."""
    scope = rule.scope
    return Rows(
        view,
        Selection(
            kinds=tuple(kind.value for kind in scope.run_kinds),
            environments=_one(scope.environment),
            draft_providers=_one(scope.provider),
            draft_models=_one(scope.model),
            strategies=_one(scope.strategy),
            tasks=_one(scope.task),
            tags=scope.tags,
            since=start - timedelta(seconds=reach_s(rule)),
            until=end + timedelta(microseconds=1),
        ),
    )


def unknown_tags(view: Snapshot, rules: Iterable[Rule]) -> list[str]:
    """A sentence for each tag that a rule filters or groups by and no stored request has."""
    return [
        f"rule '{rule.name}': no request of the store has a tag '{name}'"
        for rule in rules
        for name in rule.tag_names
        if not view.rows(f"SELECT 1 FROM requests WHERE {tag_sql(name)} IS NOT NULL LIMIT 1")
    ]


def reach_s(rule: Rule) -> int:
    """How far before its tick a rule looks, seconds."""
    return rule.window_s * (2 if rule.compare == "change" else 1)


def points(
    view: Snapshot, rule: Rule, start: datetime, end: datetime, step: timedelta
) -> list[dict[str, Any]]:
    """One row a tick and group with data: now, samples now, rows now, and the same of the window before.

    Keys: tick, grp, value, n, requests, previous, previous_n. A request exactly at a window's beginning is
    outside, at its end inside. One that reached the store twice, by a service's spool and by its log, counts
    once.
    """
    rows = rows_in_scope(view, rule, start, end)
    if not rows.n:
        return []
    ranked = rule.aggregation in _RANKED
    tile_us = math.gcd(round(step.total_seconds() * 1e6), rule.window_s * 1_000_000)
    values = {
        "start": start.replace(tzinfo=None),
        "end": end.replace(tzinfo=None),
        "step": step.total_seconds(),
        "window": rule.window_s,
        "reach": reach_s(rule),
    }
    source = _rows_sql(rows, rule)
    pieces = source if ranked else _tiles_sql(source, tile_us, start, rule.metric)
    aggregate = _aggregate(rule)
    current, before = "FILTER (WHERE fresh)", "FILTER (WHERE NOT fresh)"
    kept = view.kept(f"{rows.ctes} {pieces}", rows.values)
    return view.dicts(
        f"""
        WITH ticks AS (
            SELECT unnest(range($start::TIMESTAMP, $end::TIMESTAMP + INTERVAL 1 MICROSECOND,
                to_seconds($step))) AS tick
        ),
        seen AS (
            SELECT tick, moment > tick - to_seconds($window) AS fresh, p.*
            FROM ticks JOIN {kept.table} p ON moment > tick - to_seconds($reach) AND moment <= tick
        )
        SELECT tick, grp, {aggregate.format(current)} AS value,
            coalesce(sum(known) {current}, 0)::BIGINT AS n,
            coalesce(sum(requests) {current}, 0)::BIGINT AS requests,
            {aggregate.format(before)} AS previous,
            coalesce(sum(known) {before}, 0)::BIGINT AS previous_n
        FROM seen GROUP BY tick, grp ORDER BY tick, grp""",
        values,
    )


def _aggregate(rule: Rule) -> str:
    if rule.aggregation in _RANKED:
        return f"quantile_cont(x::DOUBLE, {_RANKED[rule.aggregation]}) {{0}}"
    return _ADDED[rule.aggregation]


def _rows_sql(rows: Rows, rule: Rule) -> str:
    """SELECT of moment, group and metric, a request a row."""
    group = _group_sql(rule.group_by)
    once = "" if _apart(rows) else "DISTINCT ON (request_id, arrived_at)"
    order = "" if _apart(rows) else "ORDER BY request_id, arrived_at, run_id"
    return f"""SELECT {once} arrived_at AS moment, {group} AS grp, {metric_sql(rule.metric)} AS x,
        CASE WHEN x IS NULL THEN 0 ELSE 1 END AS known, 1 AS requests
        FROM counted WHERE arrived_at IS NOT NULL {order}"""


def _group_sql(group_by: str | None) -> str:
    """The group of a request; NULL where it does not tell it."""
    if group_by is None:
        return "NULL::VARCHAR"
    tag = tag_of_group(group_by)
    return group_by if tag is None else tag_sql(tag)


def _tiles_sql(source: str, tile_us: int, start: datetime, metric: str) -> str:
    """The rows added up in spans that every window is made of whole; `moment` is a span's end."""
    amount = "DECIMAL(18, 10)" if metric.endswith("_usd") else "DOUBLE"  # money adds up exactly
    origin_us = round(start.timestamp() * 1e6)
    whole = f"ceil((epoch_us(moment) - {origin_us}) / {tile_us}.0)::BIGINT"
    return f"""SELECT make_timestamp({origin_us} + {whole} * {tile_us}) AS moment, grp,
        count(x) AS known, count(*) AS requests, sum(x::{amount}) AS total, max(x::{amount}) AS greatest_x,
        sum(x::{amount}) AS hits
        FROM ({source}) GROUP BY ALL"""


def _apart(rows: Rows) -> bool:
    """No two runs of the selection overlap in time, so that no request can be in two of them."""
    spans = rows.view.rows(f"SELECT first_at, last_at FROM {rows.tally.table} ORDER BY first_at")
    known = [span for span in spans if None not in span]
    return all(earlier[1] < later[0] for earlier, later in pairwise(known))


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)
