"""The frontier as JSON and as the rows of tables: command line and dashboard show the same."""

from typing import Any

from harness.analysis.estimate import Estimate
from harness.figures.sides import mode_name
from harness.report import wording
from harness.report.savings_document import estimate_json
from harness.strategies.curves import ScoreCurve
from harness.strategies.frontier import FrontierReport, Place
from harness.strategies.runner_up import RunnerUp
from harness.strategies.search import Search, WhatIfMix

SCHEMA = "harness.frontier.v1"
FRONTIER_HEAD = (
    "strategy",
    "requests, cases",
    "$ per request",
    "p95, ms",
    "high tier",
    "unbeaten in",
    "stands",
)
CURVE_HEAD = ("strategy", "APGR (chance 0.5)", "strong calls for 50%", "for 80%", "n")
MIX_HEAD = (
    "what if",
    "$ per request",
    "p95, ms",
    "high tier",
    "more high tier than chance at that cost",
    "n, left out",
)


def frontier_document(report: FrontierReport) -> dict[str, Any]:
    """The report as one JSON object: unknown is null, amounts are USD, ratios 0..1."""
    choice = report.recommendation
    return {
        "schema": SCHEMA,
        "provider_mode": report.mode,
        "kind": report.kind,
        "cases": list(report.cases),
        "confidence": report.confidence,
        "by_latency": report.by_latency,
        "limits": {
            "max_p95_ms": report.limits.max_p95_ms,
            "min_high_tier_ratio": report.limits.min_high_tier,
            "max_cost_usd": report.limits.max_cost_usd,
        },
        "recommendation": {
            "name": choice.name,
            "certain": choice.certain,
            "sentence": choice.sentence,
            "checker": None
            if report.checker is None
            else {
                "least_sensitivity": report.checker.sensitivity,
                "least_specificity": report.checker.specificity,
                "against": report.checker.alternative,
            },
        },
        "runner_up": None if report.runner_up is None else _runner_up(report.runner_up),
        "strategies": [_place(place) for place in report.places],
        "search": None if report.search is None else search_document(report.search),
        "left_out": [{"name": found.name, "reason": found.reason} for found in report.left_out],
        "notes": list(report.notes),
    }


def _runner_up(found: RunnerUp) -> dict[str, Any]:
    own = found.experiment
    return {
        "name": found.name,
        "sentence": found.sentence,
        "relative_change": found.change,
        "experiment": None
        if own is None
        else {"cases": own.cases, "ways": own.ways, "cost_usd": own.cost_usd, "power": own.power},
    }


def search_document(search: Search) -> dict[str, Any]:
    """The mixes that nobody ran, each beside the random split at its own cost."""
    return {
        "looked_at": search.looked_at,
        "held_out": search.held_out,
        "cases": search.cases,
        "units": search.units,
        "excluded": search.excluded,
        "confidence": search.confidence,
        "mixes": [mix_document(mix) for mix in search.mixes],
        "curves": [curve_document(curve) for curve in search.curves],
        "oracle": None
        if search.oracle is None
        else {
            "cost_per_request_usd": estimate_json(search.oracle.cost_per_request),
            "high_tier_ratio": estimate_json(search.oracle.high_tier),
        },
        "left_out": [{"name": name, "reason": why} for name, why in search.left_out],
    }


def curve_document(found: ScoreCurve) -> dict[str, Any]:
    """One score's curve."""
    curve = found.curve
    return {
        "weak": str(found.weak),
        "strong": str(found.strong),
        "score": found.label,
        "units": found.units,
        "apgr": estimate_json(curve.apgr),
        "cpt50": estimate_json(curve.cpt50),
        "cpt80": estimate_json(curve.cpt80),
        "improvement": estimate_json(curve.improvement),
    }


def curve_rows(search: Search) -> list[tuple[str, ...]]:
    """One line a score."""
    return [curve_row(found) for found in search.curves]


def curve_row(found: ScoreCurve) -> tuple[str, ...]:
    """One score."""
    return (
        f"{found.weak.model} or {found.strong.model}, by {found.label}",
        number_cell(found.curve.apgr, 3),
        percent_cell(found.curve.cpt50),
        percent_cell(found.curve.cpt80),
        f"{found.units:,}",
    )


def frontier_rows(report: FrontierReport) -> list[tuple[str, ...]]:
    """One line a way, in the order given; each figure with its interval in brackets."""
    return [
        (
            place.name,
            f"{place.requests:,}, {place.cases:,}",
            number_cell(place.cost_per_request, 6),
            ms_cell(place.p95),
            percent_cell(place.high_tier),
            wording.UNKNOWN if place.frontier_share is None else f"{place.frontier_share:.0%}",
            standing_words(place, report),
        )
        for place in report.places
    ]


def mix_rows(search: Search) -> list[tuple[str, ...]]:
    """One line a mix, the cheapest first, and the oracle last."""
    rows: list[tuple[str, ...]] = [mix_row(mix) for mix in search.mixes]
    if search.oracle is not None:
        own = search.oracle
        rows.append(
            (
                "the oracle: what no router could pass",
                number_cell(own.cost_per_request, 6),
                ms_cell(own.p95),
                percent_cell(own.high_tier),
                wording.UNKNOWN,
                f"{own.cost_per_request.n:,}, {own.unpriced:,}",
            )
        )
    return rows


