"""The two Datadog dashboards, drawn from the metric catalogue."""

from typing import Any

from harness.alerts.datadog_query import metric_query
from harness.telemetry.catalogue import (
    COMPLETED,
    COST_USD,
    DRAFT_COST_USD,
    FAILED,
    LATENCY_MS,
    REPAIR_COST_USD,
    Metric,
)

SCOPE = "$environment"
_HOUR_S = 3600
_QUANTILES = ("p50", "p95", "p99")
_ORIGIN = "Made by `harness export datadog`; changes here are overwritten by the next `--apply`."

Query = dict[str, str]


def dashboards() -> list[dict[str, Any]]:
    """LLM Cost Tracking and Provider Performance: the nine charts of the specification."""
    return [
        _dashboard("LLM Cost Tracking", "What requests cost, and whose calls they were. " + _ORIGIN, _cost()),
        _dashboard(
            "Provider Performance", "Latency, errors, quality and cache hits. " + _ORIGIN, _performance()
        ),
    ]


def _cost() -> list[dict[str, Any]]:
    hourly = _query("cost", metric_query(COST_USD, "sum", SCOPE, as_count=True, rollup_s=_HOUR_S))
    draft = metric_query(DRAFT_COST_USD, "sum", SCOPE, by=("provider",), as_count=True, rollup_s=_HOUR_S)
    repair = metric_query(REPAIR_COST_USD, "sum", SCOPE, by=("provider",), as_count=True, rollup_s=_HOUR_S)
    mixed = _share(COMPLETED, f"{SCOPE} AND mixed_providers:true")
    saving = [
        _query("mixed", metric_query(COST_USD, "avg", f"{SCOPE} AND mixed_providers:true")),
        _query("single", metric_query(COST_USD, "avg", f"{SCOPE} AND mixed_providers:false")),
    ]
    return [
        _chart("Cost per hour (USD)", [hourly], {"cost": "USD per hour"}, kind="bars"),
        _chart(
            "Cost by provider, draft and repair (USD per hour)",
            [_query("draft", draft), _query("repair", repair)],
            {"draft": "draft", "repair": "repair"},
            kind="bars",
        ),
        _quantiles("Cost per request, p50/p95/p99 (USD)", COST_USD, ()),
        _chart("Requests answered by two providers (%)", mixed, {"100 * part / whole": "mixed"}),
        _chart(
            "Hybrid saving on repaired requests: two providers against one (%)",
            saving,
            {"100 * (1 - mixed / single)": "saving"},
        ),
    ]


def _performance() -> list[dict[str, Any]]:
    errors = [
        _query("failed", metric_query(FAILED, "sum", SCOPE, by=("provider",), as_count=True)),
        _query("answered", metric_query(COMPLETED, "sum", SCOPE, by=("provider",), as_count=True)),
    ]
    tiers = _query("tiers", metric_query(COMPLETED, "sum", SCOPE, by=("quality_tier",), as_count=True))
    hits = [
        _query(
            "hits",
            metric_query(COMPLETED, "sum", f"{SCOPE} AND cache_hit:true", by=("provider",), as_count=True),
        ),
        _query(
            "told",
            metric_query(
                COMPLETED, "sum", f"{SCOPE} AND NOT cache_hit:none", by=("provider",), as_count=True
            ),
        ),
    ]
    ratio = "100 * default_zero(failed) / (default_zero(failed) + default_zero(answered))"
    return [
        _quantiles("Latency by provider, p50/p95/p99 (ms)", LATENCY_MS, ("provider",)),
        _chart("Error ratio by provider (%)", errors, {ratio: "errors"}),
        _chart("Quality tiers", [tiers], {"tiers": "requests"}, kind="area"),
        _chart("Prompt cache hits by provider (%)", hits, {"100 * default_zero(hits) / told": "hits"}),
    ]


def _share(metric: Metric, part: str) -> list[Query]:
    return [
        _query("part", metric_query(metric, "sum", part, as_count=True)),
        _query("whole", metric_query(metric, "sum", SCOPE, as_count=True)),
    ]


def _quantiles(title: str, metric: Metric, by: tuple[str, ...]) -> dict[str, Any]:
    queries = [_query(name, metric_query(metric, name, SCOPE, by=by)) for name in _QUANTILES]
    return _chart(title, queries, {name: name for name in _QUANTILES})


def _query(name: str, query: str) -> Query:
    return {"data_source": "metrics", "name": name, "query": query}


def _chart(
    title: str, queries: list[Query], formulas: dict[str, str], *, kind: str = "line"
) -> dict[str, Any]:
    """One timeseries; formulas are written over the queries' names, with their aliases."""
    return {
        "definition": {
            "type": "timeseries",
            "title": title,
            "show_legend": True,
            "requests": [
                {
                    "response_format": "timeseries",
                    "queries": queries,
                    "formulas": [{"formula": text, "alias": alias} for text, alias in formulas.items()],
                    "display_type": kind,
                }
            ],
        }
    }


def _dashboard(title: str, description: str, widgets: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": title,
        "description": description,
        "layout_type": "ordered",
        "reflow_type": "auto",
        "template_variables": [{"name": "environment", "prefix": "environment", "defaults": ["production"]}],
        "widgets": widgets,
    }
