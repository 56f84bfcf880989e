# ruff: noqa: S608 - constant SQL, values are bound
"""A run while it goes on: how far it is, and its latest answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.frame.scope import Scope
from harness.figures import Rows, Selection
from harness.records import BaselineConfig, EndSummary
from harness.records.told import SUMMARY_KEY
from harness.store import Snapshot

POINTS = 1_000
"""Answers drawn one by one at most, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """The run that a page watches. `planned` and `duration_s` are None where the plan does not say."""

    run_id: str
    name: str
    kind: str
    status: str
    target: str | None
    started_at: datetime
    ended_at: datetime | None
    planned: int | None
    duration_s: float | None
    finished: int
    mode: str
    other_modes: int


def live_run(view: Snapshot) -> LiveRun | None:
    """The latest running baseline or evaluation; where none runs, the latest that ended."""
    found = view.dicts(
        """SELECT run_id, name, kind, status, target, started_at, ended_at, config FROM runs
        WHERE kind IN ('baseline', 'eval')
        ORDER BY status = 'running' DESC, started_at DESC, run_id DESC LIMIT 1"""
    )
    if not found:
        return None
    row = found[0]
    modes = Rows(view, Selection(run_ids=(row["run_id"],))).rows(
        "SELECT mode, count(*) FROM counted GROUP BY mode ORDER BY count(*) DESC, mode"
    )
    config = json.loads(row.pop("config") or "{}")
    return LiveRun(
        **row,
        planned=_planned(config),
        duration_s=BaselineConfig.read(config).load.duration_s,
        finished=sum(n for _, n in modes),
        mode=modes[0][0] if modes else "unknown",
        other_modes=sum(n for _, n in modes[1:]),
    )


def _planned(config: Mapping[str, Any]) -> int | None:
    told = BaselineConfig.read(config)
    known = EndSummary.read(config.get(SUMMARY_KEY) or {}).planned or told.planned
    if known is not None:
        return known
    load = told.load
    if load.users or load.shape not in (None, "constant") or not load.rps or not load.duration_s:
        return None
    planned = round(load.rps * load.duration_s)
    return planned if load.max_requests is None else min(planned, load.max_requests)


def latest_points(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """Arrival, latency, tier and status of the latest requests."""
    return Rows(view, scope).dicts(
        f"""SELECT arrived_at, ms, status, quality_tier
        FROM counted WHERE arrived_at IS NOT NULL ORDER BY arrived_at DESC LIMIT {POINTS}"""
    )
