"""The p95 check: point estimate, exact bounds, or the sequential test of a run that stopped early."""

from harness.analysis.dependence import dependent_quantile_interval
from harness.analysis.interval import DEFAULT_CONFIDENCE, QuantileInterval, Sides
from harness.analysis.percentile import Quantile, latency_percentile
from harness.analysis.sample import LatencySample
from harness.analysis.sequential import Decision, decide_sequence
from harness.gate.model import P95_CHECK, Bounds, Check, GateLimits
from harness.records import GateVerdict, LatencySource

P95 = 0.95

MIN_REQUESTS_FOR_P95_BOUND = 59
"""0.95^59 < 0.05: the fewest requests whose maximum bounds the p95 with 95% confidence."""


def p95_check(sample: LatencySample, limits: GateLimits, *, stopped_early: bool) -> Check:
    """The p95 of the sample against `limits.max_p95_ms`.

    A run that stopped early is judged by its sequential test. Fewer than 59 requests are INCONCLUSIVE
    unless the exact lower bound already exceeds the limit. Else the point estimate decides, or the one-sided
    bounds when a confidence is asked for.
    """
    quantile = latency_percentile(sample.latency_ms, failures=sample.failures, q=P95)
    shown = dependent_quantile_interval(
        sample.arrivals_ms, q=P95, confidence=limits.confidence or DEFAULT_CONFIDENCE
    )
    if sample.unknown and not sample.latency_ms.size:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = (
            f"none of the {sample.unknown} answered requests has a latency (batched and cached answers have "
            "none), so there is no p95"
        )
    elif stopped_early:
        verdict, sentence = _sequential(sample, limits.max_p95_ms)
    elif sample.n < MIN_REQUESTS_FOR_P95_BOUND:
        verdict, sentence = _too_few(sample, limits.max_p95_ms, limits.confidence or DEFAULT_CONFIDENCE)
    elif limits.confidence is not None:
        verdict, sentence = _by_bounds(sample, limits.max_p95_ms, limits.confidence)
    else:
        verdict, sentence = _by_point(quantile, shown, limits.max_p95_ms)
    if verdict is GateVerdict.PASS and sample.unknown:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"{sample.unknown} answered requests have no latency, so the p95 is not known"
    server_side = " (server side: the client's was not recorded)"
    return Check(
        name=P95_CHECK,
        verdict=verdict,
        sentence=sentence + (server_side if sample.source is LatencySource.SERVER else ""),
        value=quantile.value_ms,
        limit=limits.max_p95_ms,
        unit="ms",
        n=sample.n,
        interval=_bounds(shown),
        over_limit=quantile.over_limit,
    )


def _by_point(quantile: Quantile, shown: QuantileInterval, limit_ms: float) -> tuple[GateVerdict, str]:
    if quantile.over_limit:
        return GateVerdict.FAIL, (
            f"p95 falls among the {quantile.failures} failed of {quantile.n} requests: over every limit"
        )
    if quantile.value_ms is None:
        return GateVerdict.INCONCLUSIVE, f"{quantile.n} requests have no p95"
    figure = f"p95 {_ms(quantile.value_ms)} of {quantile.n} requests ({_interval(shown)})"
    if quantile.value_ms > limit_ms:
        return GateVerdict.FAIL, f"{figure} exceeds {_ms(limit_ms)}"
    return GateVerdict.PASS, f"{figure} is within {_ms(limit_ms)}"


def _by_bounds(sample: LatencySample, limit_ms: float, confidence: float) -> tuple[GateVerdict, str]:
    lower = dependent_quantile_interval(sample.arrivals_ms, q=P95, confidence=confidence, sides=Sides.LOWER)
    if lower.lies_above(limit_ms):
        return GateVerdict.FAIL, _lower_sentence(lower, limit_ms)
    upper = dependent_quantile_interval(sample.arrivals_ms, q=P95, confidence=confidence, sides=Sides.UPPER)
    if upper.lies_within(limit_ms) and upper.high_ms is not None:
        return GateVerdict.PASS, (
            f"p95 is below {_ms(upper.high_ms)} with {confidence:.0%} confidence, within {_ms(limit_ms)}"
        )
    return GateVerdict.INCONCLUSIVE, (
        f"{sample.n} requests cannot tell with {confidence:.0%} confidence "
        f"whether p95 is within {_ms(limit_ms)}"
    )


def _too_few(sample: LatencySample, limit_ms: float, confidence: float) -> tuple[GateVerdict, str]:
    lower = dependent_quantile_interval(sample.arrivals_ms, q=P95, confidence=confidence, sides=Sides.LOWER)
    if lower.lies_above(limit_ms):
        return GateVerdict.FAIL, _lower_sentence(lower, limit_ms)
    return GateVerdict.INCONCLUSIVE, (
        f"{sample.n} requests are too few to bound the p95; {MIN_REQUESTS_FOR_P95_BOUND} is the least"
    )


def _sequential(sample: LatencySample, limit_ms: float) -> tuple[GateVerdict, str]:
    outcome = decide_sequence(sample.arrivals_ms > limit_ms, max_ratio=1.0 - P95)
    seen = f"{outcome.exceeded} of the first {outcome.n} requests over {_ms(limit_ms)}"
    bound = f"a wrong decision has a chance of at most {outcome.alpha:.0%}"
    if outcome.decision is Decision.BELOW:
        return GateVerdict.PASS, f"stopped early: {seen}; {bound}"
    if outcome.decision is Decision.ABOVE:
        return GateVerdict.FAIL, f"stopped early: {seen}; {bound}"
    return GateVerdict.INCONCLUSIVE, f"stopped early, but {seen} do not decide on this limit"


def _lower_sentence(lower: QuantileInterval, limit_ms: float) -> str:
    if lower.low_ms is None:
        return f"p95 falls among failed requests with {lower.confidence:.0%} confidence: over every limit"
    return f"p95 is at least {_ms(lower.low_ms)} with {lower.confidence:.0%} confidence, over {_ms(limit_ms)}"


def _interval(interval: QuantileInterval) -> str:
    low = "no bound" if interval.low_ms is None else f"{interval.low_ms:,.1f}"
    high = "failures" if interval.high_over_limit else "no bound"
    high = high if interval.high_ms is None else f"{interval.high_ms:,.1f}"
    return f"{interval.confidence:.0%} interval {low} to {high}"


def _bounds(interval: QuantileInterval) -> Bounds:
    return Bounds(
        low=interval.low_ms, high=interval.high_ms, confidence=interval.confidence, method=interval.method
    )


def _ms(value: float) -> str:
    return f"{value:,.1f} ms"
