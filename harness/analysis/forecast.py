"""What a volume of requests will cost, from what recorded ones did."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.analysis.distributions import t_quantile
from harness.analysis.estimate import DEFAULT_CONFIDENCE
from harness.analysis.moments import mean_estimate, moments_of, numbered


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Cost of a number of future requests.

    Attributes:
        requests: how many.
        cost_usd: expected; None when nothing is known of a request's cost.
        low_usd, high_usd: prediction interval; None below two cases.
        confidence: nominal, 0..1.
        n: recorded requests with a known cost behind it.
        unknown: recorded requests without one: the forecast supposes they cost what the others do.
    """

    requests: int
    cost_usd: float | None
    low_usd: float | None
    high_usd: float | None
    confidence: float
    n: int
    unknown: int

    @property
    def note(self) -> str | None:
        """What the forecast leaves out, or None."""
        if not self.unknown:
            return None
        return (
            f"{self.unknown} of {self.n + self.unknown} recorded requests have no known cost and are left out"
        )


def forecast_cost(
    cost_usd: ArrayLike,
    requests: int,
    *,
    clusters: Sequence[Hashable] | None = None,
    unknown: int = 0,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Forecast:
    """Prediction interval for the total cost of future requests drawn as the recorded ones were.

    total = V mean, with error sqrt(V^2 se(mean)^2 + V s^2): what is not known of the mean, and the chance
    of V single requests.

    Args:
        cost_usd: of recorded requests with a known cost, shape (n,).
        requests: V, how many to forecast, >= 0.
        clusters: the case of each recorded request; repeats of a case are not new cases.
        unknown: recorded requests without a known cost.
        confidence: 0..1.

    Source: Hahn and Meeker, Statistical Intervals (1991), section 4.7, for predicting a sum.
    """
    if requests < 0:
        raise ValueError(f"{requests} requests cannot be forecast")
    values = np.asarray(cost_usd, dtype=np.float64)
    sums = moments_of(values, None if clusters is None else numbered(clusters))
    mean = mean_estimate(sums, confidence=confidence)
    low = high = None
    if mean.value is not None and mean.high is not None:
        quantile = t_quantile(sums.clusters - 1, 0.5 + confidence / 2)
        error = (mean.high - mean.value) / quantile
        half = quantile * math.sqrt((requests * error) ** 2 + requests * float(values.var(ddof=1)))
        low, high = max(0.0, requests * mean.value - half), requests * mean.value + half
    return Forecast(
        requests=requests,
        cost_usd=None if mean.value is None else requests * mean.value,
        low_usd=low,
        high_usd=high,
        confidence=confidence,
        n=int(values.size),
        unknown=unknown,
    )
