"""What a rule's metric, aggregation and scope mean in SQL; names from this list, values bound."""

from typing import Any

from harness.alerts.rule import Amount, Condition, Rule

MEASURES: dict[Amount | Condition, str] = {
    "cost_usd": "r.cost_usd",
    "draft_cost_usd": "r.draft_cost_usd",
    "repair_cost_usd": "r.repair_cost_usd",
    # Failures rank above every success, as in the gate.
    "latency_ms": "CASE WHEN r.status = 'ok' THEN r.server_ms ELSE 'infinity'::DOUBLE END",
    "quality_score": "r.quality_score",
    "requests": "TRUE",
    "errors": "r.status <> 'ok'",
    "fixtures": """CASE
        WHEN r.draft_source = 'fixtures' OR r.repair_source = 'fixtures' OR r.provider_mode = 'fixtures'
        THEN TRUE WHEN r.draft_source IS NOT NULL OR r.provider_mode IS NOT NULL THEN FALSE END""",
    # Of answered requests whose draft's provider is known; without a repair there is nothing to mix.
    "mixed_providers": """CASE
        WHEN r.status = 'ok' AND r.draft_source IS NOT NULL THEN coalesce(r.mixed_providers, FALSE) END""",
    "cache_hits": "r.prompt_cache_hit",
    "fallbacks": "CASE WHEN r.status = 'ok' THEN r.fallback_reason IS NOT NULL END",
    "unpriced": "r.unpriced",
    "high_tier": "r.quality_tier = 'high'",
}
"""Each metric of one request; NULL is unknown and never counts."""

_AGGREGATES = {
    "sum": "sum(x)",
    "per_hour": "sum(x::DECIMAL(18, 10)) * 3600 / $window",
    "mean": "avg(x)",
    "max": "max(x)",
    "p50": "quantile_cont(x::DOUBLE, 0.5)",
    "p95": "quantile_cont(x::DOUBLE, 0.95)",
    "p99": "quantile_cont(x::DOUBLE, 0.99)",
    "count": "count_if(x)",
    "ratio": "count_if(x) / count(x)",
}


def points_sql(rule: Rule) -> str:
    """One row a tick and group with data: now, samples now, rows now, and the same of the window before.

    Bound: `start, end` (naive UTC), `step, window, reach` (seconds), and the scope's values.
    An event that reached the store twice, by a service's spool and by its log, counts once.
    """
    aggregate = _AGGREGATES[rule.aggregation]
    if rule.metric == "latency_ms" and rule.aggregation == "per_hour":
        aggregate = "sum(x) * 3600 / $window"
    group = f"r.{rule.group_by}" if rule.group_by else "NULL::VARCHAR"
    current, before = "FILTER (WHERE fresh)", "FILTER (WHERE NOT fresh)"
    return f"""
        WITH ticks AS (
            SELECT unnest(range($start::TIMESTAMP, $end::TIMESTAMP + INTERVAL 1 MICROSECOND,
                to_seconds($step))) AS tick
        ),
        scoped AS (
            SELECT DISTINCT ON (r.request_id, r.started_at)
                r.started_at AS moment, {MEASURES[rule.metric]} AS x, {group} AS grp
            FROM requests r JOIN runs u USING (run_id)
            WHERE r.started_at > $start::TIMESTAMP - to_seconds($reach) AND r.started_at <= $end
                AND r.warmup IS NOT TRUE AND {" AND ".join(_conditions(rule))}
            ORDER BY r.request_id, r.started_at, r.run_id
        ),
        seen AS (
            SELECT tick, moment > tick - to_seconds($window) AS fresh, x, grp
            FROM ticks JOIN scoped ON moment > tick - to_seconds($reach) AND moment <= tick
        )
        SELECT tick, grp, {_filtered(aggregate, current)} AS value, count(x) {current} AS n,
            count(*) {current} AS requests, {_filtered(aggregate, before)} AS previous,
            count(x) {before} AS previous_n
        FROM seen GROUP BY tick, grp ORDER BY tick, grp"""  # noqa: S608 - names from the tables above


def bound(rule: Rule) -> dict[str, Any]:
    """The values that a rule's scope and window bind."""
    scope = rule.scope
    values: dict[str, Any] = {
        "window": rule.window_s,
        "reach": rule.window_s * (2 if rule.compare == "change" else 1),
        "kinds": [kind.value for kind in scope.run_kinds],
    }
    named = {
        "environment": scope.environment,
        "provider": scope.provider,
        "model": scope.model,
        "strategy": scope.strategy,
        "task": scope.task,
    }
    return values | {name: value for name, value in named.items() if value is not None}


def _conditions(rule: Rule) -> list[str]:
    columns = {
        "environment": "coalesce(r.environment, u.environment)",
        "provider": "r.draft_source",
        "model": "r.draft_model",
        "strategy": "r.strategy",
        "task": "r.task",
    }
    values = bound(rule)
    narrowed = [f"{column} = ${name}" for name, column in columns.items() if name in values]
    return ["list_contains($kinds, u.kind)", *narrowed]


def _filtered(aggregate: str, which: str) -> str:
    """The aggregate with its filter behind each call: one ends at the first closing parenthesis outside."""
    parts = []
    depth = 0
    for character in aggregate:
        parts.append(character)
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == ")" and depth == 0:
            parts.append(f" {which}")
    return "".join(parts)
