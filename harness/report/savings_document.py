"""Savings as JSON and as the rows of tables: `harness savings` and the dashboard show the same."""

from collections.abc import Sequence
from typing import Any

from harness.analysis.estimate import Estimate
from harness.report import wording
from harness.report.cost import cost_payload
from harness.strategies.savings import (
    MeasuredSaving,
    SavingsReport,
    SideFacts,
    SideFigures,
    Volume,
    WhatIf,
)

SCHEMA = "harness.savings.v1"
WHAT_IF_ASSUMPTION = (
    "the same recorded tokens at other models' prices; another model would have used other tokens, "
    "and repaired more or less often"
)
SIDE_HEAD = ("side", "requests", "cost per request", "95% interval", "draft", "repair", "per 1,000")
SAVING_HEAD = ("B against A", "saved per request", "95% interval", "saved", "95% interval", "n", "verdict")
NAIVE_HEAD = (
    "side",
    "true cost",
    "naive cost",
    "naive misstates by",
    "one provider alone",
    "saved against it",
)
WHAT_IF_HEAD = ("draft at", "repair at", "cost per request", "saved against what was paid", "95% interval")


def savings_document(report: SavingsReport) -> dict[str, Any]:
    """The report as one JSON object; amounts are USD, ratios 0..1, positive savings are cheaper."""
    return {
        "schema": SCHEMA,
        "confidence": report.confidence,
        "decided_at": report.decided_at,
        "per_month": report.per_month,
        "sides": [_side(figures, report.per_month) for figures in report.sides],
        "savings": [saving_json(found) for found in report.savings],
    }


def side_rows(report: SavingsReport) -> list[tuple[str, ...]]:
    """One line a side."""
    return [
        (
            figures.side.name,
            f"{figures.priced:,}" + (f" (+{figures.unpriced:,} unpriced)" if figures.unpriced else ""),
            wording.usd(figures.total.per_request.value),
            wording.usd_interval(figures.total.per_request),
            wording.usd(figures.draft.per_request.value),
            wording.usd(figures.repair.per_request.value),
            wording.usd(figures.total.per_1000.value, 2),
            *((wording.usd(figures.total.per_month.value, 2),) if figures.total.per_month else ()),
        )
        for figures in report.sides
    ]


def together_words(savings: int, confidence: float) -> str | None:
    """What so many verdicts claim; None where one stands alone."""
    if savings < 2:
        return None
    return f"all {savings} savings hold together at {confidence * 100:.10g}% (Bonferroni)"


def saving_rows(report: SavingsReport) -> list[tuple[str, ...]]:
    """One line for each side against the first."""
    return [
        (
            found.b.name,
            wording.usd(found.total.per_request.value),
            wording.usd_interval(found.total.per_request),
            wording.percent(found.ratio.value),
            wording.ratio_interval(found.ratio),
            wording.count(found.total.per_request.n, "case")
            if found.paired
            else wording.count(found.total.per_request.n, "request"),
            saving_verdict(found),
        )
        for found in report.savings
    ]


def naive_rows(sides: Sequence[SideFigures]) -> list[tuple[str, ...]]:
    """The true cost beside the naive one: all tokens at the draft model's price."""
    rows: list[tuple[str, ...]] = []
    for figures in sides:
        sums = figures.breakdown
        if sums is None or not sums.n_compared:
            continue
        misstated, saved = sums.misstatement_ratio, sums.saving_ratio
        rows.append(
            (
                figures.side.name,
                wording.usd(sums.compared_cost_usd),
                wording.usd(sums.naive_cost_usd),
                wording.UNKNOWN if misstated is None else f"{misstated:+.1%}",
                wording.usd(sums.single_provider_cost_usd),
                wording.percent(None if saved is None else float(saved)),
            )
        )
    return rows


def what_if_rows(figures: SideFigures) -> list[tuple[str, ...]]:
    """The cells of one side, cheapest first."""
    return [
        (
            str(cell.draft),
            str(cell.repair),
            wording.usd(cell.cost_per_request.value),
            wording.percent(cell.saving.value),
            wording.ratio_interval(cell.saving),
        )
        for cell in figures.what_if
    ]


def saving_verdict(found: MeasuredSaving) -> str:
    """cheaper, dearer, no difference seen, unknown, or not comparable, by the interval of the saving."""
    if found.refused is not None:
        return "not comparable"
    bounds = found.total.per_request
    if bounds.value is None or bounds.low is None or bounds.high is None:
        return "unknown"
    if bounds.low > 0:
        return "cheaper"
    return "dearer" if bounds.high < 0 else "no difference seen"


def _side(figures: SideFigures, per_month: int | None) -> dict[str, Any]:
    return {
        **_name(figures.side),
        "requests": figures.side.requests,
        "priced_requests": figures.priced,
        "unpriced_requests": figures.unpriced,
        "cases": figures.cases,
        "caution": "; ".join(figures.side.cautions) or None,
        "total": _volume(figures.total),
        "draft": _volume(figures.draft),
        "repair": _volume(figures.repair),
        "exact": None if figures.breakdown is None else cost_payload(figures.breakdown, per_month=per_month),
        "what_if": {
            "assumption": WHAT_IF_ASSUMPTION,
            "reason": figures.no_what_if,
            "cells": [_cell(cell) for cell in figures.what_if],
        },
    }


def _name(side: SideFacts) -> dict[str, Any]:
    return {
        "label": side.label,
        "run_id": side.run_id,
        "run_name": side.run_name,
        "run_status": side.run_status,
        "strategy": side.strategy,
        "provider_mode": side.mode,
    }


def saving_json(found: MeasuredSaving) -> dict[str, Any]:
    """What one side saves against another."""
    return {
        "a": _name(found.a),
        "b": _name(found.b),
        "refused": found.refused,
        "warning": found.warning,
        "paired": found.paired,
        "verdict": saving_verdict(found),
        "saving_ratio": estimate_json(found.ratio),
        "total": _volume(found.total),
        "draft": _volume(found.draft),
        "repair": _volume(found.repair),
        "unpriced_a": found.unpriced_a,
        "unpriced_b": found.unpriced_b,
        "cases_left_out": found.cases_left_out,
    }


def _cell(cell: WhatIf) -> dict[str, Any]:
    return {
        "draft": {"provider": cell.draft.provider, "model": cell.draft.model},
        "repair": {"provider": cell.repair.provider, "model": cell.repair.model},
        "cost_per_request_usd": estimate_json(cell.cost_per_request),
        "saving_ratio": estimate_json(cell.saving),
    }


def _volume(volume: Volume) -> dict[str, Any]:
    return {
        "per_request_usd": estimate_json(volume.per_request),
        "per_1000_usd": estimate_json(volume.per_1000),
        "per_month_usd": None if volume.per_month is None else estimate_json(volume.per_month),
    }


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    """A figure with its interval and n."""
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "confidence": estimate.confidence,
        "method": estimate.method,
        "n": estimate.n,
    }
