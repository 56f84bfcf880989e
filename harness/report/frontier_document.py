"""The frontier as JSON and as the rows of a table: command line and dashboard show the same."""

from typing import Any

from harness.records import Tier
from harness.report.comparable import mode_name
from harness.report.evaluation_document import ms_cell, number_cell, percent_cell, quantile_json
from harness.report.frontier import FrontierReport, Place
from harness.report.replay import replay_document
from harness.report.savings_document import estimate_json

SCHEMA = "harness.frontier.v1"


def frontier_document(report: FrontierReport) -> dict[str, Any]:
    """The report as one JSON object: unknown is null, amounts are USD, ratios 0..1."""
    choice = report.recommendation
    return {
        "schema": SCHEMA,
        "provider_mode": report.mode,
        "kind": report.kind,
        "cases": list(report.cases),
        "confidence": report.confidence,
        "by_latency": report.by_latency,
        "limits": {
            "max_p95_ms": report.limits.max_p95_ms,
            "min_high_tier_ratio": report.limits.min_high_tier,
        },
        "recommendation": {"name": choice.name, "certain": choice.certain, "sentence": choice.sentence},
        "strategies": [_place(place) for place in report.places],
        "replays": replay_document(report.replays) if report.replays else None,
        "left_out": [{"name": found.name, "reason": found.reason} for found in report.left_out],
        "notes": list(report.notes),
    }


FRONTIER_HEAD = ("strategy", "requests, cases", "$ per request", "p95, ms", "high tier", "stands")


def frontier_rows(report: FrontierReport) -> list[tuple[str, ...]]:
    """One line a way, in the order given; each figure with its interval in brackets."""
    return [
        (
            place.name,
            f"{place.figures.requests:,}, {place.figures.cases:,}",
            number_cell(place.figures.cost_per_request, 6),
            ms_cell(place.figures.p95),
            percent_cell(place.figures.tiers[Tier.HIGH]),
            standing_words(place, report),
        )
        for place in report.places
    ]


def standing_words(place: Place, report: FrontierReport) -> str:
    """recommended, on the frontier, beaten by whom, or why it could not be placed."""
    standing = place.standing
    if standing.excluded is not None:
        return f"excluded ({standing.excluded})"
    if place.name == report.recommendation.name:
        return "recommended"
    if standing.on_frontier:
        return "on the frontier"
    sure = "surely beaten" if standing.surely_dominated else "beaten"
    return f"{sure} by {', '.join(standing.dominated_by)}"


def judged_line(report: FrontierReport) -> str:
    """Which requests the figures are of: mode, kind and cases."""
    kind = f" (runs of kind {report.kind.value})" if report.kind is not None else ""
    cases = f", cases {', '.join(report.cases)}" if report.cases else ""
    return (
        f"judged within {mode_name(report.mode)} providers{kind}{cases}; intervals: "
        f"{report.confidence * 100:.10g}%, clustered by case"
    )


def _place(place: Place) -> dict[str, Any]:
    figures, standing = place.figures, place.standing
    return {
        "name": place.name,
        "run_id": place.side.run.run_id,
        "run_name": place.side.run.name,
        "strategy": place.side.strategy,
        "requests": figures.requests,
        "cases": figures.cases,
        "cost_per_request_usd": estimate_json(figures.cost_per_request),
        "p95_ms": quantile_json(figures.p95),
        "high_tier_ratio": estimate_json(figures.tiers[Tier.HIGH]),
        "unpriced_requests": figures.unpriced,
        "untimed_requests": place.untimed,
        "ungraded_requests": place.ungraded,
        "failed_requests": figures.requests - figures.ok,
        "on_frontier": standing.on_frontier,
        "dominated_by": list(standing.dominated_by),
        "surely_dominated": standing.surely_dominated,
        "excluded": standing.excluded,
    }
