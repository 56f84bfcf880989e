# ruff: noqa: S608 - constant SQL, values are bound
"""One pass over a selection: what every page counts, by run."""

from dashboard.frame.scope import Scope
from harness.store import Snapshot

CLIENT_MS = "CASE WHEN latency_source IS DISTINCT FROM 'server' THEN latency_ms END"
SERVER_MS = "coalesce(server_ms, latency_ms)"


def _number_of(condition: str) -> str:
    # half the time of count(*) FILTER (...)
    return f"count(CASE WHEN {condition} THEN 1 END)"


_OK = "status = 'ok'"
_COUNTED = f"""
SELECT run_id, count(*) AS n, count(arrived_at) AS arrivals, min(arrived_at) AS first_at,
    max(arrived_at) AS last_at, {_number_of(_OK)} AS ok,
    {_number_of(f"{_OK} AND quality_tier = 'high'")} AS high,
    {_number_of(f"{_OK} AND quality_tier = 'medium'")} AS medium,
    {_number_of(f"{_OK} AND quality_tier = 'low'")} AS low,
    {_number_of(f"{_OK} AND quality_tier IS NULL")} AS ungraded,
    count(told_draft_source) AS sourced,
    {_number_of("told_draft_source IS NOT NULL AND mixed_providers")} AS mixed,
    {_number_of("told_draft_source IS NOT NULL AND repair_source IS NOT NULL")} AS repaired,
    count(prompt_cache_hit) AS cache_known, {_number_of("prompt_cache_hit")} AS cache_hits,
    count({CLIENT_MS}) AS client_timed, count({SERVER_MS}) AS timed,
    count(CASE WHEN {_OK} THEN {CLIENT_MS} END) AS client_answers,
    count(CASE WHEN {_OK} THEN {SERVER_MS} END) AS server_answers,
    count(cost_usd) AS priced, sum(cost_usd) AS usd, var_pop(cost_usd::DOUBLE) AS variance
FROM scoped GROUP BY run_id
"""


def tally(view: Snapshot, scope: Scope) -> str:
    """The table of the selection's counts, one row a run.

    Columns: `n` requests, of which `arrivals` say when (`first_at` to `last_at`); answers (`ok`) by tier and
    `ungraded`; requests that tell their draft (`sourced`), `mixed` and `repaired` among them; `cache_known`,
    `cache_hits`; latencies known on the client's clock and on any (`client_timed`, `timed`), and of answers
    alone (`client_answers`, `server_answers`); requests with a cost of their own (`priced`), its sum `usd`
    and its population `variance`.
    """
    ctes, values = scope.ctes(view)
    return view.kept(f"{ctes} {_COUNTED}", values).table
