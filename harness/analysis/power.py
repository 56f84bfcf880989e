"""How many requests or cases a question needs, before they are paid for."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, bdtrc, nctdtr, ndtri, stdtrit

from harness.analysis.distributions import normal_quantile
from harness.analysis.percentile import checked_latencies, latency_percentile

DEFAULT_POWER = 0.8
DEFAULT_ALPHA = 0.05
MOST_REQUESTS = 10_000_000
"""Beyond this the answer is "more than anyone runs"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPlan:
    """How many requests tell a true percentile from a limit.

    Attributes:
        requests: the least number; None when even ten million would not do.
        share_over: share of requests over the limit if the truth is as supposed.
        allowed_share: 1 - q.
        alpha: chance of a wrong PASS (or FAIL) that is accepted.
        power: chance of the right answer.
    """

    requests: int | None
    share_over: float
    allowed_share: float
    alpha: float
    power: float


def requests_to_tell(
    latency_ms: ArrayLike,
    *,
    true_ms: float,
    limit_ms: float,
    q: float = 0.95,
    alpha: float = DEFAULT_ALPHA,
    power: float = DEFAULT_POWER,
) -> RequestPlan:
    """Requests needed to tell a true percentile of `true_ms` from a limit of `limit_ms`.

    The shape of the latencies is taken from a recorded sample, stretched so that its q quantile is
    `true_ms`; the share beyond the limit then says how often a request exceeds, and the rest is binomial.

    Args:
        latency_ms: recorded latencies, shape (n,), milliseconds; their shape matters, their scale does not.
        true_ms: the percentile supposed to be true.
        limit_ms: the limit to tell it from; below or above `true_ms`.
        q: which percentile, 0..1.
        alpha: accepted chance of the wrong answer.
        power: wanted chance of the right one.

    Raises:
        ValueError: the sample has no such quantile, or truth and limit are the same.
    """
    values = np.sort(checked_latencies(latency_ms, 0))
    quantile = latency_percentile(values, q=q).value_ms
    if quantile is None or quantile <= 0:
        raise ValueError(f"{values.size} latencies have no p{q * 100:g} to take the shape from")
    if true_ms <= 0 or limit_ms <= 0 or true_ms == limit_ms:
        raise ValueError("the true percentile and the limit must be above zero and differ")
    share = _share_over(values, limit_ms * quantile / true_ms)
    return plan_for_share(share, allowed_share=1.0 - q, alpha=alpha, power=power)


def lognormal_latencies(p50_ms: float, p95_ms: float, n: int = 2001) -> np.ndarray:
    """Evenly spaced quantiles of the lognormal with this p50 and p95: a shape where no run is recorded."""
    if not 0 < p50_ms < p95_ms:
        raise ValueError("a p50 above zero and a larger p95 are needed")
    sigma = math.log(p95_ms / p50_ms) / normal_quantile(0.95)
    shape: np.ndarray = p50_ms * np.exp(sigma * ndtri((np.arange(n) + 0.5) / n))
    return shape


def _share_over(ranked: np.ndarray, limit_ms: float) -> float:
    """Share beyond a limit, interpolated between order statistics, never quite 0 or 1."""
    levels = (np.arange(ranked.size) + 0.5) / ranked.size
    below = float(np.interp(limit_ms, ranked, levels))
    return min(max(1.0 - below, 0.5 / ranked.size), 1.0 - 0.5 / ranked.size)


def plan_for_share(
    share_over: float,
    *,
    allowed_share: float = 0.05,
    alpha: float = DEFAULT_ALPHA,
    power: float = DEFAULT_POWER,
) -> RequestPlan:
    """Least n at which an exact binomial test of the allowed share reaches the power at the true share."""
    _check(share_over, allowed_share, alpha, power)
    low, high = 1, 2
    while high < MOST_REQUESTS and _power(high, share_over, allowed_share, alpha) < power:
        low, high = high, high * 2
    found: int | None = None
    if _power(high, share_over, allowed_share, alpha) >= power:
        while high - low > 1:  # power saw-tooths with n by a few requests; that is close enough to plan
            middle = (low + high) // 2
            if _power(middle, share_over, allowed_share, alpha) >= power:
                high = middle
            else:
                low = middle
        found = high
    return RequestPlan(
        requests=found, share_over=share_over, allowed_share=allowed_share, alpha=alpha, power=power
    )


