"""The JSON report: a run's figures and requests in one versioned file, readable where there is no store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.analysis.sample import RunFacts
from harness.errors import ConfigError
from harness.records import (
    Call,
    Grade,
    ProviderMode,
    Request,
    RunKind,
    RunStatus,
    dump_json,
    load_json_exact,
)
from harness.report.figures import RunSummary
from harness.version import __version__

SCHEMA = "harness.report.v1"
"""Raised when a field changes its meaning; new fields alone do not raise it."""

_LIMIT_BYTES = 512 * 1024 * 1024


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """What a report file holds of its run."""

    run: ReportRun
    requests: list[Request]
    calls: list[Call]
    grades: list[Grade] = field(default_factory=list)


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


def read_report(path: Path) -> ReportFile:
    """The run, requests, calls and grades of a JSON report.

    Raises:
        ConfigError: no such file, or not a report of a schema this version reads; names the file.
    """
    document = _load(path)
    schema = document.get("schema")
    if schema != SCHEMA:
        raise ConfigError(str(path), f"not a harness report: its schema is {schema!r}, not {SCHEMA!r}")
    try:
        run = TypeAdapter(ReportRun).validate_python(document.get("run"))
        owner = {"run_id": run.run_id}
        requests = TypeAdapter(list[Request]).validate_python(_with_owner(document, "requests", owner))
        calls = TypeAdapter(list[Call]).validate_python(_with_owner(document, "calls", owner))
        graded = _with_owner(document, "grades", owner) if "grades" in document else []
        grades = TypeAdapter(list[Grade]).validate_python(graded)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(str(path), f"not a valid report: {where}: {first['msg']}") from error
    return ReportFile(run=run, requests=requests, calls=calls, grades=grades)


def read_run_id(path: Path) -> str | None:
    """The id of the run a report file belongs to.

    Raises:
        ConfigError: no such file, or no JSON object.
    """
    run = _load(path).get("run")
    return str(run.get("run_id")) if isinstance(run, dict) else None


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LIMIT_BYTES:
            raise ConfigError(str(path), "too large for a report (over 512 MB)")
        document = load_json_exact(path.read_bytes())
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(str(path), "is not JSON") from error
    if not isinstance(document, dict):
        raise ConfigError(str(path), "is not a harness report: not a JSON object")
    return document


def _with_owner(document: Mapping[str, Any], key: str, owner: Mapping[str, str]) -> list[Any]:
    rows = document.get(key)
    if not isinstance(rows, list):
        return [rows]  # the validator names what is wrong
    return [{**row, **owner} if isinstance(row, dict) else row for row in rows]
