# ruff: noqa: S608 - constant SQL, values are bound
"""What left the process to be paid for, by role, provider and model: attempts, or the requests' own columns.

Refused attempts never left; judges are shown, but are no part of a request's cost. Where a run recorded no
attempt, its requests' own columns stand for one draft and one repair.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from harness.figures.selection import Rows, told
from harness.store.snapshot import Kept

ROLES = ("draft", "repair", "suggest", "judge")

_ATTEMPT = """SELECT c.run_id, request_id, role, provider, model, outcome, input_tokens, cache_read_tokens,
        cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, cost_usd,
        price_context, price_source, price_version, served_model, served_terms::VARCHAR AS served_terms,
        started_at AS spent_at FROM calls c"""
_SUMS = """count(*) AS calls,
    count(*) FILTER (outcome != 'ok') AS failed_calls, count(*) - count(cost_usd) AS unpriced_calls,
    sum(input_tokens)::BIGINT AS input_tokens, sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
    sum(output_tokens)::BIGINT AS output_tokens, sum(cost_usd) AS cost_usd"""
_FROM_REQUEST = """
    SELECT run_id, request_id, '{role}' AS role, {role}_source AS provider,
        coalesce({role}_model, 'unknown') AS model, 'ok' AS outcome, {role}_input_tokens AS input_tokens,
        {role}_cache_read_tokens AS cache_read_tokens, {role}_cache_write_tokens AS cache_write_5m_tokens,
        NULL AS cache_write_1h_tokens, {role}_output_tokens AS output_tokens, NULL AS reasoning_tokens,
        {role}_cost_usd AS cost_usd, 'standard' AS price_context, NULL AS price_source,
        NULL AS price_version, NULL AS served_model, NULL AS served_terms,
        coalesce(started_at, arrived_at) AS spent_at
    FROM counted WHERE {told} IS NOT NULL {uncalled}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """What one role cost at one provider and model, every attempt counted.

    Attributes:
        cost_usd: sum over the priced calls; None when none has a price.
        unpriced_calls: calls whose cost is unknown, left out of the sum.
    """

    role: str
    provider: str
    model: str
    calls: int
    failed_calls: int
    unpriced_calls: int
    input_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Sums over a selection; unpriced calls are left out and counted.

    Attributes:
        rows: by role, provider and model; judges included, as rows of their own.
        per_request_usd: exact mean over the requests of known cost.
        priced_requests: how many those are, of `requests`.
        from_columns: runs whose attempts were not recorded.
        warmup_usd: what the warm-up requests cost, beside the total.
    """

    rows: tuple[CostRow, ...]
    per_request_usd: Decimal | None
    priced_requests: int
    requests: int
    from_columns: int
    warmup_usd: Decimal | None

    @property
    def total_usd(self) -> Decimal | None:
        """Of all priced calls but judges'; None when nothing is priced."""
        return known_sum(row.cost_usd for row in self.rows if row.role != "judge")

    @property
    def draft_usd(self) -> Decimal | None:
        """Of the drafts, at all providers."""
        return known_sum(row.cost_usd for row in self.rows if row.role not in ("repair", "judge"))

    @property
    def repair_usd(self) -> Decimal | None:
        """Of the repairs; None when none is priced."""
        return known_sum(row.cost_usd for row in self.rows if row.role == "repair")

    @property
    def judge_usd(self) -> Decimal | None:
        """Of grading models, beside the total."""
        return known_sum(row.cost_usd for row in self.rows if row.role == "judge")

    @property
    def unpriced_calls(self) -> int:
        """Left out of every sum."""
        return sum(row.unpriced_calls for row in self.rows if row.role != "judge")

    @property
    def exclusion(self) -> str | None:
        """`excludes 3 unpriced calls`, or None."""
        if not self.unpriced_calls:
            return None
        return f"excludes {self.unpriced_calls:,} unpriced call{'s' if self.unpriced_calls > 1 else ''}"


