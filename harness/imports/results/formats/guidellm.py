"""guidellm's JSON: every request of a benchmark, as successful, errored or incomplete.

Seconds for a request, milliseconds for its tokens. Its aggregates of errored requests are all 0.0 and of
the total are mixed with those: only `successful` is told here. A request's time counts from the send, its
scheduled latency from the schedule. `cached_tokens` are part of `prompt_tokens`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import ConfigError
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
from harness.records.told_by_tool import ToldFigure

TITLE = "guidellm JSON"
_OUTCOMES = ("successful", "errored", "incomplete")
_SUCCESSFUL = "successful requests, by nearest rank"


def recognises(source: ResultFile) -> bool:
    """Benchmarks under metadata that names guidellm."""
    return isinstance(source.top.get("benchmarks"), list) and (
        "guidellm_version" in table(source.top.get("metadata")) or "args" in source.top
    )


def contents(source: ResultFile) -> Contents:
    """Every request of every benchmark of the file; where there are several, each rate is a strategy.

    Raises:
        ConfigError: the file holds no benchmark.
    """
    benchmarks = [table(entry) for entry in source.top["benchmarks"]]
    if not benchmarks:
        raise ConfigError(str(source.path), "holds no benchmark")
    version = table(source.top.get("metadata")).get("guidellm_version")
    starts = [found for entry in benchmarks if (found := moment(entry.get("start_time")))]
    ends = [found for entry in benchmarks if (found := moment(entry.get("end_time")))]
    lost = sum(_lost(entry) for entry in benchmarks)
    return Contents(
        tool=f"guidellm {version}" if version else "guidellm",
        kind=RunKind.BASELINE,
        begins=Begins.SCHEDULE,
        started_at=min(starts, default=None),
        ended_at=max(ends, default=None),
        rows=_rows(benchmarks),
        unfinished=lost,
        remarks=[f"{lost} of the requests that guidellm began are in none of its lists"] if lost else [],
        figures=[figure for entry in benchmarks for figure in _figures(entry, len(benchmarks) > 1)],
    )


def _rows(benchmarks: Sequence[Mapping[str, Any]]) -> Iterator[Observed | Unreadable]:
    place = 0
    for entry in benchmarks:
        rate = _rate(entry) if len(benchmarks) > 1 else None
        requests, model = table(entry.get("requests")), _model(entry)
        for outcome in _OUTCOMES:
            for request in requests.get(outcome) or ():
                place += 1
                if isinstance(request, dict):
                    yield _row(place, request, outcome, model, rate)
                else:
                    yield Unreadable(number=place, problem="is no request")


def _row(
    place: int, request: Mapping[str, Any], outcome: str, model: str | None, rate: str | None
) -> Observed:
    info = table(request.get("info"))
    times = table(info.get("timings"))
    good = outcome == "successful"
    begun, ended = number(request.get("request_start_time")), number(request.get("request_end_time"))
    taken_s = request.get("request_latency") if good else _between(begun, ended)
    scheduled = times.get("targeted_start")
    since_schedule_s = (
        request.get("request_scheduled_latency") if good else _between(number(scheduled), ended)
    )
    service_ms = milliseconds(taken_s, scale=1000)
    latency_ms = milliseconds(since_schedule_s, scale=1000)
    pieces = whole(times.get("token_iterations")) if good else None
    return Observed(
        number=place,
        status=RequestStatus.OK if good else RequestStatus.ERROR,
        error_message=None if good else str(info.get("error") or f"the request was {outcome}"),
        model=model,
        strategy=rate,
        scheduled_at=moment(scheduled),
        started_at=moment(begun),
        latency_ms=service_ms if latency_ms is None else latency_ms,
        service_ms=service_ms,
        ttft_ms=milliseconds(request.get("time_to_first_token_ms")) if good else None,
        itl_ms=_gap_ms(times, pieces),
        stream_chunks=pieces or None,
        input_tokens=whole(request.get("prompt_tokens")),
        cache_read_tokens=whole(request.get("cached_tokens")),
        output_tokens=whole(request.get("output_tokens")),
    )


def _lost(benchmark: Mapping[str, Any]) -> int:
    """Requests still under way when the report was made: they are counted as begun, and listed nowhere."""
    requests = table(benchmark.get("requests"))
    listed = sum(len(requests.get(outcome) or ()) for outcome in _OUTCOMES)
    sampled = table(benchmark.get("config")).get("sample_size") is not None
    begun = whole(table(benchmark.get("scheduler_state")).get("created_requests")) or 0
    return 0 if sampled else max(0, begun - listed)


def _model(benchmark: Mapping[str, Any]) -> str | None:
    name = table(table(benchmark.get("config")).get("backend")).get("model")
    return str(name) if name else None


def _gap_ms(times: Mapping[str, Any], pieces: int | None) -> float | None:
    """The mean gap between the pieces that arrived, of which each may hold several tokens."""
    if pieces is None or pieces < 2:
        return None
    span_s = _between(number(times.get("first_token_iteration")), number(times.get("last_token_iteration")))
    return None if span_s is None else span_s * 1000 / (pieces - 1)


def _between(begun: float | None, ended: float | None) -> float | None:
    return None if begun is None or ended is None or ended < begun else ended - begun


def _rate(benchmark: Mapping[str, Any]) -> str:
    strategy = table(table(benchmark.get("config")).get("strategy"))
    size = next((strategy[name] for name in ("rate", "streams", "max_concurrency") if strategy.get(name)), "")
    return f"{strategy.get('type_', 'benchmark')}@{size}".rstrip("@")


def _figures(benchmark: Mapping[str, Any], several: bool) -> list[ToldFigure]:  # noqa: FBT001 - a private helper
    group = _rate(benchmark) if several else None
    metrics = table(benchmark.get("metrics"))
    totals = table(metrics.get("request_totals"))
    figures = told({name: totals.get(name) for name in ("total", *_OUTCOMES)}, of="requests", group=group)
    for theirs, ours, scale in (
        ("request_latency", "service", 1000.0),
        ("time_to_first_token_ms", "ttft", 1.0),
    ):
        found = table(table(metrics.get(theirs)).get("successful"))
        if not found.get("count"):
            continue
        ranks = table(found.get("percentiles"))
        values = {f"{name}_{ours}_ms": ranks.get(name) for name in ("p50", "p95", "p99")}
        figures += told(
            {f"mean_{ours}_ms": found.get("mean"), **values}, of=_SUCCESSFUL, scale=scale, group=group
        )
    return figures
