# ruff: noqa: S608 - constant SQL, values are bound
"""Runs, their gate verdicts, two of them side by side, and failures grouped."""

import json
from dataclasses import dataclass
from typing import Any

from dashboard.frame.scope import Scope
from dashboard.queries.facets import RunFacet
from harness.figures import Rows
from harness.figures.differences import Differences, compared_sides
from harness.figures.selection import seen, told
from harness.figures.sides import Comparability, comparability, mode_name, whole_side
from harness.store import Snapshot

MOST_RUNS = 500
MOST_VERDICTS = 500


def run_list(view: Snapshot) -> list[dict[str, Any]]:
    """Runs, latest first, with their counts and last verdict; runs without a request are left out."""
    return view.dicts(
        f"""WITH counted AS (
            SELECT run_id, sum(s.requests)::BIGINT AS requests, sum(failed)::BIGINT AS failed,
                string_agg(DISTINCT coalesce(s.provider_mode, t.mode), ', ') AS modes,
                string_agg(DISTINCT coalesce(s.strategy, t.strategy), ', ') AS strategies
            FROM {seen(view).table} s JOIN {told(view).table} t USING (run_id)
            WHERE warmup IS NOT TRUE GROUP BY run_id
        ), verdicts AS (
            SELECT run_id, arg_max(verdict, ts) AS verdict FROM gate_results GROUP BY run_id
        )
        SELECT u.name, u.kind, c.modes AS mode, u.status, v.verdict AS gate, u.started_at,
            date_diff('second', u.started_at, u.ended_at) AS seconds, c.requests, c.failed, c.strategies,
            u.environment, u.target, u.run_id
        FROM runs u JOIN counted c USING (run_id) LEFT JOIN verdicts v USING (run_id)
        ORDER BY u.started_at DESC, u.run_id DESC LIMIT {MOST_RUNS}"""
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One gate verdict and its checks, the p95 check's figures taken out for the chart."""

    run_id: str
    run_name: str
    ts: Any
    verdict: str
    p95_ms: float | None
    limit_ms: float | None
    n: int | None
    sentences: tuple[str, ...]


def gate_history(view: Snapshot) -> tuple[Verdict, ...]:
    """All verdicts, latest first."""
    rows = view.dicts(
        f"""SELECT g.run_id, coalesce(u.name, g.run_id) AS run_name, g.ts, g.verdict, g.checks
        FROM gate_results g LEFT JOIN runs u USING (run_id) ORDER BY g.ts DESC LIMIT {MOST_VERDICTS}"""
    )
    return tuple(_verdict(row) for row in rows)


def _verdict(row: dict[str, Any]) -> Verdict:
    checks = json.loads(row["checks"]) if row["checks"] else []
    p95: dict[str, Any] = next(
        (check for check in checks if str(check.get("name", "")).startswith("p95")), {}
    )
    return Verdict(
        run_id=row["run_id"],
        run_name=row["run_name"],
        ts=row["ts"],
        verdict=row["verdict"],
        p95_ms=_number(p95.get("value")),
        limit_ms=_number(p95.get("limit")),
        n=p95.get("n"),
        sentences=tuple(str(check["sentence"]) for check in checks if check.get("sentence")),
    )


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Two runs compared; `comparable` says what stands between them, `found` is None where it refuses."""

    found: Differences | None
    comparable: Comparability
    modes: tuple[str, str]


def side_by_side(view: Snapshot, a: str, b: str) -> SideBySide:
    """The differences of run B to run A, as `harness compare` computes them."""
    runs = [view.run(a), view.run(b)]
    sides = [whole_side(view, run) for run in runs]
    between = comparability(*sides)
    modes = (mode_name(sides[0].mode), mode_name(sides[1].mode))
    if between.refused is not None:
        return SideBySide(found=None, comparable=between, modes=modes)
    return SideBySide(found=compared_sides(sides[0], sides[1], between), comparable=between, modes=modes)


def error_groups(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """Failed requests by status, kind and HTTP status, with one redacted excerpt each."""
    return Rows(view, scope).dicts(
        """SELECT count(*) AS failed, status, error_kind, http_status, draft_source AS provider,
            count(DISTINCT run_id) AS runs, min(arrived_at) AS first_at, max(arrived_at) AS last_at,
            any_value(error_message) AS example
        FROM counted WHERE status != 'ok'
        GROUP BY status, error_kind, http_status, provider ORDER BY failed DESC, status, error_kind"""
    )


def attempt_errors(view: Snapshot, scope: Scope) -> list[dict[str, Any]]:
    """Failed attempts of the selection, those that a retry made good included."""
    return Rows(view, scope).dicts(
        """SELECT count(*) AS failed, provider, model, role, outcome, error_kind, http_status
        FROM calls SEMI JOIN counted USING (run_id, request_id) WHERE outcome != 'ok'
        GROUP BY ALL ORDER BY failed DESC, provider, model, role"""
    )


def running(view: Snapshot) -> tuple[RunFacet, ...]:
    """Driven runs that are going on, latest first."""
    rows = view.dicts(
        """SELECT run_id, name, kind, status, started_at FROM runs
        WHERE status = 'running' AND kind IN ('baseline', 'eval') ORDER BY started_at DESC, run_id DESC"""
    )
    return tuple(RunFacet(**row) for row in rows)