def spending(rows: Rows) -> Spending:
    """What a selection cost."""
    spent = spent_sql(rows)
    found = rows.dicts(
        f"""SELECT role, provider, model, {_SUMS} FROM ({spent}) GROUP BY role, provider, model
        ORDER BY list_position({list(ROLES)}, role), provider, model"""
    )
    ((priced, total),) = rows.rows("SELECT count(usd), sum(usd) FROM counted")
    called = _called(rows)
    return Spending(
        rows=tuple(CostRow(**row) for row in found),
        per_request_usd=total / priced if priced else None,
        priced_requests=priced,
        requests=rows.n,
        from_columns=_runs(rows) - called.rows,
        warmup_usd=_warmup_usd(rows),
    )


def spent_sql(rows: Rows, *, whole_runs: bool = False) -> str:
    """A SELECT over `counted`: the attempts one by one, and what stands for them, with `spent_at`.

    Columns: those of `calls` about who was asked, tokens, cost and price. A request's own cache writes count
    as the usual five minutes, and its price context as standard.

    A run that is selected whole gives all its attempts but the warm-up's, without meeting its requests: that
    is fast, and counts the attempts whose request was never recorded because its sender was killed; they
    were paid all the same.

    Args:
        rows: the selection.
        whole_runs: the attempts of other requests of its runs too, as fast: to see what kinds there may be.
    """
    called = _called(rows).table
    all_whole = f"SELECT run_id FROM {rows.tally.table}"
    if not whole_runs:
        all_whole += f""" SEMI JOIN (
            SELECT run_id, requests AS n FROM {told(rows.view, rows.selection.run_ids).table}
        ) USING (run_id, n)"""
    # kept first, and only where there are any: else a join would be built on the many attempts
    whole, warm = rows.view.kept(all_whole), warm_ups(rows)
    part = rows.view.kept(f"SELECT run_id FROM {rows.tally.table} WHERE run_id NOT IN ({all_whole})")
    parts = []
    if whole.rows or not part.rows:
        apart = f"ANTI JOIN {warm.table} USING (run_id, request_id)" if warm.rows else ""
        parts.append(f"{_ATTEMPT} {apart} WHERE outcome != 'refused' AND run_id IN (FROM {whole.table})")
    if part.rows:
        asked = rows.kept(f"SELECT run_id, request_id FROM counted WHERE run_id IN (FROM {part.table})")
        parts.append(
            f"{_ATTEMPT} SEMI JOIN {asked.table} USING (run_id, request_id) WHERE outcome != 'refused'"
        )
    if _runs(rows) > _called(rows).rows:
        uncalled = f"AND run_id NOT IN (FROM {called})" if _called(rows).rows else ""
        for role, source in (("draft", "told_draft_source"), ("repair", "repair_source")):
            parts.append(_FROM_REQUEST.format(role=role, told=source, uncalled=uncalled))
    return " UNION ALL ".join(parts)


def warm_ups(rows: Rows) -> Kept:
    """(run_id, request_id) of the warm-up requests of the selected runs."""
    runs = f"SELECT run_id FROM {rows.tally.table}"
    return rows.view.kept(f"SELECT run_id, request_id FROM requests WHERE warmup AND run_id IN ({runs})")


def known_sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    """Sum of the known costs; None when none is known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known else None


def _called(rows: Rows) -> Kept:
    """(run_id) of the selected runs that recorded any attempt that left the process."""
    return rows.view.kept(
        f"""SELECT run_id FROM {rows.tally.table} SEMI JOIN (
            SELECT run_id FROM calls WHERE outcome != 'refused' AND run_id IN (
                SELECT run_id FROM {rows.tally.table}) GROUP BY run_id) USING (run_id)"""
    )


def _runs(rows: Rows) -> int:
    return rows.tally.rows


def _warmup_usd(rows: Rows) -> Decimal | None:
    warm = warm_ups(rows)
    if not warm.rows:
        return None
    ((usd,),) = rows.view.rows(
        f"""SELECT sum(cost_usd) FROM calls SEMI JOIN {warm.table} USING (run_id, request_id)
        WHERE outcome != 'refused' AND role != 'judge'"""
    )
    return usd if isinstance(usd, Decimal) else None
