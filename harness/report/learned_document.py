"""A learned router as JSON."""

from typing import Any

from harness.report.frontier_document import curve_document, mix_document
from harness.strategies.learned import LearnedReport

SCHEMA = "harness.learned.v1"


def learned_document(report: LearnedReport) -> dict[str, Any]:
    """The report as one JSON object: unknown is null, amounts are USD, ratios 0..1."""
    return {
        "schema": SCHEMA,
        "provider_mode": report.mode,
        "weak": str(report.weak),
        "strong": str(report.strong),
        "confidence": report.confidence,
        "cases_trained_on": report.trained,
        "cases_judged_on": report.cases,
        "units_without_features": report.without_features,
        "thresholds": [mix_document(mix) for mix in report.mixes],
        "chosen": report.best,
        "recommended": report.recommended is not None,
        "sentence": report.sentence,
        "curve": curve_document(report.curve),
        "left_out": [{"name": found.name, "reason": found.reason} for found in report.left_out],
        "notes": list(report.notes),
    }
