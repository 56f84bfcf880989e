"""The checks on shares, rates and money."""

from decimal import Decimal

from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate, wilson
from harness.analysis.sample import counted, request_costs, throughput_rps
from harness.gate.model import Bounds, Check, GateInput, GateLimits
from harness.records import GateVerdict, RequestStatus, Tier


def error_check(run: GateInput, limits: GateLimits) -> Check:
    """Share of requests that are not ok; anything beyond the limit is a FAIL."""
    rows = counted(run.requests)
    failed = sum(row.status is not RequestStatus.OK for row in rows)
    limited = sum(row.http_status == 429 for row in rows)
    estimate = wilson(failed, len(rows), limits.confidence or DEFAULT_CONFIDENCE)
    limit = limits.max_error_ratio
    of_which = f", {limited} of them 429" if limited else ""
    sentence = (
        f"{failed} of {len(rows)} requests failed{of_which} ({_interval(estimate)}); {limit:.2%} are allowed"
    )
    verdict = GateVerdict.FAIL if failed > limit * len(rows) + 1e-9 else GateVerdict.PASS
    unproven = limits.confidence is not None and limit > 0 and estimate.high is not None
    if verdict is GateVerdict.PASS and unproven and estimate.high is not None and estimate.high > limit:
        verdict = GateVerdict.INCONCLUSIVE
        sentence += f"; the true share may be up to {estimate.high:.2%}"
    return _ratio_check("error_ratio", verdict, sentence, estimate, limit)


def throughput_check(run: GateInput, min_rps: float) -> Check:
    """Answers per second against the least allowed."""
    value = throughput_rps(run.requests)
    n = sum(row.status is RequestStatus.OK for row in counted(run.requests))
    if value is None:
        verdict, sentence = GateVerdict.INCONCLUSIVE, f"{n} answers give no throughput"
    else:
        verdict = GateVerdict.PASS if value >= min_rps else GateVerdict.FAIL
        sentence = f"{value:.2f} answers/s; at least {min_rps:g} are asked for"
    return Check(
        name="throughput", verdict=verdict, sentence=sentence, value=value, limit=min_rps, unit="1/s", n=n
    )


def cost_check(run: GateInput, limit_usd: Decimal) -> Check:
    """Mean cost of a request; unknown costs of answered requests leave it undecided unless already over.

    What is known is a lower bound of the total, since no cost is negative.
    """
    rows = counted(run.requests)
    costs = request_costs(run.requests, run.calls)
    known = [cost for cost in costs if cost is not None]
    unknown_ok = sum(
        cost is None and row.status is RequestStatus.OK for cost, row in zip(costs, rows, strict=True)
    )
    value: Decimal | None = None
    if known and not unknown_ok:
        value = sum(known, Decimal(0)) / len(known)
    least = sum(known, Decimal(0)) / len(rows)
    if least > limit_usd:
        verdict = GateVerdict.FAIL
        sentence = f"the known costs alone are ${least:.6f} a request, over ${limit_usd}"
    elif value is None:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"{unknown_ok} of {len(rows)} answered requests have no known cost"
    else:
        verdict = GateVerdict.PASS if value <= limit_usd else GateVerdict.FAIL
        sentence = f"${value:.6f} a request; ${limit_usd} is allowed"
        if len(known) < len(rows):
            sentence += f"; {len(rows) - len(known)} failed requests have no known cost"
    return Check(
        name="cost_per_request",
        verdict=verdict,
        sentence=sentence,
        value=value,
        limit=limit_usd,
        unit="usd",
        n=len(known),
    )


def tier_check(run: GateInput, limits: GateLimits, least: float) -> Check:
    """Share of all requests that reached the high tier; a failed request did not."""
    rows = counted(run.requests)
    ungraded = sum(row.status is RequestStatus.OK and row.quality_tier is None for row in rows)
    high = sum(row.status is RequestStatus.OK and row.quality_tier is Tier.HIGH for row in rows)
    estimate = wilson(high, len(rows), limits.confidence or DEFAULT_CONFIDENCE)
    sentence = (
        f"{high} of {len(rows)} requests are of high tier ({_interval(estimate)}); {least:.0%} are asked for"
    )
    if high + ungraded < least * len(rows) - 1e-9:
        verdict = GateVerdict.FAIL  # even if every ungraded answer were high
    elif ungraded or not rows:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"{ungraded} of {len(rows)} answered requests have no quality tier"
    else:
        verdict = GateVerdict.PASS
    if verdict is not GateVerdict.INCONCLUSIVE and limits.confidence is not None and not ungraded:
        verdict, sentence = _tier_by_bounds(estimate, least, sentence)
    return _ratio_check("high_tier_ratio", verdict, sentence, estimate, least)


def _tier_by_bounds(estimate: Estimate, least: float, sentence: str) -> tuple[GateVerdict, str]:
    if estimate.low is None or estimate.high is None:
        return GateVerdict.INCONCLUSIVE, sentence
    between = f"{sentence}; the true share lies in {estimate.low:.1%} to {estimate.high:.1%}"
    if estimate.high < least:
        return GateVerdict.FAIL, between
    return (GateVerdict.PASS if estimate.low >= least else GateVerdict.INCONCLUSIVE), between


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return f"{estimate.confidence:.0%} interval {estimate.low:.1%} to {estimate.high:.1%}"


def _ratio_check(name: str, verdict: GateVerdict, sentence: str, estimate: Estimate, limit: float) -> Check:
    bounds = Bounds(
        low=estimate.low, high=estimate.high, confidence=estimate.confidence, method=estimate.method
    )
    return Check(
        name=name,
        verdict=verdict,
        sentence=sentence,
        value=estimate.value,
        limit=limit,
        unit="ratio",
        n=estimate.n,
        interval=bounds,
    )
