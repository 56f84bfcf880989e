"""The alert rules as Datadog monitors: the same metrics, windows, scopes and thresholds."""

from typing import Any

from harness.alerts.datadog_query import metric_query
from harness.alerts.rule import Rule
from harness.telemetry.catalogue import (
    COMPLETED,
    COST_USD,
    DRAFT_COST_USD,
    FAILED,
    LATENCY_MS,
    REPAIR_COST_USD,
    Metric,
)

MANAGED_TAG = "managed-by:harness"
_AMOUNTS: dict[str, Metric] = {
    "cost_usd": COST_USD,
    "draft_cost_usd": DRAFT_COST_USD,
    "repair_cost_usd": REPAIR_COST_USD,
    "latency_ms": LATENCY_MS,
}
_FILTERS = {
    "fixtures": "(draft_source:fixtures OR repair_source:fixtures OR provider_mode:fixtures)",
    "mixed_providers": "mixed_providers:true",
    "cache_hits": "cache_hit:true",
    "fallbacks": "NOT fallback_reason:none",
    "unpriced": "unpriced:true",
    "high_tier": "quality_tier:high",
}
_PRIORITY = {"critical": 1, "warning": 2, "info": 4}
_SCOPE_TAGS = {"environment": "environment", "provider": "provider", "model": "model", "strategy": "strategy"}
_MINUTE_WINDOWS = (1, 5, 10, 15, 30)


def monitor(rule: Rule) -> dict[str, Any]:
    """One rule as a monitor.

    Raises:
        ValueError: Datadog cannot say it (a task, scores, groups that its metrics do not carry).
    """
    window = _window(rule.window_s)
    return {
        "name": f"[harness] {rule.title}",
        "type": "query alert",
        "query": f"{_over(rule)}(last_{window}):{_expression(rule)} {_sign(rule)} {_limit(rule)}",
        "message": f"{rule.message}\n\nRule `{rule.name}`; see the runbook in docs/operations.md.",
        "tags": [MANAGED_TAG, f"rule:{rule.name}", f"severity:{rule.severity}"],
        "priority": _PRIORITY[rule.severity],
        "options": {
            "thresholds": {"critical": float(_limit(rule))},
            "notify_no_data": False,
            "require_full_window": False,
            "include_tags": True,
            "new_group_delay": 60,
        },
    }


def _expression(rule: Rule) -> str:
    if rule.compare == "value":
        return _value(rule)
    share = _value(rule)
    before = _value(rule, shifted=True)
    change = f"{share} - {before}"
    return f"abs({change})" if rule.direction == "either" else change


def _value(rule: Rule, *, shifted: bool = False) -> str:
    """The rule's aggregate; `shifted` by an hour, the only window Datadog can look back to by itself."""
    if shifted and rule.window_s != 3600:
        raise ValueError("Datadog compares with the hour before only: window must be 1h")
    if rule.metric in _AMOUNTS:
        metric = _AMOUNTS[rule.metric]
        counted = rule.aggregation in ("sum", "per_hour")
        aggregator = {"per_hour": "sum", "mean": "avg"}.get(rule.aggregation, rule.aggregation)
        return _shift(
            metric_query(metric, aggregator, _where(rule), by=_by(rule), as_count=counted), shifted=shifted
        )
    return _condition(rule, shifted=shifted)


def _condition(rule: Rule, *, shifted: bool) -> str:
    answered = _shift(_count(COMPLETED, rule), shifted=shifted)
    failed = _shift(_count(FAILED, rule), shifted=shifted)
    if rule.metric == "requests":
        part = f"(default_zero({answered}) + default_zero({failed}))"
    elif rule.metric == "errors":
        part = f"default_zero({failed})"
    elif rule.metric in _FILTERS:
        part = f"default_zero({_shift(_count(COMPLETED, rule, _FILTERS[rule.metric]), shifted=shifted)})"
    else:
        raise ValueError(f"the metric catalogue has no {rule.metric}")
    if rule.aggregation != "ratio":
        return part
    whole = f"(default_zero({answered}) + default_zero({failed}))" if rule.metric == "errors" else answered
    return f"{part} / {whole}"


def _count(metric: Metric, rule: Rule, more: str | None = None) -> str:
    return metric_query(metric, "sum", _where(rule, more), by=_by(rule), as_count=True)


def _shift(query: str, *, shifted: bool) -> str:
    return f"hour_before({query})" if shifted else query


def _where(rule: Rule, more: str | None = None) -> str:
    if rule.scope.task is not None:
        raise ValueError("the metrics carry no task")
    if rule.tag_names:
        raise ValueError("the metrics carry none of your tags")
    values = {tag: getattr(rule.scope, name) for name, tag in _SCOPE_TAGS.items()}
    terms = [f"{tag}:{value}" for tag, value in values.items() if value is not None]
    return " AND ".join([*terms, more] if more else terms) or "*"


def _by(rule: Rule) -> tuple[str, ...]:
    return (rule.group_by,) if rule.group_by else ()


def _window(seconds: int) -> str:
    minutes = seconds // 60
    if seconds % 60 == 0 and minutes in _MINUTE_WINDOWS:
        return f"{minutes}m"
    hours = seconds // 3600
    if seconds % 3600 == 0 and hours in (1, 2, 4, 24):
        return "1d" if hours == 24 else f"{hours}h"
    raise ValueError("Datadog's windows are 1m, 5m, 10m, 15m, 30m, 1h, 2h, 4h and 1d")


def _over(rule: Rule) -> str:
    if rule.metric in _AMOUNTS and rule.aggregation not in ("sum", "per_hour"):
        return (
            "percentile" if rule.aggregation.startswith("p") else {"max": "max"}.get(rule.aggregation, "avg")
        )
    return "sum"


def _sign(rule: Rule) -> str:
    return "<" if rule.direction == "below" else ">"


def _limit(rule: Rule) -> str:
    """The threshold over the whole window: an hourly rate times its hours."""
    hours = rule.window_s / 3600 if rule.aggregation == "per_hour" else 1.0
    return f"{rule.threshold * hours:.10f}".rstrip("0").rstrip(".")
