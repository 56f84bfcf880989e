# ruff: noqa: S608 - names come from this module's constants, values are bound
"""Money in SQL: every attempt by role, provider and model, as `harness.report.spending` sums it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from scipy.special import stdtrit

from dashboard.frame.scope import Scope
from dashboard.queries.spent import paid_by_attempts, runs_without_attempts, spent_rows
from dashboard.queries.tally import tally
from harness.analysis import Estimate
from harness.analysis.interval import DEFAULT_CONFIDENCE
from harness.store import Snapshot


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
    found = view.dicts(
        f"""FROM {spent_rows(view, scope).table}
        ORDER BY list_position(['draft', 'repair', 'suggest', 'judge'], role), provider, model"""
    )
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
        from_columns=runs_without_attempts(view, scope),
        per_request=per_request,
        per_request_usd=exact,
        span_s=sum(spans) or None,
        requests=sum(run.requests for run in runs),
    )


def known_sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    """Sum of the known costs; None when none is known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunCost:
    """A run's requests, those with a known cost (USD), and the seconds from first to last arrival."""

    requests: int
    total_usd: Decimal | None
    priced: int
    variance: float | None
    span_s: float | None

    @property
    def mean(self) -> float:
        return 0.0 if self.total_usd is None else float(self.total_usd / self.priced)


def _runs_cost(view: Snapshot, scope: Scope) -> list[_RunCost]:
    """The runs by the costs that their requests know, and once more by those that only the attempts know."""
    found = view.dicts(
        f"""SELECT n AS requests, usd AS total_usd, priced, variance, CASE WHEN arrivals > 1 THEN
            date_diff('millisecond', first_at, last_at) / 1000.0 END AS span_s
        FROM {tally(view, scope)} ORDER BY run_id"""
    )
    paid = paid_by_attempts(view, scope)
    if paid.rows:
        found += view.dicts(
            f"""SELECT 0 AS requests, sum(usd) AS total_usd, count(usd) AS priced,
                var_pop(usd::DOUBLE) AS variance, NULL AS span_s
            FROM {paid.table} GROUP BY run_id ORDER BY run_id"""
        )
    return [_RunCost(**row) for row in found]


def _per_request(runs: Iterable[_RunCost]) -> tuple[Estimate, Decimal | None]:
    """Mean cost over all runs with its interval, and the same mean exact.

    The squares about the mean of all are each run's own about its mean, and those of the means.
    """
    priced = [run for run in runs if run.priced]
    n = sum(run.priced for run in priced)
    mean = sum(run.mean * run.priced for run in priced) / n if n else None
    squares = sum(run.priced * ((run.variance or 0.0) + (run.mean - (mean or 0.0)) ** 2) for run in priced)
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
