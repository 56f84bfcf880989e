"""inference-perf's lifecycle reports: a stage's or the whole's aggregates, and the report by request.

Seconds everywhere, on a clock of the machine's own in the report by request: it tells durations, no
moments. Failures are in no latency of an aggregate; throughput rests on the client's tokens.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.imports.results.observed import (
    Contents,
    Observed,
    Unreadable,
    milliseconds,
    number,
    table,
    told,
    whole,
)
from harness.imports.results.source import ResultFile
from harness.records import RequestStatus, RunKind
from harness.records.told_by_tool import ToldFigure

TITLE = "inference-perf JSON"
_LATENCIES = {
    "request_latency": "service",
    "time_to_first_token": "ttft",
    "inter_token_latency": "itl",
    "time_per_output_token": "time_per_token",
}
_STATISTIC = re.compile(r"^(mean|min|max|median|p\d+(\.\d+)?)$")
_STATUS = re.compile(r"\b([45]\d\d)\b")
_GOOD = "successful requests"


def recognises(source: ResultFile) -> bool:
    """A lifecycle report, or the list of requests."""
    if {"load_summary", "successes", "failures"} <= set(source.top):
        return True
    entries = source.document if isinstance(source.document, list) else []
    return bool(entries) and {"start_time", "end_time", "info", "error"} <= set(table(entries[0]))


def contents(source: ResultFile) -> Contents:
    """Each request where the report has them, else the aggregates."""
    found = Contents(tool="inference-perf", kind=RunKind.BASELINE)
    if isinstance(source.document, list):
        found.rows = _rows(source.document)
        return found
    found.figures = _figures(source.top)
    found.remarks = [
        "the file holds aggregates alone: the report per_request_lifecycle_metrics has each request"
    ]
    return found


def _rows(entries: list[Any]) -> Iterator[Observed | Unreadable]:
    for place, entry in enumerate(entries, start=1):
        record = table(entry)
        begun, ended = number(record.get("start_time")), number(record.get("end_time"))
        if begun is None or ended is None or ended < begun:
            yield Unreadable(number=place, problem="tells no start and end", text=str(entry)[:200])
        else:
            yield _row(place, record, begun, ended)


def _row(place: int, record: Mapping[str, Any], begun: float, ended: float) -> Observed:
    error, info = table(record.get("error")), table(record.get("info"))
    answer = table(info.get("response_metrics"))
    asked = table(table(info.get("request_metrics")).get("text"))
    usage = table(answer.get("server_usage"))
    arrived = [
        found for time in answer.get("output_token_times") or () if (found := number(time)) is not None
    ]
    message = f"{error.get('error_type')}: {error.get('error_msg')}" if error else None
    stated = _STATUS.search(str(error.get("error_type"))) if error else None
    scheduled = number(record.get("scheduled_time"))
    taken_ms = milliseconds(ended - begun, scale=1000)
    late_ms = max(0.0, begun - scheduled) * 1000 if scheduled is not None else 0.0
    return Observed(
        number=place,
        status=RequestStatus.ERROR if error else RequestStatus.OK,
        http_status=int(stated[1]) if stated else None,
        error_message=message,
        latency_ms=None if taken_ms is None else taken_ms + late_ms,
        service_ms=taken_ms,
        ttft_ms=milliseconds(arrived[0] - begun, scale=1000) if arrived and not error else None,
        itl_ms=milliseconds((arrived[-1] - arrived[0]) / (len(arrived) - 1), scale=1000)
        if len(arrived) > 1
        else None,
        stream_chunks=len(arrived) or None,
        input_tokens=whole(usage.get("prompt_tokens", info.get("input_tokens", asked.get("input_tokens")))),
        cache_read_tokens=whole(table(usage.get("prompt_tokens_details")).get("cached_tokens")),
        output_tokens=whole(usage.get("completion_tokens")) if usage else None,
    )


def _figures(top: Mapping[str, Any]) -> list[ToldFigure]:
    load, good, failed = (table(top.get(name)) for name in ("load_summary", "successes", "failures"))
    counts = {
        "requests": load.get("count"),
        "good_requests": good.get("count"),
        "failures": failed.get("count"),
    }
    figures = told(counts, of="requests")
    rate = table(good.get("throughput")).get("requests_per_sec")
    figures += told({"requests_per_s": rate}, of=_GOOD)
    for theirs, ours in _LATENCIES.items():
        values = table(table(good.get("latency")).get(theirs))
        named = {
            f"{'p50' if name == 'median' else name}_{ours}_ms": value
            for name, value in values.items()
            if _STATISTIC.match(name)
        }
        figures += told(named, of=_GOOD, scale=1000)
    return figures