def mix_row(mix: WhatIfMix) -> tuple[str, ...]:
    """One mix."""
    own = mix.figures
    return (
        mix.name,
        number_cell(own.cost_per_request, 6),
        ms_cell(own.p95),
        percent_cell(own.high_tier),
        _gain(mix),
        f"{own.cost_per_request.n:,}, {own.unpriced:,}",
    )


def search_line(search: Search) -> str:
    """How the mixes were looked at."""
    if search.held_out:
        how = "chosen on one half of the cases, judged on the other"
    else:
        how = f"too few cases to hold some out: intervals at {search.confidence:.4%}, for all mixes at once"
    return f"{wording.count(search.looked_at, 'mix')[:-1]}es looked at; {how}: {search.cases:,} cases"


def standing_words(place: Place, report: FrontierReport) -> str:
    """recommended, on the frontier, beaten by whom, or why it could not be placed."""
    standing = place.standing
    if standing.excluded is not None:
        return f"excluded ({standing.excluded})"
    if place.name == report.recommendation.name:
        return "recommended"
    if standing.on_frontier:
        return "on the frontier"
    sure = "surely beaten" if standing.surely_dominated else "beaten"
    shown = ", ".join(standing.dominated_by[:3])
    more = f" and {len(standing.dominated_by) - 3} more" if len(standing.dominated_by) > 3 else ""
    return f"{sure} by {shown}{more}"


def judged_line(report: FrontierReport) -> str:
    """Which requests the figures are of: mode, kind and cases."""
    kind = f" (runs of kind {report.kind.value})" if report.kind is not None else ""
    cases = f", cases {', '.join(report.cases)}" if report.cases else ""
    return (
        f"judged within {mode_name(report.mode)} providers{kind}{cases}; intervals: "
        f"{report.confidence * 100:.10g}%, clustered by case"
    )


def percent_cell(estimate: Estimate) -> str:
    """`68.3% [54.5, 79.5]`, unknown is a dash."""
    if estimate.value is None:
        return wording.UNKNOWN
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.1%}"
    return f"{estimate.value:.1%} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def number_cell(estimate: Estimate, digits: int) -> str:
    """`0.929 [0.915, 0.943]`, unknown is a dash."""
    if estimate.value is None:
        return wording.UNKNOWN
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def ms_cell(found: Estimate) -> str:
    """`4,288 [4,114, -]`: milliseconds, a dash for a bound that is not known."""
    if found.over_limit:
        return "over any limit (failures)"
    if found.value is None:
        return wording.UNKNOWN
    low = "-" if found.low is None else f"{found.low:,.0f}"
    high = "-" if found.high is None else f"{found.high:,.0f}"
    return f"{found.value:,.0f} [{low}, {high}]"


def quantile_json(found: Estimate) -> dict[str, Any]:
    """A percentile with its interval and n."""
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "over_limit": found.over_limit,
        "n": found.n,
    }


def _gain(mix: WhatIfMix) -> str:
    if mix.control is None or mix.control.gain.value is None:
        return wording.UNKNOWN
    gain, points = mix.control.gain, 100 * mix.control.gain.value
    bounds = (
        "" if gain.low is None or gain.high is None else f" [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
    )
    return f"{points:+.1f} points{bounds}"


def mix_document(mix: WhatIfMix) -> dict[str, Any]:
    """One mix, beside the random split at its own cost."""
    own, control = mix.figures, mix.control
    checker = mix.policy.checker
    return {
        "name": mix.name,
        "checker": None if checker is None else checker.name,
        "cost_per_request_usd": estimate_json(own.cost_per_request),
        "p95_ms": quantile_json(own.p95),
        "high_tier_ratio": estimate_json(own.high_tier),
        "error_ratio": estimate_json(own.error_ratio),
        "unpriced": own.unpriced,
        "untimed": own.untimed,
        "ungraded": own.ungraded,
        "random_mix": None
        if control is None
        else {
            "first": str(control.first),
            "second": str(control.second),
            "second_share": control.share,
            "high_tier_gain": estimate_json(control.gain),
            "beaten": control.beaten,
        },
    }


def _place(place: Place) -> dict[str, Any]:
    standing, side = place.standing, place.side
    return {
        "name": place.name,
        "run_id": None if side is None else side.run_id,
        "run_name": None if side is None else side.run_name,
        "strategy": None if side is None else side.strategy,
        "what_if": side is None,
        "requests": place.requests,
        "cases": place.cases,
        "cost_per_request_usd": estimate_json(place.cost_per_request),
        "p95_ms": quantile_json(place.p95),
        "high_tier_ratio": estimate_json(place.high_tier),
        "error_ratio": estimate_json(place.error_ratio),
        "unpriced_requests": place.unpriced,
        "untimed_requests": place.untimed,
        "ungraded_requests": place.ungraded,
        "on_frontier": standing.on_frontier,
        "frontier_share": place.frontier_share,
        "dominated_by": list(standing.dominated_by),
        "surely_dominated": standing.surely_dominated,
        "excluded": standing.excluded,
    }
