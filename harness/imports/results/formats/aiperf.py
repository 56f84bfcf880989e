"""aiperf's exports: a request a line in the JSONL, aggregates in the JSON and, with two decimals, in the CSV.

The three lie in one folder and are one run. A failed request's end is its start there, so that it has no
latency; `request_latency` rests on the good ones; in an `adj_*` percentile a missing value is infinite.
Tokens are the server's (`usage_*`) where it told them: `output_sequence_length` is the client's own count.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from harness.imports.results.observed import (
    Begins,
    Contents,
    Observed,
    Unreadable,
    milliseconds,
    moment,
    number,
    table,
    told,
    whole,
)
from harness.imports.results.source import ResultFile
from harness.records import RequestStatus, RunKind
from harness.records.told_by_tool import Grain, ToldFigure

TITLE = "aiperf JSON, CSV and per-request JSONL"
_AGGREGATES, _LINES = "_aiperf.json", ".jsonl"
_GOOD = "good requests"
_ADJUSTED = "all requests, failures as infinite"
_TIMES = {
    "request_latency": ("service", _GOOD),
    "time_to_first_token": ("ttft", _GOOD),
    "inter_token_latency": ("token_gap", _GOOD),
    "adj_request_latency": ("adjusted_service", _ADJUSTED),
}
_STATISTICS = {
    "avg": "mean",
    "min": "min",
    "p50": "p50",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
    "max": "max",
}
_CSV_NAMES = {
    "Request Latency (ms)": "request_latency",
    "Time to First Token (ms)": "time_to_first_token",
    "Inter Token Latency (ms)": "inter_token_latency",
    "Request Latency (error-adjusted) (ms)": "adj_request_latency",
}
_CSV_COUNTS = {"Request Count": "request_count", "Error Request Count": "error_request_count"}
_UNITS = re.compile(r" \(requests?\)$")


def recognises(source: ResultFile) -> bool:
    """A line of metadata and metrics, the aggregates, or their table."""
    line = source.first_line
    if "credit_issued_ns" in table(line.get("metadata")) and "metrics" in line:
        return True
    return "aiperf_version" in source.top or source.header[:2] == ("Metric", "avg")


def contents(source: ResultFile) -> Contents:
    """The requests where their lines lie beside, else the aggregates."""
    lines, aggregates = _set_of(source)
    source.basis = source.path if lines is None else lines.path
    about = aggregates.top if aggregates is not None else {}
    version = about.get("aiperf_version")
    found = Contents(
        tool=f"aiperf {version}" if version else "aiperf",
        kind=RunKind.BASELINE,
        begins=Begins.SCHEDULE,
        started_at=moment(about.get("start_time")) if lines is None else None,
        figures=_figures(about, Grain.EXACT) if aggregates is not None else _from_csv(source),
    )
    if lines is not None:
        found.rows = _rows(lines, _model(about))
    else:
        found.remarks = ["the file holds aggregates alone: the export *.jsonl beside it has each request"]
    return found


def _set_of(source: ResultFile) -> tuple[ResultFile | None, ResultFile | None]:
    """The lines and the aggregates among the files of one run."""
    name = source.path.name
    if source.first_line.get("metadata"):
        beside = source.beside(name.removesuffix(_LINES) + _AGGREGATES) if name.endswith(_LINES) else None
        return source, ResultFile(beside) if beside else None
    stem = re.sub(r"_aiperf\.(json|csv)$", "", name)
    beside = source.beside(stem + _LINES) if stem != name else None
    lines = ResultFile(beside) if beside else None
    if source.top:
        return lines, source
    totals = source.beside(stem + _AGGREGATES) if lines is not None else None
    return lines, ResultFile(totals) if totals else None


def _model(about: Mapping[str, Any]) -> str | None:
    items = table(table(about.get("input_config")).get("models")).get("items") or ()
    names = [str(table(item).get("name")) for item in items]
    return names[0] if len(names) == 1 else None


def _rows(source: ResultFile, model: str | None) -> Iterator[Observed | Unreadable]:
    for line in source.lines():
        found = line.found
        if found is None or "credit_issued_ns" not in table(found.get("metadata")):
            yield Unreadable(number=line.number, problem="is no request's record", text=line.text)
        else:
            yield _row(line.number, table(found["metadata"]), found, model)


def _row(place: int, about: Mapping[str, Any], line: Mapping[str, Any], model: str | None) -> Observed:
    measured, error = table(line.get("metrics")), table(line.get("error"))
    failed = bool(error) or about.get("was_cancelled") is True
    issued, sent = number(about.get("credit_issued_ns")), number(about.get("request_start_ns"))
    service_ms = None if failed else milliseconds(_value(measured, "request_latency"))
    waited_ms = 0.0 if issued is None or sent is None else max(0.0, (sent - issued) / 1e6)
    gaps = _value(measured, "inter_chunk_latency")
    gaps_ms = (
        [found for gap in gaps if (found := milliseconds(gap)) is not None] if isinstance(gaps, list) else []
    )
    return Observed(
        number=place,
        status=RequestStatus.ERROR if failed else RequestStatus.OK,
        http_status=_http_status(error),
        error_message=str(error.get("message") or "the request was cancelled") if failed else None,
        warmup=about.get("benchmark_phase") == "warmup",
        model=model,
        scheduled_at=_at(issued),
        started_at=_at(sent),
        latency_ms=None if service_ms is None else service_ms + waited_ms,
        service_ms=service_ms,
        ttft_ms=milliseconds(_value(measured, "time_to_first_token")),
        itl_ms=sum(gaps_ms) / len(gaps_ms) if gaps_ms else None,
        stream_chunks=len(gaps_ms) + 1 if gaps_ms else None,
        input_tokens=whole(_value(measured, "usage_prompt_tokens")),
        cache_read_tokens=whole(_value(measured, "usage_prompt_cache_read_tokens")),
        output_tokens=whole(_value(measured, "usage_completion_tokens")),
    )


def _value(measured: Mapping[str, Any], name: str) -> Any:
    return table(measured.get(name)).get("value")


def _http_status(error: Mapping[str, Any]) -> int | None:
    code = whole(error.get("code"))
    return code if code is not None and 100 <= code < 600 else None


def _at(ns: float | None) -> datetime | None:
    return None if ns is None else moment(ns / 1e9)


def _figures(about: Mapping[str, Any], grain: Grain) -> list[ToldFigure]:
    counts = {
        "good_requests": _average(about, "request_count"),
        "failures": _average(about, "error_request_count"),
    }
    figures = told(counts, of="requests")
    for theirs, (ours, of) in _TIMES.items():
        values = table(about.get(theirs))
        named = {f"{name}_{ours}_ms": values.get(key) for key, name in _STATISTICS.items()}
        figures += told(named, of=of, grain=grain)
    return figures


def _average(about: Mapping[str, Any], name: str) -> object:
    return table(about.get(name)).get("avg")


def _from_csv(source: ResultFile) -> list[ToldFigure]:
    """The table's rows; counts stand below the times, with fewer cells."""
    about: dict[str, dict[str, str]] = {}
    for row in source.records():
        title = str(row.get("Metric") or "")
        name = _CSV_NAMES.get(title) or _CSV_COUNTS.get(_UNITS.sub("", title))
        if name:
            about[name] = {key: value for key, value in row.items() if value}
    return _figures(about, Grain.ROUNDED)
