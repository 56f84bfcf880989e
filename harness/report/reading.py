"""A JSON report read back as a run with its rows, so that a gate needs no store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import ConfigError
from harness.inputs import first_problem, load_json
from harness.records import Call, Grade, Request, Run, RunEnd
from harness.records.told import SUMMARY_KEY
from harness.report.document import RUN_FIELDS, SCHEMA, SECTIONS
from harness.store.database.memory_view import records_snapshot
from harness.store.database.typed import StoredRun
from harness.store.snapshot import Snapshot
from harness.store.spool.codec import Kind, columns_of

_LIMIT_BYTES = 512 * 1024 * 1024
_NUMBERS = (int, Decimal)
_WRITTEN_AS: Mapping[Kind, tuple[type, ...]] = {
    "int": _NUMBERS,
    "float": _NUMBERS,
    "money": _NUMBERS,
    "bool": (bool,),
    "time": (str,),
}
"""What each kind of column is in JSON; pydantic alone would take true for 1, and 1 for 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """What a report file holds of its run.

    Attributes:
        unknown: keys of the file that this version does not know, and left out (`requests.latency_s`).
    """

    run: StoredRun
    requests: list[Request]
    calls: list[Call]
    grades: list[Grade] = field(default_factory=list)
    unknown: tuple[str, ...] = ()

    def snapshot(self, where: str) -> Snapshot:
        """The rows as a snapshot of their own, which answers as a store's does; close it after use.

        Args:
            where: what to call the file in errors.
        """
        run = self.run
        begun = {item.name: getattr(run, item.name) for item in fields(Run)}
        ends = []
        if run.ended_at is not None:
            ends.append(
                RunEnd(run_id=run.run_id, ended_at=run.ended_at, status=run.status, summary=run.summary)
            )
        config = {**run.config, SUMMARY_KEY: run.summary}
        started = Run(**{**begun, "config": config})
        return records_snapshot([started, *ends, *self.requests, *self.calls, *self.grades], where)


def read_report(path: Path) -> ReportFile:
    """The run, requests, calls and grades of a JSON report.

    Raises:
        ConfigError: no such file, or not a report of a schema this version reads; names the file.
    """
    document = _load(path)
    schema = document.get("schema")
    if schema != SCHEMA:
        shown = repr(schema[:40]) if isinstance(schema, str) else "missing"
        raise ConfigError(str(path), f"not a harness report: its schema is {shown}, not {SCHEMA!r}")
    try:
        run = TypeAdapter(StoredRun).validate_python(_run(path, document.get("run")))
        owner = {"run_id": run.run_id}
        requests = TypeAdapter(list[Request]).validate_python(_rows(path, document, "request", owner))
        calls = TypeAdapter(list[Call]).validate_python(_rows(path, document, "call", owner))
        graded = _rows(path, document, "grade", owner) if "grades" in document else []
        grades = TypeAdapter(list[Grade]).validate_python(graded)
    except ValidationError as error:
        raise ConfigError(str(path), f"not a valid report: {first_problem(error)}") from error
    unknown = _unknown(document)
    return ReportFile(run=run, requests=requests, calls=calls, grades=grades, unknown=unknown)


def read_run_id(path: Path) -> str | None:
    """The id of the run a report file belongs to.

    Raises:
        ConfigError: no such file, or no JSON object.
    """
    run = _load(path).get("run")
    return str(run.get("run_id")) if isinstance(run, dict) else None


def _load(path: Path) -> dict[str, Any]:
    document = load_json(path, _LIMIT_BYTES, exact=True)
    if not isinstance(document, dict):
        raise ConfigError(str(path), "is not a harness report: not a JSON object")
    return document


def _run(path: Path, run: Any) -> Any:
    for name in ("started_at", "ended_at"):
        if isinstance(run, dict) and not isinstance(run.get(name), str | None):
            raise ConfigError(str(path), f"not a valid report: 'run.{name}': a moment is wanted, as text")
    return run


def _rows(path: Path, document: Mapping[str, Any], type_name: str, owner: Mapping[str, str]) -> list[Any]:
    """The rows of a table, each with its run; the validator names what is no row."""
    rows = document.get(f"{type_name}s")
    if not isinstance(rows, list):
        return [rows]
    kinds = columns_of(type_name)
    for number, row in enumerate(rows):
        problem = _misfit(row, kinds) if isinstance(row, dict) else None
        if problem is not None:
            raise ConfigError(str(path), f"not a valid report: '{type_name}s.{number}.{problem}")
    return [{**row, **owner} if isinstance(row, dict) else row for row in rows]


def _misfit(row: Mapping[str, Any], kinds: Mapping[str, Kind]) -> str | None:
    """The first value of another type than its column's, as the rest of a sentence; None when all fit."""
    stages = row.get("stages_ms")
    for stage, value in stages.items() if isinstance(stages, dict) else ():
        if not _is_a(value, _NUMBERS):
            return f"stages_ms.{stage}': float is wanted"
    for name, value in row.items():
        wanted = _WRITTEN_AS.get(kinds[name]) if name in kinds else None
        if wanted is None or value is None:
            continue
        if not _is_a(value, wanted):
            return f"{name}': {kinds[name]} is wanted"
    return None


def _is_a(value: Any, wanted: tuple[type, ...]) -> bool:
    return isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))


def _unknown(document: Mapping[str, Any]) -> tuple[str, ...]:
    found = [name for name in document if name not in SECTIONS]
    found += [f"run.{name}" for name in document["run"] if name not in RUN_FIELDS]
    for type_name in ("request", "call", "grade"):
        known = columns_of(type_name).keys() - {"run_id"}
        rows = document.get(f"{type_name}s", [])
        found += [f"{type_name}s.{name}" for name in _names(rows) if name not in known]
    return tuple(found)


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every key of the rows, once, in order of appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))
