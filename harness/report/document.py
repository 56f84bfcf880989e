"""The JSON report: a run's figures and requests in one versioned file, for where there is no store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from harness.analysis.estimate import Estimate
from harness.figures.declaration import Figure
from harness.figures.spending import Spending
from harness.figures.summary import RunSummary
from harness.records import Call, Grade, Request, dump_json
from harness.store.database.typed import StoredRun
from harness.version import __version__

SCHEMA = "harness.report.v1"
"""Raised when a field changes its meaning; new fields alone do not raise it. What counts are the rows: a
reader computes figures and verdict again, so `figures` may be shown in a better way."""

SECTIONS = (
    "schema",
    "written_at",
    "written_by",
    "run",
    "figures",
    "summary",
    "evaluation",
    "gate",
    "ruler",
    "requests",
    "calls",
    "grades",
)
"""The top of a report."""

RUN_FIELDS = tuple(entry.name for entry in fields(StoredRun) if entry.name != "owner")


def report_document(
    summary: RunSummary,
    run: StoredRun,
    requests: Sequence[Request],
    calls: Sequence[Call],
    *,
    gate: Mapping[str, Any] | None = None,
    ruler: Mapping[str, Any] | None = None,
    written_at: datetime | None = None,
) -> dict[str, Any]:
    """The report as a JSON object; unknown columns are left out of a request, not written as zero.

    Args:
        summary: of `run_summary`.
        run: the run.
        requests: all, warm-ups included and marked.
        calls: attempts.
        gate: the gate's own JSON, when it has spoken.
        ruler: what the last `harness calibrate` of the store found, when there was one.
        written_at: the moment of writing; None is now.
    """
    told = summary_document(summary)
    return {
        "schema": SCHEMA,
        "written_at": written_at or datetime.now(UTC),
        "written_by": f"harness {__version__}",
        "run": run_fields(run),
        "figures": told.pop("figures"),
        "summary": told,
        "gate": gate,
        "ruler": ruler,
        "requests": [known_fields(row) for row in requests],
        "calls": [known_fields(call) for call in calls],
    }


def summary_document(summary: RunSummary) -> dict[str, Any]:
    """A run's summary as `harness runs show --json` prints it: unknown is null, amounts are USD."""
    return {
        "run": asdict(summary.run),
        "requests": summary.requests,
        "ok": summary.ok,
        "warmups": summary.warmups,
        "latency_source": summary.clock,
        "figures": {figure.name: estimate_json(figure, found) for figure, found in summary.measured},
        "tiers": dict(summary.tiers),
        "ungraded": summary.ungraded,
        "fallbacks": dict(summary.fallbacks),
        "spending": spending_json(summary.spending),
        "saving": asdict(summary.saving),
        "errors": [asdict(group) for group in summary.errors],
        "generator": {"suspect": summary.suspect, "reasons": list(summary.suspect_reasons)},
        "telemetry_missing": summary.telemetry_missing,
        "telemetry_broken": summary.telemetry_broken,
        "empty_columns": dict(summary.empty_columns),
    }


def estimate_json(figure: Figure, found: Estimate) -> dict[str, Any]:
    """A figure with its interval and what it rests on, in its own unit."""
    told = {"unit": figure.unit, "better": figure.better, "unknown": found.unknown}
    return {**interval_json(found), **told}


def interval_json(found: Estimate) -> dict[str, Any]:
    """A value with its interval and n, where the name says the unit."""
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "confidence": found.confidence,
        "method": found.method,
        "n": found.n,
        "over_limit": found.over_limit,
    }


def spending_json(spending: Spending) -> dict[str, Any]:
    """What a selection cost: sums over the priced calls, and by role, provider and model."""
    return {
        "total_usd": spending.total_usd,
        "per_request_usd": spending.per_request_usd,
        "priced_requests": spending.priced_requests,
        "draft_usd": spending.draft_usd,
        "repair_usd": spending.repair_usd,
        "judge_usd": spending.judge_usd,
        "warmup_usd": spending.warmup_usd,
        "unpriced_calls": spending.unpriced_calls,
        "rows": [asdict(row) for row in spending.rows],
    }


def document_bytes(document: Mapping[str, Any]) -> bytes:
    """The document as JSON, one request or call a line, so that git shows which ones changed."""
    lines = [f"{_text(name)}: {_lines(value)}" for name, value in document.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _lines(value: Any) -> str:
    if not isinstance(value, list):
        return dump_json(value, indent=True).decode()
    return "[\n" + ",\n".join(_text(entry) for entry in value) + "\n]"


def _text(value: Any) -> str:
    return dump_json(value).decode()


def run_fields(run: StoredRun) -> dict[str, Any]:
    """A run as a report holds it."""
    return {name: getattr(run, name) for name in RUN_FIELDS}


def known_fields(row: Request | Call | Grade) -> dict[str, Any]:
    """A row without what is unknown, and without the run it belongs to."""
    return {
        entry.name: value
        for entry in fields(row)
        if entry.name != "run_id" and (value := getattr(row, entry.name)) is not None
    }
