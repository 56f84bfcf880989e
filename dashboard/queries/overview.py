# ruff: noqa: S608 - constant SQL, values are bound
"""The Overview's shares: errors, tiers, mixed routes, cache hits, and the last gate verdict."""

import os
from dataclasses import dataclass
from datetime import datetime

from dashboard.queries.records import MONEY_COLUMNS, scoped_records
from dashboard.scope import Scope
from harness.analysis import Estimate, wilson
from harness.pricing import PriceBook
from harness.report.figures import SavingFigures
from harness.report.spending import saving_figures
from harness.store import Snapshot

TIERS = ("high", "medium", "low")
MAX_REPRICED = 5_000
"""Requests whose recorded tokens are re-priced one by one at most; of more, the latest so many."""


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
    ctes, values = scope.ctes()
    (row,) = view.dicts(
        f"""{ctes} SELECT count(*) AS n, count(DISTINCT run_id) AS runs, min(arrived_at) AS first_at,
            max(arrived_at) AS last_at, count(*) FILTER (status != 'ok') AS failed,
            count(*) FILTER (status = 'ok' AND quality_tier = 'high') AS high,
            count(*) FILTER (status = 'ok' AND quality_tier = 'medium') AS medium,
            count(*) FILTER (status = 'ok' AND quality_tier = 'low') AS low,
            count(*) FILTER (status = 'ok' AND quality_tier IS NULL) AS ungraded,
            count(*) FILTER (told_draft_source IS NOT NULL) AS sourced,
            count(*) FILTER (told_draft_source IS NOT NULL AND mixed_providers) AS mixed,
            count(*) FILTER (told_draft_source IS NOT NULL AND repair_source IS NOT NULL) AS repaired,
            count(*) FILTER (prompt_cache_hit IS NOT NULL) AS cache_known,
            count(*) FILTER (prompt_cache_hit) AS cache_hits
        FROM scoped""",
        values,
    )
    tiers = {tier: row[tier] for tier in TIERS}
    return Shares(
        requests=row["n"],
        runs=row["runs"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        errors=wilson(row["failed"], row["n"]),
        tiers=tiers,
        ungraded=row["ungraded"],
        high=wilson(row["high"], sum(tiers.values())),
        mixed=wilson(row["mixed"], row["sourced"]),
        repaired=wilson(row["repaired"], row["sourced"]),
        cache_hit=wilson(row["cache_hits"], row["cache_known"]),
    )


def last_gate(view: Snapshot, scope: Scope) -> LastGate | None:
    """The latest gate verdict of a selected run; None when none was gated."""
    ctes, values = scope.ctes()
    found = view.dicts(
        f"""{ctes} SELECT g.verdict, g.ts, coalesce(u.name, g.run_id) AS run_name
        FROM gate_results g LEFT JOIN runs u USING (run_id)
        WHERE g.run_id IN (SELECT run_id FROM scoped) ORDER BY g.ts DESC LIMIT 1""",
        values,
    )
    return LastGate(**found[0]) if found else None


def run_states(view: Snapshot, scope: Scope) -> tuple[RunState, ...]:
    """The selected runs, latest first, as far as a banner needs them."""
    ctes, values = scope.ctes()
    found = view.dicts(
        f"""{ctes} SELECT u.run_id, u.name, u.status,
            try_cast(u.config->>'$.summary.suspect' AS BOOLEAN) AS suspect,
            try_cast(u.config->>'$.summary.planned' AS BIGINT) AS planned, s.requests
        FROM runs u JOIN (SELECT run_id, count(*) AS requests FROM scoped GROUP BY run_id) s USING (run_id)
        ORDER BY u.started_at DESC""",
        values,
    )
    return tuple(RunState(**row) for row in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What the route saved against one provider. `left_out` requests were too many to re-price."""

    figures: SavingFigures
    left_out: int


def saving(view: Snapshot, scope: Scope) -> Saving:
    """The hybrid route against the draft model doing the repairs too, by `harness cost`'s arithmetic."""
    records = scoped_records(view, scope, limit=MAX_REPRICED, columns=MONEY_COLUMNS)
    figures = saving_figures(records.requests, records.calls, PriceBook.configured(os.environ))
    return Saving(figures=figures, left_out=records.left_out)
