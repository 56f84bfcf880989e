# ruff: noqa: S608 - constant SQL, values are bound
"""Money of a selection: sums by role, provider and model, and what a request cost."""

from dataclasses import dataclass

from dashboard.frame.scope import Scope
from harness.analysis.estimate import Estimate, no_estimate
from harness.figures import Rows, figure_named, measure_all
from harness.figures.forecast import MonthForecast, month_forecast
from harness.figures.spending import Spending, spending
from harness.store import Snapshot

LEAST_SPAN_S = 600.0
"""Below ten minutes of arrivals a cost an hour would be made up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What the selection cost.

    Attributes:
        sums: exact sums by role, provider and model; warm-ups and judges apart.
        per_request: mean over the requests with a known cost, USD.
        span_s: seconds between first and last arrival, summed over runs; None below two requests.
    """

    sums: Spending
    per_request: Estimate
    span_s: float | None

    @property
    def per_hour_usd(self) -> float | None:
        """USD an hour over the time in which requests arrived; None where that was too short to say."""
        if self.sums.total_usd is None or self.span_s is None or self.span_s < LEAST_SPAN_S:
            return None
        return float(self.sums.total_usd) / self.span_s * 3600


def forecast(view: Snapshot, scope: Scope, requests: int) -> MonthForecast:
    """What so many requests like these cost."""
    return month_forecast(Rows(view, scope), requests)


def money(view: Snapshot, scope: Scope) -> Money:
    """What the selection cost."""
    rows = Rows(view, scope)
    ((span_s,),) = view.rows(
        f"""SELECT sum(date_diff('millisecond', first_at, last_at)) / 1000.0
        FROM {rows.tally.table} WHERE arrivals > 1"""
    )
    found = measure_all(rows, [figure_named("cost_per_request")])
    return Money(
        sums=spending(rows),
        per_request=found.get("cost_per_request", no_estimate("t")),
        span_s=span_s or None,
    )
