"""Strategies against a first one, as JSON and the rows of tables."""

from typing import Any

from harness.figures.sides import mode_name
from harness.report import wording
from harness.report.differences import difference_json, difference_rows
from harness.strategies.comparing import Against, StrategiesReport
from harness.strategies.savings import SideFacts

SCHEMA = "harness.strategies.v1"
STRATEGIES_HEAD = ("figure", "first", "other", "other - first", "interval", "decided at", "n", "verdict")


def strategies_document(report: StrategiesReport) -> dict[str, Any]:
    """The report as one JSON object; a difference is other - first in its own unit."""
    return {
        "schema": SCHEMA,
        "provider_mode": report.mode,
        "kind": report.kind,
        "confidence": report.confidence,
        "correction": "holm",
        "differences_tested": report.differences,
        "first": _run_of(report.first),
        "others": [
            {
                **_run_of(other.side),
                "paired": other.found.cases > 0,
                "cases": other.found.cases,
                "cases_left_out": other.found.cases_left_out,
                "differences": [
                    {**difference_json(found), "decided_at": found.shift.change.confidence}
                    for found in other.found.found
                ],
            }
            for other in report.others
        ],
        "left_out": [{"name": found.name, "reason": found.reason} for found in report.left_out],
        "notes": list(report.notes),
    }


def strategies_rows(other: Against) -> list[tuple[str, ...]]:
    """One line a figure; each interval stands at the confidence that its verdict was decided at."""
    return [
        (*row[:5], f"{found.shift.change.confidence:.2%}", *row[5:])
        for row, found in zip(difference_rows(other.found), other.found.found, strict=True)
    ]


def pairing_words(other: Against) -> str:
    """How the two were compared: case by case, or as two sets."""
    if not other.found.cases:
        return "unpaired: fewer than 10 cases in common"
    left_out = other.found.cases_left_out
    more = f", {wording.count(left_out, 'case')} of only one of them left out" if left_out else ""
    return f"paired over {wording.count(other.found.cases, 'case')}{more}"


def together_words(report: StrategiesReport) -> str:
    """What the verdicts claim, and within which mode."""
    return (
        f"within {mode_name(report.mode)} providers; all {report.differences} verdicts hold together at "
        f"{report.confidence * 100:.10g}% (Holm)"
    )


def _run_of(side: SideFacts) -> dict[str, Any]:
    return {
        "name": side.name,
        "run_id": side.run_id,
        "run_name": side.run_name,
        "strategy": side.strategy,
    }
