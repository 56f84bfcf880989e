"""The checks against an earlier run or another strategy: a significant change for the worse fails."""

from harness.analysis.estimate import DEFAULT_CONFIDENCE
from harness.figures.declaration import Better, Unit
from harness.figures.differences import Difference, compared_sides
from harness.figures.sides import Side, comparability
from harness.gate.model import Bounds, Check, GateLimits
from harness.records import GateVerdict

COMPARED = ("p95_latency", "error_ratio", "cost_per_request", "quality_score")

_REQUIRED = ("p95_latency", "error_ratio")
"""Always comparable between two runs with requests; cost and quality only where both runs know them."""

_DIGITS = {Unit.MS: 1, Unit.USD: 6, Unit.RATIO: 4, Unit.SCORE: 3}


def regression_checks(other: Side, side: Side, limits: GateLimits, kind: str) -> list[Check]:
    """One check a figure, with the intervals of `harness compare`: its verdicts hold together (Holm).

    Args:
        other: what the side is held against.
        side: the one that is judged.
        limits: their confidence, 95% unless they say.
        kind: `baseline` or `strategy`; ends the checks' names.
    """
    between = comparability(other, side)
    if between.refused is not None:
        return [_undecided(kind, f"no comparison with {other.label}: {between.refused}")]
    found = compared_sides(other, side, between, confidence=limits.confidence or DEFAULT_CONFIDENCE)
    checks = []
    for name in COMPARED:
        difference = found.named(name)
        if difference is None:
            sentence = f"{name.replace('_', ' ')} cannot be compared with {other.label}: {between.latency}"
            checks.append(_undecided(f"{name}_vs_{kind}", sentence))
        elif _wanted(difference):
            checks.append(_check(difference, other.label, kind))
    return checks


def _wanted(difference: Difference) -> bool:
    """A figure that neither run has is no check."""
    return difference.figure.name in _REQUIRED or difference.shift.a.n > 0 or difference.shift.b.n > 0


def _check(difference: Difference, label: str, kind: str) -> Check:
    figure, change = difference.figure, difference.shift.change
    name = f"{figure.name}_vs_{kind}"
    what = figure.name.replace("_", " ")
    if change.value is None:
        return _undecided(name, f"{what} cannot be compared with {label}: {difference.note}")
    verdict = GateVerdict.FAIL if difference.worse else GateVerdict.PASS
    digits = _DIGITS[figure.unit]
    low = "no bound" if change.low is None else f"{change.low:+.{digits}f}"
    high = "no bound" if change.high is None else f"{change.high:+.{digits}f}"
    paired = ", case by case" if difference.shift.paired else ""
    sentence = f"{what} {change.value:+.{digits}f} {figure.unit} against {label} ({low} to {high}{paired})"
    sentence += ": a significant regression" if difference.worse else ""
    if (change.low if figure.better is Better.LESS else change.high) is None:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"{what} against {label} has no bound: too few requests or cases"
    return Check(
        name=name,
        verdict=verdict,
        sentence=sentence,
        value=change.value,
        limit=0.0,
        unit=figure.unit,
        n=difference.shift.b.n,
        interval=Bounds.of(change),
    )


def _undecided(name: str, sentence: str) -> Check:
    return Check(name=name, verdict=GateVerdict.INCONCLUSIVE, sentence=sentence)
