# ruff: noqa: S608 - names come from this module's constants, values are bound
"""Money in SQL: every attempt by role, provider and model, as `harness.report.spending` sums it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from scipy.special import stdtrit

from dashboard.scope import Scope
from harness.analysis import Estimate
from harness.analysis.interval import DEFAULT_CONFIDENCE
from harness.store import Snapshot

_COLUMNS = (
    "run_id, role, provider, model, outcome, input_tokens, output_tokens, cost_usd, spent_at, from_call"
)
_FROM_REQUEST = """
    SELECT run_id, '{role}', {role}_source, coalesce({role}_model, 'unknown'), 'ok', {role}_input_tokens,
        {role}_output_tokens, {role}_cost_usd, arrived_at, false
    FROM scoped WHERE {told} IS NOT NULL AND run_id NOT IN (FROM called)"""
_ATTEMPT = """SELECT c.run_id, role, provider, model, outcome, input_tokens, output_tokens, cost_usd,
        started_at AS spent_at FROM calls c"""


def spent_cte(scope: Scope) -> tuple[str, list[object]]:
    """`WITH ... spent AS (...)`: attempts that left the process, judges included, of the selected requests.

    A run that is selected whole gives all its attempts but the warm-up's, without meeting its requests: that
    is fast, and counts the attempts whose request was never recorded because its sender was killed; they
    were paid all the same. Runs without any attempt recorded give one row a role from their requests' own
    columns.
    """
    ctes, values = scope.ctes()
    sql = f"""{ctes}, whole AS (
        SELECT run_id FROM (SELECT run_id, count(*) AS n FROM scoped GROUP BY run_id)
        SEMI JOIN (SELECT run_id, count(*) AS n FROM requests WHERE warmup IS NOT TRUE GROUP BY run_id) every
            USING (run_id, n)
    ), sent AS (
        {_ATTEMPT} ANTI JOIN (SELECT run_id, request_id FROM requests WHERE warmup) warm
            USING (run_id, request_id)
        WHERE outcome != 'refused' AND run_id IN (FROM whole)
        UNION ALL
        {_ATTEMPT} SEMI JOIN (
            SELECT run_id, request_id FROM scoped WHERE run_id NOT IN (FROM whole)
        ) part USING (run_id, request_id) WHERE outcome != 'refused'
    ), called AS (SELECT DISTINCT run_id FROM sent),
    spent ({_COLUMNS}) AS (
        SELECT *, true FROM sent
        UNION ALL {_FROM_REQUEST.format(role="draft", told="told_draft_source")}
        UNION ALL {_FROM_REQUEST.format(role="repair", told="repair_source")}
    )"""
    return sql, list(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentRow:
    """What one role cost at one provider and model; unpriced calls are left out, None when all are."""

    role: str
    provider: str
    model: str
    calls: int
    failed_calls: int
    unpriced_calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Sums over the selection, warm-ups and judges left out.

    Attributes:
        rows: by role, provider and model; judges included, as rows of their own.
        total_usd, draft_usd, repair_usd, judge_usd: sums of the priced calls; None when none is.
        unpriced_calls: left out of every sum.
        from_columns: runs whose attempts were not recorded, summed from their requests' own columns.
        per_request: mean over the requests with a known cost, USD, with its interval.
        per_request_usd: the same mean, exact.
        span_s: seconds between first and last arrival, summed over runs; None below two requests.
        requests: all of the selection.
    """

    rows: tuple[SpentRow, ...]
    total_usd: Decimal | None
    draft_usd: Decimal | None
    repair_usd: Decimal | None
    judge_usd: Decimal | None
    unpriced_calls: int
    from_columns: int
    per_request: Estimate
    per_request_usd: Decimal | None
    span_s: float | None
    requests: int

    @property
    def per_hour_usd(self) -> float | None:
        """USD an hour over the time in which requests arrived."""
        if self.total_usd is None or not self.span_s:
            return None
        return float(self.total_usd) / self.span_s * 3600

    @property
    def exclusion(self) -> str | None:
        """`excludes 3 unpriced calls`, or None."""
        if not self.unpriced_calls:
            return None
        return f"excludes {self.unpriced_calls:,} unpriced call{'s' if self.unpriced_calls > 1 else ''}"


