"""The p95 check: point estimate, exact bounds, or the sequential test of a run that stopped early."""

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, Sides
from harness.analysis.sequential import Decision, decide_sequence
from harness.figures import Quantile, Rows, figure_named
from harness.figures.ranking import Ranking
from harness.gate.model import P95_CHECK, Bounds, Check, GateLimits
from harness.records import GateVerdict

P95 = 0.95

MIN_REQUESTS_FOR_P95_BOUND = 59
"""0.95^59 < 0.05: the fewest requests whose maximum bounds the p95 with 95% confidence."""


class _Latencies:
    """The latencies of a run, asked for their p95 with any bounds."""

    def __init__(self, rows: Rows, confidence: float | None) -> None:
        rule = figure_named(P95_CHECK).rule
        if not isinstance(rule, Quantile):
            raise TypeError(f"{P95_CHECK} is not declared as a quantile")
        self._ranking = Ranking(rows, "all", rule)
        self.confidence = confidence or DEFAULT_CONFIDENCE

    def p95(self, sides: Sides = Sides.BOTH) -> Estimate:
        ((found,),) = self._ranking.estimates([P95], confidence=self.confidence, sides=sides).values()
        return found

    def over(self, limit_ms: float) -> list[bool]:
        """Which requests were slower than the limit or failed, in arrival order."""
        (sample,) = self._ranking.fetched().values()
        return [bool(over) for over in sample.arrivals_ms > limit_ms]


def p95_check(rows: Rows, limits: GateLimits, *, stopped_early: bool) -> Check:
    """The p95 of a run against `limits.max_p95_ms`.

    A run that stopped early is judged by its sequential test. Fewer than 59 requests are INCONCLUSIVE
    unless the exact lower bound already exceeds the limit. Else the point estimate decides, or the one-sided
    bounds when a confidence is asked for.
    """
    latencies = _Latencies(rows, limits.confidence)
    shown, limit_ms = latencies.p95(), limits.max_p95_ms
    if shown.unknown and not shown.n:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = (
            f"none of the {shown.unknown} answered requests has a latency (batched and cached answers have "
            "none), so there is no p95"
        )
    elif stopped_early:
        verdict, sentence = _sequential(latencies.over(limit_ms), limit_ms)
    elif shown.n < MIN_REQUESTS_FOR_P95_BOUND:
        verdict, sentence = _too_few(latencies.p95(Sides.LOWER), limit_ms)
    elif limits.confidence is not None:
        verdict, sentence = _by_bounds(latencies, limit_ms)
    else:
        verdict, sentence = _by_point(shown, limit_ms)
    if verdict is GateVerdict.PASS and shown.unknown:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"{shown.unknown} answered requests have no latency, so the p95 is not known"
    server_side = " (server side: the client's was not recorded)"
    return Check(
        name=P95_CHECK,
        verdict=verdict,
        sentence=sentence + (server_side if rows.clock == "server" else ""),
        value=shown.value,
        limit=limit_ms,
        unit="ms",
        n=shown.n,
        interval=Bounds.of(shown),
        over_limit=shown.over_limit,
    )


def _by_point(shown: Estimate, limit_ms: float) -> tuple[GateVerdict, str]:
    if shown.over_limit:
        return GateVerdict.FAIL, f"p95 of {shown.n} requests falls among the failed ones: over every limit"
    if shown.value is None:
        return GateVerdict.INCONCLUSIVE, f"{shown.n} requests have no p95"
    figure = f"p95 {_ms(shown.value)} of {shown.n} requests ({_interval(shown)})"
    if shown.value > limit_ms:
        return GateVerdict.FAIL, f"{figure} exceeds {_ms(limit_ms)}"
    return GateVerdict.PASS, f"{figure} is within {_ms(limit_ms)}"


def _by_bounds(latencies: _Latencies, limit_ms: float) -> tuple[GateVerdict, str]:
    lower = latencies.p95(Sides.LOWER)
    if lower.lies_above(limit_ms):
        return GateVerdict.FAIL, _lower_sentence(lower, limit_ms)
    upper = latencies.p95(Sides.UPPER)
    if upper.lies_within(limit_ms) and upper.high is not None:
        return GateVerdict.PASS, (
            f"p95 is below {_ms(upper.high)} with {upper.confidence:.0%} confidence, within {_ms(limit_ms)}"
        )
    return GateVerdict.INCONCLUSIVE, (
        f"{upper.n} requests cannot tell with {upper.confidence:.0%} confidence "
        f"whether p95 is within {_ms(limit_ms)}"
    )


def _too_few(lower: Estimate, limit_ms: float) -> tuple[GateVerdict, str]:
    if lower.lies_above(limit_ms):
        return GateVerdict.FAIL, _lower_sentence(lower, limit_ms)
    return GateVerdict.INCONCLUSIVE, (
        f"{lower.n} requests are too few to bound the p95; {MIN_REQUESTS_FOR_P95_BOUND} is the least"
    )


def _sequential(over: list[bool], limit_ms: float) -> tuple[GateVerdict, str]:
    outcome = decide_sequence(over, max_ratio=1.0 - P95)
    seen = f"{outcome.exceeded} of the first {outcome.n} requests over {_ms(limit_ms)}"
    bound = f"a wrong decision has a chance of at most {outcome.alpha:.0%}"
    if outcome.decision is Decision.BELOW:
        return GateVerdict.PASS, f"stopped early: {seen}; {bound}"
    if outcome.decision is Decision.ABOVE:
        return GateVerdict.FAIL, f"stopped early: {seen}; {bound}"
    return GateVerdict.INCONCLUSIVE, f"stopped early, but {seen} do not decide on this limit"


def _lower_sentence(lower: Estimate, limit_ms: float) -> str:
    if lower.low is None:
        return f"p95 falls among failed requests with {lower.confidence:.0%} confidence: over every limit"
    return f"p95 is at least {_ms(lower.low)} with {lower.confidence:.0%} confidence, over {_ms(limit_ms)}"


def _interval(found: Estimate) -> str:
    low = "no bound" if found.low is None else f"{found.low:,.1f}"
    high = "failures" if found.high_over_limit else "no bound"
    high = high if found.high is None else f"{found.high:,.1f}"
    return f"{found.confidence:.0%} interval {low} to {high}"


def _ms(value: float) -> str:
    return f"{value:,.1f} ms"
