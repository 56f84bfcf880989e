# ruff: noqa: S608 - names come from this module's constants, values are bound
"""Cost over time and as a distribution over requests."""

import math
from dataclasses import dataclass
from datetime import datetime

from dashboard.frame.scope import Scope
from harness.figures import Rows
from harness.figures.spending import spent_sql
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
    rows = Rows(view, scope)
    ((span_s,),) = view.rows(
        f"SELECT date_diff('second', min(first_at), max(last_at)) FROM {rows.tally.table}"
    )
    unit = next(unit for most_s, unit in UNITS if (span_s or 0) <= most_s)
    found = rows.rows(
        f"""SELECT date_trunc('{unit}', spent_at) AS at, provider, role, sum(cost_usd)::DOUBLE,
            count(cost_usd)
        FROM ({spent_sql(rows)})
        WHERE role != 'judge' AND cost_usd IS NOT NULL AND spent_at IS NOT NULL
        GROUP BY 1, 2, 3 ORDER BY ALL"""
    )
    return CostOverTime(
        unit=unit, n=sum(row[4] for row in found), rows=tuple((r[0], r[1], r[2], r[3]) for r in found)
    )


def cost_distribution(view: Snapshot, scope: Scope) -> CostDistribution:
    """How the cost of a request is spread, by the used draft's provider."""
    rows = Rows(view, scope)
    ((n, unknown, low, high, found),) = rows.rows(
        f"""SELECT count(usd), count(*) - count(usd), min(usd)::DOUBLE, max(usd)::DOUBLE,
            quantile_cont(usd::DOUBLE, {list(QUANTILES)}) FROM counted"""
    )
    if not n:
        return CostDistribution(n=0, unknown=unknown, quantiles_usd=(None,) * len(QUANTILES), bins=())
    width = (high - low) / BINS or max(high, 1e-6) / BINS
    bins = rows.rows(
        f"""SELECT least(floor((usd::DOUBLE - ?) / ?), {BINS - 1})::INTEGER AS bin,
            coalesce(draft_source, 'unknown') AS provider, count(*)
        FROM counted WHERE usd IS NOT NULL GROUP BY ALL ORDER BY ALL""",
        [low, width],
    )
    return CostDistribution(
        n=n,
        unknown=unknown,
        quantiles_usd=tuple(found),
        bins=tuple((low + b * width, low + (b + 1) * width, provider, count) for b, provider, count in bins),
    )
