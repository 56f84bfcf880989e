# ruff: noqa: S608 - constant SQL, values are bound
"""The Overview's shares: errors, tiers, mixed routes, cache hits, and the last gate verdict."""

import os
from dataclasses import dataclass
from datetime import datetime

from dashboard.frame.scope import Scope
from harness.analysis.estimate import Estimate, no_estimate
from harness.figures import Rows, figure_named, measure_all
from harness.figures.measure import Figures
from harness.figures.saving import RouteSaving, route_saving
from harness.pricing import PriceBook
from harness.records import EndSummary
from harness.store import Snapshot

TIERS = ("high", "medium", "low")
_SHARES = ("error_ratio", "high_tier", "mixed_providers", "repaired", "prompt_cache_hit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Ratios with their intervals. `tiers` counts answered requests; `ungraded` beside them."""

    requests: int
    runs: int
    first_at: datetime | None
    last_at: datetime | None
    errors: Estimate
    tiers: dict[str, int]
    ungraded: int
    high: Estimate
    mixed: Estimate
    repaired: Estimate
    cache_hit: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGate:
    """The latest verdict among the selected runs."""

    verdict: str
    ts: datetime
    run_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What must be said of a selected run: that it is not whole, or suspect."""

    run_id: str
    name: str
    status: str
    suspect: bool | None
    planned: int | None
    requests: int


def shares(view: Snapshot, scope: Scope) -> Shares:
    """The ratios of the selection."""
    rows = Rows(view, scope)
    none = dict.fromkeys(_SHARES, no_estimate("wilson"))
    found = {**none, **measure_all(rows, [figure_named(name) for name in _SHARES])}
    ((runs, first_at, last_at),) = view.rows(
        f"SELECT count(*), min(first_at), max(last_at) FROM {rows.tally.table}"
    )
    tiers = dict(
        view.rows(
            f"""SELECT coalesce(quality_tier, 'ungraded'), sum(n)::BIGINT FROM {rows.combinations.table}
            WHERE status = 'ok' GROUP BY ALL"""
        )
    )
    return Shares(
        requests=rows.n,
        runs=runs,
        first_at=first_at,
        last_at=last_at,
        errors=found["error_ratio"],
        tiers={tier: tiers.get(tier, 0) for tier in TIERS},
        ungraded=tiers.get("ungraded", 0),
        high=found["high_tier"],
        mixed=found["mixed_providers"],
        repaired=found["repaired"],
        cache_hit=found["prompt_cache_hit"],
    )


def every_figure(view: Snapshot, scope: Scope) -> Figures:
    """Every declared figure of the selection."""
    return measure_all(Rows(view, scope))


def last_gate(view: Snapshot, scope: Scope) -> LastGate | None:
    """The latest gate verdict of a selected run; None when none was gated."""
    found = view.dicts(
        f"""SELECT g.verdict, g.ts, coalesce(u.name, g.run_id) AS run_name
        FROM gate_results g LEFT JOIN runs u USING (run_id)
        WHERE g.run_id IN (SELECT run_id FROM {Rows(view, scope).tally.table}) ORDER BY g.ts DESC LIMIT 1"""
    )
    return LastGate(**found[0]) if found else None


def run_states(view: Snapshot, scope: Scope) -> tuple[RunState, ...]:
    """The selected runs, latest first, as far as a banner needs them."""
    found = view.dicts(
        f"""SELECT u.run_id, u.name, u.status,
            try_cast(u.config->>'{EndSummary.path("suspect")}' AS BOOLEAN) AS suspect,
            try_cast(u.config->>'{EndSummary.path("planned")}' AS BIGINT) AS planned, s.n AS requests
        FROM runs u JOIN {Rows(view, scope).tally.table} s USING (run_id) ORDER BY u.started_at DESC"""
    )
    return tuple(RunState(**row) for row in found)


def saving(view: Snapshot, scope: Scope) -> RouteSaving:
    """The hybrid route against the draft model doing the repairs too, by `harness cost`'s arithmetic."""
    return route_saving(Rows(view, scope), PriceBook.configured(os.environ))
