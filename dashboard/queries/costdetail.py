# ruff: noqa: S608 - names come from this module's constants, values are bound
"""Cost over time, as a distribution over requests, and as a forecast for a volume."""

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from scipy.special import stdtrit

from dashboard.frame.scope import Scope
from dashboard.queries.spent import costed_cte, spent_cte
from harness.analysis import Estimate
from harness.analysis.interval import DEFAULT_CONFIDENCE
from harness.report.cost import project
from harness.store import Snapshot

BINS = 40
QUANTILES = (0.5, 0.95, 0.99)
UNITS = ((2 * 3600, "minute"), (14 * 86400, "hour"), (math.inf, "day"))
"""Up to which span of the selection costs are summed by which unit of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOverTime:
    """USD by span of time, provider and role. `unit` is minute, hour or day; `n` priced calls."""

    unit: str
    n: int
    rows: tuple[tuple[datetime, str, str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDistribution:
    """Histogram of the cost of a request: (lower edge, upper edge, draft provider, requests), USD."""

    n: int
    unknown: int
    quantiles_usd: tuple[float | None, ...]
    bins: tuple[tuple[float, float, str, int], ...]


def cost_over_time(view: Snapshot, scope: Scope) -> CostOverTime:
    """Sums of the priced attempts, judges left out."""
    ctes, values = spent_cte(view, scope)
    ((span_s, n),) = view.rows(
        f"""{ctes} SELECT date_diff('second', min(spent_at), max(spent_at)), count(cost_usd)
        FROM spent WHERE role != 'judge' AND spent_at IS NOT NULL""",
        values,
    )
    unit = next(unit for most_s, unit in UNITS if (span_s or 0) <= most_s)
    rows = view.rows(
        f"""{ctes} SELECT date_trunc('{unit}', spent_at) AS at, provider, role, sum(cost_usd)::DOUBLE
        FROM spent WHERE role != 'judge' AND cost_usd IS NOT NULL AND spent_at IS NOT NULL
        GROUP BY ALL ORDER BY ALL""",
        values,
    )
    return CostOverTime(unit=unit, n=n, rows=tuple((r[0], r[1], r[2], r[3]) for r in rows))


def cost_distribution(view: Snapshot, scope: Scope) -> CostDistribution:
    """How the cost of a request is spread, by the used draft's provider."""
    ctes, values = costed_cte(view, scope)
    ((n, unknown, low, high, found),) = view.rows(
        f"""{ctes} SELECT count(usd), count(*) - count(usd), min(usd)::DOUBLE,
            max(usd)::DOUBLE, quantile_cont(usd::DOUBLE, {list(QUANTILES)}) FROM costed""",
        values,
    )
    if not n:
        return CostDistribution(n=0, unknown=unknown, quantiles_usd=(None,) * len(QUANTILES), bins=())
    width = (high - low) / BINS or max(high, 1e-6) / BINS
    rows = view.rows(
        f"""{ctes} SELECT least(floor((usd::DOUBLE - ?) / ?), {BINS - 1})::INTEGER AS bin,
            coalesce(draft_source, 'unknown') AS provider, count(*)
        FROM costed WHERE usd IS NOT NULL GROUP BY ALL ORDER BY ALL""",
        [*values, low, width],
    )
    return CostDistribution(
        n=n,
        unknown=unknown,
        quantiles_usd=tuple(found),
        bins=tuple((low + b * width, low + (b + 1) * width, provider, count) for b, provider, count in rows),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthForecast:
    """What a month at a volume costs if its requests are like these; USD."""

    requests: int
    cost_usd: Decimal
    draft_usd: Decimal | None
    repair_usd: Decimal | None
    low_usd: float | None
    high_usd: float | None
    n: int


def month_forecast(
    *, total_usd: Decimal, per_request: Estimate, parts: tuple[Decimal | None, Decimal | None], requests: int
) -> MonthForecast | None:
    """Mean times volume, with the prediction interval of `analysis.forecast` for independent requests.

    total = V mean, error sqrt(V^2 se^2 + V s^2), where s = se sqrt(n).

    Args:
        total_usd: exact sum over the requests with a known cost.
        per_request: their mean with its t interval, and n.
        parts: sums of the draft and the repair role over the same selection.
        requests: V, a month's volume.

    Returns:
        None when no request has a known cost.
    """
    n = per_request.n
    if not n or per_request.value is None:
        return None
    low = high = None
    if per_request.high is not None:
        t = float(stdtrit(n - 1, 0.5 + DEFAULT_CONFIDENCE / 2))
        error = (per_request.high - per_request.value) / t
        half = t * math.sqrt((requests * error) ** 2 + requests * error**2 * n)
        low, high = max(0.0, requests * per_request.value - half), requests * per_request.value + half
    draft, repair = (None if part is None else project(part, n, requests) for part in parts)
    return MonthForecast(
        requests=requests,
        cost_usd=project(total_usd, n, requests),
        draft_usd=draft,
        repair_usd=repair,
        low_usd=low,
        high_usd=high,
        n=n,
    )
