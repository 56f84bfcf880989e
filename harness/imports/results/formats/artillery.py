"""artillery's JSON: aggregates alone. Percentiles are a 1% sketch of the answers; what timed out is in none.

An HTTP 500 is an answer to artillery: failures here are its `errors.*` and the codes from 400.
"""

from collections.abc import Mapping
from typing import Any

from harness.imports.results.observed import Contents, moment, number, table, told, whole
from harness.imports.results.source import ResultFile
from harness.records import RunKind
from harness.records.told_by_tool import Grain, ToldFigure

TITLE = "artillery JSON"
_TIMES = "http.response_time"
_ANSWERED = "answers of any status; what timed out or broke off is in none"
_RANKS = ("p50", "p75", "p90", "p95", "p99", "p999")
_FIRST_FAILURE = 400


def recognises(source: ResultFile) -> bool:
    """An aggregate with counters, beside its periods."""
    return "counters" in table(source.top.get("aggregate")) and "intermediate" in source.top


def contents(source: ResultFile) -> Contents:
    """The aggregate of a run."""
    whole_run = table(source.top["aggregate"])
    counters = table(whole_run.get("counters"))
    summaries = table(whole_run.get("summaries"))
    times = table(summaries.get(_TIMES))
    figures = told(_counts(counters), of="requests sent")
    figures += _errors(counters)
    figures += told({f"{name}_ms": times.get(name) for name in ("min", "mean", "max")}, of=_ANSWERED)
    figures += told({f"{name}_ms": times.get(name) for name in _RANKS}, of=_ANSWERED, grain=Grain.SKETCH)
    return Contents(
        tool="artillery",
        kind=RunKind.BASELINE,
        started_at=moment(_seconds(whole_run.get("firstMetricAt"))),
        ended_at=moment(_seconds(whole_run.get("lastMetricAt"))),
        figures=figures,
        remarks=["percentiles are a sketch of the answers alone: whatever timed out is missing from them"],
    )


def _counts(counters: Mapping[str, Any]) -> dict[str, object]:
    broken = sum(whole(n) or 0 for name, n in counters.items() if name.startswith("errors."))
    refused = sum(whole(n) or 0 for name, n in counters.items() if _is_failure(name))
    return {
        "requests": counters.get("http.requests"),
        "responses": counters.get("http.responses", 0),
        "failures": broken + refused,
        "users_failed": counters.get("vusers.failed", 0),
    }


def _is_failure(name: str) -> bool:
    code = name.removeprefix("http.codes.")
    return code != name and (whole(code) or 0) >= _FIRST_FAILURE


def _errors(counters: Mapping[str, Any]) -> list[ToldFigure]:
    return [
        figure
        for name, n in counters.items()
        if name.startswith("errors.") or _is_failure(name)
        for figure in told({"failures": n}, of="requests that failed so", group=name)
    ]


def _seconds(ms: object) -> float | None:
    return number(ms, scale=0.001)
