"""The JSON report: a run's figures and requests in one versioned file, for where there is no store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from harness.analysis.sample import RunFacts
from harness.records import (
    Call,
    Grade,
    ProviderMode,
    Request,
    RunKind,
    RunStatus,
    dump_json,
)
from harness.report.figures import RunSummary
from harness.version import __version__

SCHEMA = "harness.report.v1"
"""Raised when a field changes its meaning; new fields alone do not raise it."""

SECTIONS = (
    "schema",
    "written_at",
    "written_by",
    "run",
    "figures",
    "evaluation",
    "gate",
    "ruler",
    "requests",
    "calls",
    "grades",
)
"""The top of a report. A reader computes figures and verdict again, from the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRun:
    """The run of a report file; it answers like a stored run."""

    run_id: str
    kind: RunKind
    name: str
    status: RunStatus
    started_at: datetime
    ended_at: datetime | None = None
    environment: str | None = None
    target: str | None = None
    provider_mode: ProviderMode | None = None
    git_sha: str | None = None
    harness_version: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


_RUN_FIELDS = tuple(entry.name for entry in fields(ReportRun))


def report_document(
    summary: RunSummary,
    run: RunFacts,
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
    return {
        "schema": SCHEMA,
        "written_at": written_at or datetime.now(UTC),
        "written_by": f"harness {__version__}",
        "run": run_fields(run),
        "figures": _figures(summary),
        "gate": gate,
        "ruler": ruler,
        "requests": [known_fields(row) for row in requests],
        "calls": [known_fields(call) for call in calls],
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


def _figures(summary: RunSummary) -> dict[str, Any]:
    figures = asdict(summary)
    figures["empty_columns"] = dict(summary.empty_columns)
    return figures


def run_fields(run: RunFacts) -> dict[str, Any]:
    """A run as a report holds it."""
    return {name: getattr(run, name) for name in _RUN_FIELDS}


def known_fields(row: Request | Call | Grade) -> dict[str, Any]:
    """A row without what is unknown, and without the run it belongs to."""
    return {
        entry.name: value
        for entry in fields(row)
        if entry.name != "run_id" and (value := getattr(row, entry.name)) is not None
    }
