# ruff: noqa: S608 - constant SQL, values are bound
"""What left the process to be paid for: attempts, and requests' own columns where none was recorded."""

from dashboard.frame.scope import Scope, told
from dashboard.queries.tally import tally
from harness.store import Snapshot
from harness.store.snapshot import Kept

_ATTEMPT = """SELECT c.run_id, role, provider, model, outcome, input_tokens, output_tokens, cost_usd,
        started_at AS spent_at FROM calls c"""
_SUMS = """count(*) AS calls, count(*) FILTER (outcome != 'ok') AS failed_calls,
    count(*) - count(cost_usd) AS unpriced_calls, sum(input_tokens)::BIGINT AS input_tokens,
    sum(output_tokens)::BIGINT AS output_tokens, sum(cost_usd) AS cost_usd"""
_FROM_REQUEST = """
    SELECT '{role}' AS role, {role}_source AS provider, coalesce({role}_model, 'unknown') AS model,
        'ok' AS outcome, {role}_input_tokens AS input_tokens, {role}_output_tokens AS output_tokens,
        {role}_cost_usd AS cost_usd, arrived_at AS spent_at
    FROM scoped WHERE {told} IS NOT NULL {uncalled}"""


def spent_rows(view: Snapshot, scope: Scope) -> Kept:
    """The table of sums by role, provider and model over the selection, judges included."""
    attempts = attempts_by_run(view, scope)
    ctes, values = scope.ctes(view)
    parts = [
        f"SELECT role, provider, model, {_SUMS} FROM ({part}) GROUP BY ALL"
        for part in _from_columns(view, scope, attempts)
    ]
    parts.append(f"SELECT * EXCLUDE run_id FROM {attempts.table}")
    names = ("calls", "failed_calls", "unpriced_calls", "input_tokens", "output_tokens")
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in names)
    return view.kept(
        f"""{ctes} SELECT role, provider, model, {sums}, sum(cost_usd) AS cost_usd
        FROM ({" UNION ALL ".join(parts)}) GROUP BY ALL""",
        values,
    )


def spent_cte(view: Snapshot, scope: Scope) -> tuple[str, list[object]]:
    """`WITH ... spent AS (...)`: the attempts one by one, and what stands for them, with their time."""
    ctes, values = scope.ctes(view)
    sent = f"SELECT * EXCLUDE run_id FROM ({_sent(view, scope)})"
    parts = [sent, *_from_columns(view, scope, attempts_by_run(view, scope))]
    return f"{ctes}, spent AS NOT MATERIALIZED ({' UNION ALL BY NAME '.join(parts)})", list(values)


def attempts_by_run(view: Snapshot, scope: Scope) -> Kept:
    """The table of sums over attempts that left the process, by run, role, provider and model.

    A run that is selected whole gives all its attempts but the warm-up's, without meeting its requests: that
    is fast, and counts the attempts whose request was never recorded because its sender was killed; they
    were paid all the same.
    """
    ctes, values = scope.ctes(view)
    return view.kept(
        f"{ctes} SELECT run_id, role, provider, model, {_SUMS} FROM ({_sent(view, scope)}) GROUP BY ALL",
        values,
    )


def runs_without_attempts(view: Snapshot, scope: Scope) -> int:
    """How many selected runs have no attempt recorded, so that their requests' own columns stand for them."""
    ((n,),) = view.rows(f"SELECT count(*) FROM ({_uncalled(view, scope)})")
    return int(n)


def _sent(view: Snapshot, scope: Scope) -> str:
    counted, runs = tally(view, scope), told(view).table
    whole = (
        f"SELECT run_id FROM {counted} SEMI JOIN (SELECT run_id, requests AS n FROM {runs}) USING (run_id, n)"
    )
    part = view.kept(f"SELECT run_id FROM {counted} WHERE run_id NOT IN ({whole})")
    sent = f"""{_ATTEMPT} ANTI JOIN (SELECT run_id, request_id FROM requests WHERE warmup) warm
            USING (run_id, request_id)
        WHERE outcome != 'refused' AND run_id IN ({whole})"""
    if not part.rows:
        return sent
    return f"""{sent} UNION ALL {_ATTEMPT} SEMI JOIN (
            SELECT run_id, request_id FROM scoped WHERE run_id IN (FROM {part.table})
        ) part USING (run_id, request_id) WHERE outcome != 'refused'"""


def _uncalled(view: Snapshot, scope: Scope) -> str:
    attempts = attempts_by_run(view, scope).table
    return f"SELECT run_id FROM {tally(view, scope)} ANTI JOIN {attempts} USING (run_id)"


def _from_columns(view: Snapshot, scope: Scope, attempts: Kept) -> list[str]:
    """Runs without any attempt recorded give one row a role from their requests' own columns."""
    if not runs_without_attempts(view, scope):
        return []
    uncalled = f"AND run_id IN ({_uncalled(view, scope)})" if attempts.rows else ""
    return [
        _FROM_REQUEST.format(role="draft", told="told_draft_source", uncalled=uncalled),
        _FROM_REQUEST.format(role="repair", told="repair_source", uncalled=uncalled),
    ]


def paid_by_attempts(view: Snapshot, scope: Scope) -> Kept:
    """The table (run_id, request_id, usd) of requests of no own cost whose attempts all have one."""
    ctes, values = scope.ctes(view)
    return view.kept(
        f"""{ctes} SELECT run_id, request_id, sum(cost_usd) AS usd
        FROM calls SEMI JOIN (SELECT run_id, request_id FROM scoped WHERE cost_usd IS NULL) unknown
            USING (run_id, request_id)
        WHERE outcome != 'refused' AND role != 'judge'
        GROUP BY run_id, request_id HAVING count(*) = count(cost_usd)""",
        values,
    )


def costed_cte(view: Snapshot, scope: Scope) -> tuple[str, list[object]]:
    """`WITH ... costed AS (...)`: the selection with each request's cost `usd`.

    Its own figure, else its attempts' sum if all have a price.
    """
    ctes, values = scope.ctes(view)
    paid = paid_by_attempts(view, scope)
    costed = "SELECT *, cost_usd AS usd FROM scoped"
    if paid.rows:
        # apart, so that the many that know their cost need not meet the attempts of the few that do not
        costed += f""" WHERE cost_usd IS NOT NULL UNION ALL
            SELECT s.*, p.usd FROM scoped s LEFT JOIN {paid.table} p USING (run_id, request_id)
            WHERE s.cost_usd IS NULL"""
    return f"{ctes}, costed AS NOT MATERIALIZED ({costed})", list(values)