def _power(n: int, share: float, allowed: float, alpha: float) -> float:
    """Chance that n requests reject "the share is the allowed one" in the true direction."""
    counts = np.arange(n + 1.0) if n <= 200_000 else _around(n, allowed)
    if share < allowed:
        inside = counts[bdtr(counts, n, allowed) <= alpha]
        return float(bdtr(inside[-1], n, share)) if inside.size else 0.0
    inside = counts[bdtrc(counts - 1, n, allowed) <= alpha]
    return float(bdtrc(inside[0] - 1, n, share)) if inside.size else 0.0


def _around(n: int, allowed: float) -> np.ndarray:
    """Counts within 8 standard deviations of the expectation: the critical value is among them."""
    spread = 8 * math.sqrt(n * allowed * (1 - allowed))
    return np.arange(max(0, math.floor(n * allowed - spread)), min(n, math.ceil(n * allowed + spread)) + 1.0)


def chance_of_passing(share_over: float, *, requests: int, q: float = 0.95) -> float:
    """Chance that the point estimate of the q quantile passes, given the true share over the limit.

    The estimate interpolates between ranks floor(h) and ceil(h), h = (n - 1) q; it surely passes when the
    upper one is within the limit.
    """
    _check(share_over, 1.0 - q, 0.05, 0.8)
    if requests < 1:
        raise ValueError("at least one request is needed")
    most_over = requests - 1 - math.ceil((requests - 1) * q - 1e-9)
    return float(bdtr(float(most_over), requests, share_over))


def cases_for_difference(
    difference: float,
    standard_deviation: float,
    *,
    paired: bool = True,
    alpha: float = DEFAULT_ALPHA,
    power: float = DEFAULT_POWER,
) -> int:
    """Cases (per run) needed to see a difference of means, two-sided t test.

    Args:
        difference: the smallest that matters, in the figure's unit (0.05 for five points of a score).
        standard_deviation: of the per-case differences when paired, of single values when not.
        paired: both runs use the same cases.
        alpha: accepted chance of seeing a difference where there is none.
        power: wanted chance of seeing one that is there.

    Source: Cohen (1988), chapter 2; the non-central t distribution.
    """
    sensible = math.isfinite(difference) and math.isfinite(standard_deviation)
    if not sensible or difference == 0 or standard_deviation <= 0:
        raise ValueError("the difference must not be zero and its standard deviation be above zero")
    effect = abs(difference) / standard_deviation
    groups = 1 if paired else 2
    guess = groups * ((normal_quantile(1 - alpha / 2) + normal_quantile(power)) / effect) ** 2
    n = max(2, math.floor(guess) - 2)
    while _t_power(n, effect, groups, alpha) < power:
        n += 1
    return n


def _t_power(n: int, effect: float, groups: int, alpha: float) -> float:
    freedom = groups * (n - 1)
    shift = effect * math.sqrt(n / groups)
    critical = stdtrit(freedom, 1 - alpha / 2)
    return float(1.0 - nctdtr(freedom, shift, critical))


def _check(share: float, allowed: float, alpha: float, power: float) -> None:
    for name, value in (("share", share), ("allowed share", allowed), ("alpha", alpha), ("power", power)):
        if not 0.0 < value < 1.0:
            raise ValueError(f"{name} must be between 0 and 1, not {value}")
    if share == allowed:
        raise ValueError("the true share equals the allowed one: no number of requests tells them apart")
