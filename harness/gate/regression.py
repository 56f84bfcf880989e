"""The checks against an earlier run: a significant change for the worse fails."""

from harness.analysis.compare import compare_runs
from harness.analysis.difference import Difference
from harness.analysis.interval import DEFAULT_CONFIDENCE, simultaneous_confidence
from harness.gate.model import Bounds, Check, GateInput, GateLimits
from harness.records import GateVerdict

COMPARED = ("p95_latency", "error_ratio", "cost_per_request", "quality_score")

_REQUIRED = ("p95_latency", "error_ratio")
"""Always comparable between two runs with requests; cost and quality only where both runs know them."""

_DIGITS = {"ms": 1, "usd": 6, "ratio": 4, "score": 3}


def regression_checks(baseline: GateInput, run: GateInput, limits: GateLimits) -> list[Check]:
    """One check a figure. Four figures share the error: each is tested at a quarter of it (Bonferroni)."""
    if baseline.provider_mode is not run.provider_mode:
        modes = [side.provider_mode.value if side.provider_mode else "unknown" for side in (baseline, run)]
        return [_undecided("baseline", f"the baseline's providers were {modes[0]}, this run's {modes[1]}")]
    confidence = limits.confidence or DEFAULT_CONFIDENCE
    comparison = compare_runs(
        baseline.requests,
        run.requests,
        a_calls=baseline.calls,
        b_calls=run.calls,
        confidence=simultaneous_confidence(confidence, len(COMPARED)),
    )
    if comparison.problem is not None:
        return [_undecided("baseline", f"no comparison with {baseline.name}: {comparison.problem}")]
    found = (comparison.named(name) for name in COMPARED)
    return [
        _check(difference, baseline.name)
        for difference in found
        if difference is not None and _wanted(difference)
    ]


def _wanted(difference: Difference) -> bool:
    """A figure that neither run has is no check."""
    return difference.name in _REQUIRED or difference.n_a > 0 or difference.n_b > 0


def _check(difference: Difference, baseline_name: str) -> Check:
    name = f"{difference.name}_vs_baseline"
    what = difference.name.replace("_", " ")
    if difference.value is None:
        return _undecided(name, f"{what} cannot be compared with {baseline_name}: {difference.note}")
    if (difference.low if difference.higher_is_worse else difference.high) is None:
        return _undecided(name, f"{what} against {baseline_name} has no bound: too few requests or cases")
    digits = _DIGITS[difference.unit]
    low = "no bound" if difference.low is None else f"{difference.low:+.{digits}f}"
    high = "no bound" if difference.high is None else f"{difference.high:+.{digits}f}"
    paired = ", case by case" if difference.paired else ""
    change = f"{what} {difference.value:+.{digits}f} {difference.unit}"
    sentence = f"{change} against {baseline_name} ({low} to {high}{paired})"
    return Check(
        name=name,
        verdict=GateVerdict.FAIL if difference.regression else GateVerdict.PASS,
        sentence=sentence + (": a significant regression" if difference.regression else ""),
        value=difference.value,
        limit=0.0,
        unit=difference.unit,
        n=difference.n_b,
        interval=Bounds(
            low=difference.low,
            high=difference.high,
            confidence=difference.confidence,
            method=difference.method,
        ),
    )


def _undecided(name: str, sentence: str) -> Check:
    return Check(name=name, verdict=GateVerdict.INCONCLUSIVE, sentence=sentence)
