"""The checks on shares, rates and money."""

from decimal import Decimal

from harness.analysis.estimate import Estimate
from harness.figures import Rows
from harness.gate.model import Bounds, Check, GateLimits
from harness.records import GateVerdict

_ROUNDING = 1e-9
ERROR_CHECK = "error_ratio"
THROUGHPUT_UNIT = "1/s"


def error_check(rows: Rows, limits: GateLimits, found: Estimate) -> Check:
    """Share of requests that are not ok; anything beyond the limit is a FAIL."""
    ((failed, limited),) = rows.rows(
        """SELECT count(*), count(CASE WHEN http_status = 429 THEN 1 END) FROM counted WHERE status <> 'ok'"""
    )
    limit = limits.max_error_ratio
    of_which = f", {limited} of them 429" if limited else ""
    sentence = (
        f"{failed} of {found.n} requests failed{of_which} ({_interval(found)}); {limit:.2%} are allowed"
    )
    verdict = GateVerdict.FAIL if failed > limit * found.n + _ROUNDING else GateVerdict.PASS
    if verdict is GateVerdict.PASS and limits.confidence is not None and limit > 0:
        if found.high is None:
            verdict = GateVerdict.INCONCLUSIVE
        elif found.high > limit:
            verdict = GateVerdict.INCONCLUSIVE
            sentence += f"; the true share may be up to {found.high:.2%}"
    return _ratio_check(ERROR_CHECK, verdict, sentence, found, limit)


def throughput_check(min_rps: float, found: Estimate | None) -> Check:
    """Answers per second against the least allowed."""
    value, n = (None, 0) if found is None else (found.value, found.n)
    if value is None:
        verdict, sentence = GateVerdict.INCONCLUSIVE, f"{n} answers give no throughput"
    else:
        verdict = GateVerdict.PASS if value >= min_rps else GateVerdict.FAIL
        sentence = f"{value:.2f} answers/s; at least {min_rps:g} are asked for"
    return Check(
        name="throughput",
        verdict=verdict,
        sentence=sentence,
        value=value,
        limit=min_rps,
        unit=THROUGHPUT_UNIT,
        n=n,
    )


def cost_check(rows: Rows, limits: GateLimits, limit_usd: Decimal, found: Estimate) -> Check:
    """Mean cost of a request; unknown costs of answered requests leave it undecided unless already over.

    What is known is a lower bound of the total, since no cost is negative.
    """
    ((known, total, unknown_ok),) = rows.rows(
        """SELECT count(usd), coalesce(sum(usd), 0), count(CASE WHEN usd IS NULL AND status = 'ok' THEN 1 END)
        FROM counted"""
    )
    value: Decimal | None = total / known if known and not unknown_ok else None
    least = total / rows.n
    if least > limit_usd:
        verdict = GateVerdict.FAIL
        sentence = f"the known costs alone are ${least:.6f} a request, over ${limit_usd}"
    elif value is None:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"{unknown_ok} of {rows.n} answered requests have no known cost"
    else:
        verdict = GateVerdict.PASS if value <= limit_usd else GateVerdict.FAIL
        sentence = f"${value:.6f} a request; ${limit_usd} is allowed"
        if known < rows.n:
            sentence += f"; {rows.n - known} failed requests have no known cost"
    if value is not None and limits.confidence is not None:
        verdict, sentence = _cost_by_bounds(found, float(limit_usd), sentence)
    return Check(
        name="cost_per_request",
        verdict=verdict,
        sentence=sentence,
        value=value,
        limit=limit_usd,
        unit="usd",
        n=found.n,
        interval=Bounds.of(found),
    )


def _cost_by_bounds(found: Estimate, limit_usd: float, sentence: str) -> tuple[GateVerdict, str]:
    if found.low is None or found.high is None:
        return GateVerdict.INCONCLUSIVE, f"{sentence}; too few cases for an interval"
    between = f"{sentence}; the true mean lies in ${found.low:.6f} to ${found.high:.6f}"
    if found.low > limit_usd:
        return GateVerdict.FAIL, between
    return (GateVerdict.PASS if found.high <= limit_usd else GateVerdict.INCONCLUSIVE), between


def tier_check(rows: Rows, limits: GateLimits, least: float, found: Estimate) -> Check:
    """Share of all requests that reached the high tier; a failed request did not."""
    ((high, ungraded),) = rows.rows(
        """SELECT count(CASE WHEN quality_tier = 'high' THEN 1 END),
            count(CASE WHEN quality_tier IS NULL THEN 1 END) FROM counted WHERE status = 'ok'"""
    )
    sentence = f"{high} of {rows.n} requests are of high tier ({_interval(found)}); {least:.0%} are asked for"
    if high + ungraded < least * rows.n - _ROUNDING:
        verdict = GateVerdict.FAIL  # even if every ungraded answer were high
    elif ungraded:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"{ungraded} of {rows.n} answered requests have no quality tier"
    else:
        verdict = GateVerdict.PASS
    if limits.confidence is not None and not ungraded:
        verdict, sentence = _tier_by_bounds(found, least, sentence)
    return _ratio_check("high_tier_ratio", verdict, sentence, found, least)


def _tier_by_bounds(found: Estimate, least: float, sentence: str) -> tuple[GateVerdict, str]:
    if found.low is None or found.high is None:
        return GateVerdict.INCONCLUSIVE, f"{sentence}; too few cases for an interval"
    between = f"{sentence}; the true share lies in {found.low:.1%} to {found.high:.1%}"
    if found.high < least:
        return GateVerdict.FAIL, between
    return (GateVerdict.PASS if found.low >= least else GateVerdict.INCONCLUSIVE), between


def _interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return "no interval"
    return f"{found.confidence:.0%} interval {found.low:.1%} to {found.high:.1%}"


def _ratio_check(name: str, verdict: GateVerdict, sentence: str, found: Estimate, limit: float) -> Check:
    return Check(
        name=name,
        verdict=verdict,
        sentence=sentence,
        value=found.value,
        limit=limit,
        unit="ratio",
        n=found.n,
        interval=Bounds.of(found),
    )
