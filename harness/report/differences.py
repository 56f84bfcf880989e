"""Differences between two sides as the cells of a table and as JSON: the same on every comparing surface."""

from typing import Any

from harness.analysis.estimate import Estimate
from harness.figures.declaration import Unit
from harness.figures.differences import Difference, Differences
from harness.report import wording

DIFFERENCE_HEAD = ("figure", "A", "B", "B - A", "95% interval", "n", "verdict")


def difference_head(confidence: float = 0.95) -> tuple[str, ...]:
    """The table's head, with the confidence that was asked for."""
    percent = f"{confidence * 100:.10g}% interval"
    return tuple(percent if cell == "95% interval" else cell for cell in DIFFERENCE_HEAD)


def difference_rows(differences: Differences) -> list[tuple[str, ...]]:
    """One line a figure: both values, the difference, its interval, and what it amounts to."""
    return [
        (
            _label(found),
            wording.value(found.shift.a.value, found.figure.unit),
            wording.value(found.shift.b.value, found.figure.unit),
            wording.signed(found.shift.change.value, found.figure.unit),
            change_interval(found.shift.change, found.figure.unit),
            _n(found),
            meaning(found),
        )
        for found in differences.found
    ]


def _label(found: Difference) -> str:
    """The figure's title; a mean over paired cases is not the mean of all requests."""
    return f"{found.figure.title}, by case" if found.shift.paired else found.figure.title


def _n(found: Difference) -> str:
    if found.shift.paired:
        return wording.count(found.shift.change.n, "case")
    return f"{found.shift.a.n:,}, {found.shift.b.n:,}"


def meaning(found: Difference) -> str:
    """better, worse, changed, not significant (the interval holds no difference too), or unknown."""
    change = found.shift.change
    if change.value is None or (change.low is None and change.high is None):
        return "unknown"
    if not found.shift.significant:
        return "not significant"
    if found.worse:
        return "worse"
    return "better" if found.better else "changed"


def change_interval(change: Estimate, unit: Unit) -> str:
    """`-12.3 to +4.5 ms`; an open side is said."""
    if change.low is None and change.high is None:
        return wording.UNKNOWN
    if change.low is None:
        return f"at most {wording.signed(change.high, unit)}"
    if change.high is None:
        return f"at least {wording.signed(change.low, unit)}"
    return f"{wording.signed(change.low, unit)} to {wording.signed(change.high, unit)}"


def difference_json(found: Difference) -> dict[str, Any]:
    """A difference B - A in its own unit, with its interval and verdict."""
    change = found.shift.change
    return {
        "name": found.figure.name,
        "unit": found.figure.unit,
        "a": found.shift.a.value,
        "b": found.shift.b.value,
        "difference": change.value,
        "low": change.low,
        "high": change.high,
        "confidence": change.confidence,
        "method": change.method,
        "paired": found.shift.paired,
        "n_a": found.shift.a.n,
        "n_b": found.shift.b.n,
        "significant": found.shift.significant,
        "verdict": meaning(found),
        "note": found.note,
    }
