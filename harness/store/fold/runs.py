"""Starts and ends of runs become rows of `runs`; pure, so that the order of arrival cannot matter."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.records.told import SUMMARY_KEY

Row = dict[str, Any]


@dataclass(slots=True)
class FoldedRuns:
    """Rows for `runs`, and ends that still wait for their start."""

    runs: list[Row] = field(default_factory=list)
    waiting: list[Row] = field(default_factory=list)


def fold_runs(old: Iterable[Row], starts: Iterable[Row], ends: Iterable[Row]) -> FoldedRuns:
    """Fold what is known about some runs into one row each.

    The earliest start gives the row, the latest start its owner (a resumed run has several), the latest end
    its status; of a resumed run, only an end not older than its owner. Times compare as datetimes.

    Args:
        old: rows of `runs` already stored.
        starts: `run` records.
        ends: `run_end` records, waiting ones included.
    """
    by_run: dict[str, Row] = {}
    for row in old:
        by_run[row["run_id"]] = dict(row)
    for start in sorted(starts, key=lambda row: row["started_at"]):
        known = by_run.get(start["run_id"])
        by_run[start["run_id"]] = _started(start) if known is None else _reopened(known, start)
    folded = FoldedRuns()
    for end in sorted(ends, key=lambda row: row["ended_at"]):
        known = by_run.get(end["run_id"])
        if known is None:
            folded.waiting.append(end)
        elif known["owner_since"] == known["started_at"] or end["ended_at"] >= known["owner_since"]:
            by_run[end["run_id"]] = _ended(known, end)
    folded.runs = list(by_run.values())
    return folded


def _started(start: Row) -> Row:
    return {**start, "ended_at": None, "owner_since": start["started_at"]}


def _reopened(known: Row, start: Row) -> Row:
    if start["started_at"] < known["owner_since"]:
        base = {**start, **{name: known[name] for name in ("ended_at", "status", "owner", "owner_since")}}
        return base if start["started_at"] < known["started_at"] else known
    if start["started_at"] == known["owner_since"]:
        return known
    over = known["ended_at"] is not None and known["ended_at"] >= start["started_at"]
    return {
        **known,
        "owner": start["owner"],
        "owner_since": start["started_at"],
        "ended_at": known["ended_at"] if over else None,
        "status": known["status"] if over else start["status"],
    }


def _ended(known: Row, end: Row) -> Row:
    if known["ended_at"] is not None and known["ended_at"] > end["ended_at"]:
        return known
    return {
        **known,
        "ended_at": end["ended_at"],
        "status": end["status"],
        "provider_mode": end["provider_mode"] or known["provider_mode"],
        "config": _with_summary(known["config"], end["summary"]),
    }


def _with_summary(config: str | None, summary: str | None) -> str:
    known: Mapping[str, Any] = json.loads(config or "{}")
    added: Mapping[str, Any] = json.loads(summary or "{}")
    if not added:
        return json.dumps(known)
    return json.dumps({**known, SUMMARY_KEY: {**known.get(SUMMARY_KEY, {}), **added}})
