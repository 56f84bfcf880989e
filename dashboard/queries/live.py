# ruff: noqa: S608 - constant SQL, values are bound
"""A run while it goes on: how far it is, and its latest answers."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.frame.scope import Scope
from harness.figures import Rows, Selection
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
        duration_s=_number(config.get("load", {}).get("duration_s")),
        finished=sum(n for _, n in modes),
        mode=modes[0][0] if modes else "unknown",
        other_modes=sum(n for _, n in modes[1:]),
    )


def _planned(config: dict[str, Any]) -> int | None:
    known = config.get("summary", {}).get("planned", config.get("planned"))
    if known is not None:
        return int(known)
    load = config.get("load", {})
    rate, duration_s = _number(load.get("rps")), _number(load.get("duration_s"))
    if load.get("users") or load.get("shape") not in (None, "constant") or not rate or not duration_s:
        return None
    planned = round(rate * duration_s)
    most = load.get("max_requests")
    return planned if most is None else min(planned, int(most))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def latest_points(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """Arrival, latency, tier and status of the latest requests."""
    return Rows(view, scope).dicts(
        f"""SELECT arrived_at, ms, status, quality_tier
        FROM counted WHERE arrived_at IS NOT NULL ORDER BY arrived_at DESC LIMIT {POINTS}"""
    )
