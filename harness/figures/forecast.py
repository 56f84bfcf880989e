"""What a month at a volume costs if its requests are like the recorded ones."""

import math
from dataclasses import dataclass
from decimal import Decimal

from harness.analysis.distributions import t_quantile
from harness.analysis.estimate import DEFAULT_CONFIDENCE
from harness.figures.catalogue import figure_named
from harness.figures.declaration import Mean
from harness.figures.selection import Rows
from harness.figures.sums import moments, term_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthForecast:
    """The cost of a number of future requests, USD.

    Attributes:
        requests: how many.
        cost_usd: expected; None when nothing is known of a request's cost.
        draft_usd, repair_usd: of it.
        low_usd, high_usd: prediction interval; None below two cases.
        n: recorded requests with a known cost behind it.
        unknown: recorded requests without one: the forecast supposes they cost what the others do.
    """

    requests: int
    cost_usd: Decimal | None
    draft_usd: Decimal | None
    repair_usd: Decimal | None
    low_usd: float | None
    high_usd: float | None
    confidence: float
    n: int
    unknown: int


def month_forecast(rows: Rows, requests: int, *, confidence: float = DEFAULT_CONFIDENCE) -> MonthForecast:
    """Mean times volume with its prediction interval, clustered by case where cases repeat.

    total = V mean, with error sqrt(V^2 se(mean)^2 + V s^2): what is not known of the mean, and the chance of
    V single requests.

    Args:
        rows: the recorded requests.
        requests: V, a month's volume, >= 0.
        confidence: 0..1.

    Source: Hahn and Meeker, Statistical Intervals (1991), section 4.7, for predicting a sum.
    """
    if requests < 0:
        raise ValueError(f"{requests} requests cannot be forecast")
    ((n, total, draft, repair, variance),) = rows.rows(
        "SELECT count(usd), sum(usd), sum(draft_usd), sum(repair_usd), var_samp(usd::DOUBLE) FROM counted"
    )
    rule = figure_named("cost_per_request").rule
    sums = moments(rows, "all", [term_of(rule)] if isinstance(rule, Mean) else []).get("all")
    low = high = None
    if n and sums is not None and sums[0].error is not None and sums[0].ratio is not None:
        mean = requests * sums[0].ratio
        spread = (requests * sums[0].error) ** 2 + requests * float(variance or 0.0)
        half = t_quantile(sums[0].clusters - 1, 0.5 + confidence / 2.0) * math.sqrt(spread)
        low, high = max(0.0, mean - half), mean + half
    return MonthForecast(
        requests=requests,
        cost_usd=_projected(total, n, requests),
        draft_usd=_projected(draft, n, requests),
        repair_usd=_projected(repair, n, requests),
        low_usd=low,
        high_usd=high,
        confidence=confidence,
        n=n,
        unknown=rows.n - n,
    )


def _projected(total_usd: Decimal | None, n: int, requests: int) -> Decimal | None:
    """What so many requests cost, USD to a hundredth of a cent, if the mean of these holds."""
    if total_usd is None or not n:
        return None
    return Decimal(format((total_usd * requests / n).quantize(Decimal("1e-4")).normalize(), "f"))