def money(view: Snapshot, scope: Scope) -> Money:
    """What the selection cost."""
    ctes, values = spent_cte(scope)
    found = view.dicts(
        f"""{ctes}, by_run AS (
            SELECT run_id, role, provider, model, from_call, count(*) AS calls,
                count(*) FILTER (outcome != 'ok') AS failed_calls,
                count(*) - count(cost_usd) AS unpriced_calls, sum(input_tokens) AS input_tokens,
                sum(output_tokens) AS output_tokens, sum(cost_usd) AS cost_usd
            FROM spent GROUP BY run_id, role, provider, model, from_call
        )
        SELECT role, provider, model, sum(calls)::BIGINT AS calls,
            sum(failed_calls)::BIGINT AS failed_calls, sum(unpriced_calls)::BIGINT AS unpriced_calls,
            sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens,
            sum(cost_usd) AS cost_usd, list(DISTINCT run_id) FILTER (from_call) AS called
        FROM by_run GROUP BY role, provider, model
        ORDER BY list_position(['draft', 'repair', 'suggest', 'judge'], role), provider, model""",
        values,
    )
    called = {run_id for row in found for run_id in row.pop("called") or ()}
    rows = tuple(SpentRow(**row) for row in found)
    answering = [row for row in rows if row.role != "judge"]
    runs = _runs_cost(view, scope)
    per_request, exact = _per_request(runs)
    spans = [run.span_s for run in runs if run.span_s is not None]
    return Money(
        rows=rows,
        total_usd=known_sum(row.cost_usd for row in answering),
        draft_usd=known_sum(row.cost_usd for row in answering if row.role != "repair"),
        repair_usd=known_sum(row.cost_usd for row in answering if row.role == "repair"),
        judge_usd=known_sum(row.cost_usd for row in rows if row.role == "judge"),
        unpriced_calls=sum(row.unpriced_calls for row in answering),
        from_columns=sum(run.run_id not in called for run in runs),
        per_request=per_request,
        per_request_usd=exact,
        span_s=sum(spans) or None,
        requests=sum(run.requests for run in runs),
    )


def known_sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    """Sum of the known costs; None when none is known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known else None


REQUEST_COST = """paid AS (
    SELECT run_id, request_id, CASE WHEN count(*) = count(cost_usd) THEN sum(cost_usd) END AS usd
    FROM calls SEMI JOIN (SELECT run_id, request_id FROM scoped WHERE cost_usd IS NULL) unknown
        USING (run_id, request_id)
    WHERE outcome != 'refused' AND role != 'judge' GROUP BY run_id, request_id
), costed AS (
    SELECT s.*, coalesce(s.cost_usd, p.usd) AS usd FROM scoped s LEFT JOIN paid p USING (run_id, request_id)
)"""
"""Each request's cost: its own figure, else its attempts' sum if all have a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunCost:
    """A run's requests, those with a known cost (USD), and the seconds from first to last arrival."""

    run_id: str
    requests: int
    total_usd: Decimal | None
    priced: int
    mean: float | None
    variance: float | None
    span_s: float | None


def _runs_cost(view: Snapshot, scope: Scope) -> list[_RunCost]:
    ctes, values = scope.ctes()
    found = view.dicts(
        f"""{ctes}, {REQUEST_COST} SELECT run_id, count(*) AS requests, sum(usd) AS total_usd,
            count(usd) AS priced, avg(usd::DOUBLE) AS mean, var_pop(usd::DOUBLE) AS variance,
            CASE WHEN count(arrived_at) > 1 THEN
                date_diff('millisecond', min(arrived_at), max(arrived_at)) / 1000.0 END AS span_s
        FROM costed GROUP BY run_id ORDER BY run_id""",
        values,
    )
    return [_RunCost(**row) for row in found]


def _per_request(runs: Iterable[_RunCost]) -> tuple[Estimate, Decimal | None]:
    """Mean cost over all runs with its interval, and the same mean exact.

    The squares about the mean of all are each run's own about its mean, and those of the means.
    """
    priced = [run for run in runs if run.priced]
    n = sum(run.priced for run in priced)
    mean = sum((run.mean or 0.0) * run.priced for run in priced) / n if n else None
    squares = sum(
        run.priced * ((run.variance or 0.0) + ((run.mean or 0.0) - (mean or 0.0)) ** 2) for run in priced
    )
    half = None
    if n > 1:
        half = float(stdtrit(n - 1, 0.5 + DEFAULT_CONFIDENCE / 2)) * (squares / (n - 1) / n) ** 0.5
    total = known_sum(run.total_usd for run in priced)
    estimate = Estimate(
        value=mean,
        low=None if half is None or mean is None else mean - half,
        high=None if half is None or mean is None else mean + half,
        confidence=DEFAULT_CONFIDENCE,
        method="t",
        n=n,
    )
    return estimate, None if total is None else total / n
