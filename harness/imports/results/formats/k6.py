"""k6: the points of `--out json` (a request each), its `--summary-export` and what `handleSummary` is given.

`http_req_duration` counts sending, waiting and receiving: not the wait for a connection, DNS or TLS. A
point's time is the request's end. Failures have a duration too, and are mixed into every trend of a
summary. In a rate of the summary, `passes` counts what was not zero: of `http_req_failed`, the failed ones.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from harness.imports.results.observed import (
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
from harness.imports.results.source import JsonLine, ResultFile
from harness.records import RequestStatus, RunKind
from harness.records.told_by_tool import ToldFigure

TITLE = "k6 JSON points and summary"
_DURATION = "http_req_duration"
_TIMED_OUT = "1050"
_ALL = "all requests, failures among them"
_STATISTICS = {"min": "min_ms", "avg": "mean_ms", "med": "p50_ms", "max": "max_ms"}


def recognises(source: ResultFile) -> bool:
    """Lines of metrics and points, or a summary's metrics."""
    if {"type", "metric", "data"} <= set(source.first_line):
        return True
    metrics = table(source.top.get("metrics"))
    return (
        "http_reqs" in metrics
        or _DURATION in metrics
        or ("iterations" in metrics and "root_group" in source.top)
    )


def contents(source: ResultFile) -> Contents:
    """Requests where the file holds points, else the summary's figures."""
    if source.first_line.get("type") in ("Metric", "Point"):
        found = Contents(
            tool="k6",
            kind=RunKind.BASELINE,
            remarks=["k6 times a request without the wait for its connection"],
        )
        found.rows = _rows(source)
        return found
    return Contents(
        tool="k6",
        kind=RunKind.BASELINE,
        figures=_figures(table(source.top["metrics"])),
        remarks=["every trend of a k6 summary mixes failures in: fast ones pull percentiles down"],
    )


def _rows(source: ResultFile) -> Iterator[Observed | Unreadable]:
    for line in source.lines():
        if line.found is None:
            yield Unreadable(number=line.number, problem="is not JSON", text=line.text)
        elif line.found.get("type") == "Point" and line.found.get("metric") == _DURATION:
            yield _row(line, table(line.found.get("data")))


def _row(line: JsonLine, data: Mapping[str, Any]) -> Observed | Unreadable:
    tags, ms, ended_at = table(data.get("tags")), milliseconds(data.get("value")), moment(data.get("time"))
    if ms is None or ended_at is None:
        return Unreadable(number=line.number, problem="tells no duration or no time", text=line.text)
    status = whole(tags.get("status"))
    failed = (
        tags.get("expected_response") == "false"
        if "expected_response" in tags
        else not status or status >= 400
    )
    timed_out = tags.get("error_code") == _TIMED_OUT
    answered = bool(status)
    outcome = RequestStatus.TIMEOUT if timed_out else RequestStatus.ERROR if failed else RequestStatus.OK
    return Observed(
        number=line.number,
        status=outcome,
        http_status=status or None,
        error_message=_message(tags) if failed else None,
        scenario=tags.get("scenario"),
        case_id=tags.get("name"),
        started_at=ended_at - timedelta(milliseconds=ms),
        latency_ms=ms if answered else None,
        service_ms=ms if answered else None,
    )


def _message(tags: Mapping[str, Any]) -> str:
    return str(tags.get("error") or f"status {tags.get('status')}")


def _figures(metrics: Mapping[str, Any]) -> list[ToldFigure]:
    requests = number(_values(metrics, "http_reqs").get("count"))
    failed = _values(metrics, "http_req_failed")
    ratio = number(failed.get("rate", failed.get("value")))
    counts = {
        "requests": requests,
        "failures": round(ratio * requests) if ratio is not None and requests is not None else None,
        "requests_per_s": _values(metrics, "http_reqs").get("rate"),
    }
    trend = _values(metrics, _DURATION)
    ranks = {
        f"p{name[2:-1]}_ms": value
        for name, value in trend.items()
        if name.startswith("p(") and name.endswith(")")
    }
    times = {ours: trend.get(theirs) for theirs, ours in _STATISTICS.items()}
    return told(counts, of=_ALL) + told({**times, **ranks}, of=_ALL)


def _values(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A metric's values: `--summary-export` writes them beside its name, `handleSummary` a level deeper."""
    metric = table(metrics.get(name))
    return table(metric.get("values")) or metric
