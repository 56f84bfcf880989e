"""Locust's `--csv` and `--json`: aggregates alone, percentiles of two digits, failures mixed in.

The CSV is written once a second and lacks the last requests; what was under way at the end is in neither.
"""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

from harness.errors import ConfigError
from harness.imports.results.observed import Contents, moment, number, table, told, whole
from harness.imports.results.source import ResultFile
from harness.records import RunKind
from harness.records.told_by_tool import Grain, ToldFigure

TITLE = "Locust CSV statistics and JSON"
_COLUMNS = {"Type", "Name", "Request Count", "Failure Count"}
_FAILURES = {"Method", "Name", "Error", "Occurrences"}
_HISTORY = {"Timestamp", "User Count", "Total Request Count"}
_WHOLE = "Aggregated"
_ALL = "all requests, failures among them"
_ROUNDED = "percentiles are rounded to two digits, and fast failures pull them down"


def recognises(source: ResultFile) -> bool:
    """The statistics table, its failures and history too, or the JSON list of endpoints."""
    header = set(source.header)
    if header >= _COLUMNS or header >= _FAILURES or header >= _HISTORY:
        return True
    entries = source.document if isinstance(source.document, list) else []
    return bool(entries) and {"num_requests", "response_times"} <= set(table(entries[0]))


def contents(source: ResultFile) -> Contents:
    """The whole and each endpoint.

    Raises:
        ConfigError: a table that holds no statistics of its own.
    """
    header = set(source.header)
    if header >= _COLUMNS:
        return _from_csv(source)
    if header >= _FAILURES or header >= _HISTORY:
        raise ConfigError(
            str(source.path), "is Locust's failures or history; import the file *_stats.csv beside it"
        )
    return _from_json([table(entry) for entry in source.document])


def _from_csv(source: ResultFile) -> Contents:
    figures: list[ToldFigure] = []
    rows = source.records()
    if not any(row.get("Name") == _WHOLE for row in rows):
        raise ConfigError(str(source.path), "lacks the row Aggregated: it was cut short")
    for row in sorted(rows, key=lambda row: row.get("Name") != _WHOLE):
        group = None if row.get("Name") == _WHOLE else f"{row.get('Type')} {row.get('Name')}"
        counts = {
            "requests": row.get("Request Count"),
            "failures": row.get("Failure Count"),
            "requests_per_s": row.get("Requests/s"),
        }
        figures += told(counts, of=_ALL, group=group)
        means = {
            "mean_ms": row.get("Average Response Time"),
            "min_ms": row.get("Min Response Time"),
            "max_ms": row.get("Max Response Time"),
        }
        figures += told(means, of=_ALL, group=group)
        ranks = {
            f"p{rank}_ms": row.get(f"{rank}%")
            for rank in ("50", "90", "95", "99", "99.9")
            if f"{rank}%" in row
        }
        figures += told(ranks, of=_ALL, grain=Grain.ROUNDED, group=group)
    figures += _errors(source)
    remarks = [
        _ROUNDED,
        "the table is written once a second: what was answered after that is missing; --json has it",
    ]
    return Contents(tool="Locust", kind=RunKind.BASELINE, figures=figures, remarks=remarks)


def _errors(source: ResultFile) -> list[ToldFigure]:
    """Failures by their text, from the table that Locust writes beside the statistics."""
    name = source.path.name
    path = source.beside(name.replace("_stats", "_failures", 1)) if "_stats" in name else None
    if path is None:
        return []
    rows = ResultFile(path).records()
    return [
        figure
        for row in rows
        for figure in told(
            {"failures": row.get("Occurrences")},
            of="requests that failed so",
            group=str(row.get("Error"))[:200],
        )
    ]


def _from_json(entries: list[Mapping[str, Any]]) -> Contents:
    figures = _figures(entries, None)
    if len(entries) > 1:
        for entry in entries:
            figures += _figures([entry], f"{entry.get('method')} {entry.get('name')}")
    starts = [found for entry in entries if (found := moment(entry.get("start_time")))]
    ends = [found for entry in entries if (found := moment(entry.get("last_request_timestamp")))]
    return Contents(
        tool="Locust",
        kind=RunKind.BASELINE,
        started_at=min(starts, default=None),
        ended_at=max(ends, default=None),
        figures=figures,
        remarks=[_ROUNDED],
    )


def _figures(entries: list[Mapping[str, Any]], group: str | None) -> list[ToldFigure]:
    requests = sum(whole(entry.get("num_requests")) or 0 for entry in entries)
    figures = told(
        {"requests": requests, "failures": sum(whole(entry.get("num_failures")) or 0 for entry in entries)},
        of=_ALL,
        group=group,
    )
    timed = [entry for entry in entries if whole(entry.get("num_requests"))]
    if not timed:
        return figures
    total_ms = sum(number(entry.get("total_response_time")) or 0.0 for entry in timed)
    extremes = {
        "mean_ms": total_ms / requests,
        "min_ms": min(
            (found for entry in timed if (found := number(entry.get("min_response_time"))) is not None),
            default=None,
        ),
        "max_ms": max(
            (found for entry in timed if (found := number(entry.get("max_response_time"))) is not None),
            default=None,
        ),
    }
    figures += told(extremes, of=_ALL, group=group)
    return figures + told(_ranks(timed), of=_ALL, grain=Grain.ROUNDED, group=group)


def _ranks(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Percentiles by nearest rank of the rounded times and their counts."""
    counts: dict[float, int] = {}
    for entry in entries:
        for ms, n in table(entry.get("response_times")).items():
            if (time := number(ms)) is not None:
                counts[time] = counts.get(time, 0) + (whole(n) or 0)
    ordered = sorted(counts.items())
    running = list(accumulate(n for _, n in ordered))
    if not running or not running[-1]:
        return {}
    return {
        f"p{rank:g}_ms": next(
            ms for (ms, _), seen in zip(ordered, running, strict=True) if seen >= running[-1] * rank / 100
        )
        for rank in (50, 90, 95, 99)
    }
