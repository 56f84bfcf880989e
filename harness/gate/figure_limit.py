"""A limit on any declared figure: `p95_ttft<=800ms`, `high_tier>=0.9`; a new figure can be gated as it is."""

import math
import re
from dataclasses import dataclass
from difflib import get_close_matches

from harness.analysis.estimate import Estimate
from harness.errors import UsageError
from harness.figures import all_figures
from harness.figures.declaration import Figure, Unit
from harness.gate.model import Bounds, Check
from harness.records import GateVerdict

_FORM = re.compile(r"^\s*([a-z][a-z0-9_]*)\s*(<=|>=)\s*(\d+(?:\.\d+)?)\s*(ms|s|%)?\s*$")
_IN_UNIT = {Unit.MS: {None: 1.0, "ms": 1.0, "s": 1000.0}, Unit.RATIO: {None: 1.0, "%": 0.01}}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureLimit:
    """What a figure must keep to.

    Attributes:
        figure: its declaration.
        at_most: the figure must not be above the value; else not below it.
        value: in the figure's unit.
    """

    figure: Figure
    at_most: bool
    value: float

    @property
    def text(self) -> str:
        """`at most 800.0 ms`."""
        return f"{'at most' if self.at_most else 'at least'} {_shown(self.value, self.figure.unit)}"


def parse_figure_limit(text: str) -> FigureLimit:
    """A limit as it is written: a figure's name, `<=` or `>=`, a number, and `ms`, `s` or `%` where they fit.

    Raises:
        UsageError: it is none, or there is no such figure; says which are near.
    """
    match = _FORM.match(text)
    if match is None:
        raise UsageError(f"'{text}' is no limit; write it as in p95_ttft<=800ms or high_tier>=0.9")
    name, sign, number, unit = match.groups()
    figure = next((one for one in all_figures() if one.name == name), None)
    if figure is None:
        known = [one.name for one in all_figures()]
        near = get_close_matches(name, known, n=3) or known
        raise UsageError(f"there is no figure '{name}'; there is {', '.join(near)}")
    factors = _IN_UNIT.get(figure.unit, {None: 1.0})
    if unit not in factors:
        raise UsageError(f"'{text}': {figure.title} is counted in {figure.unit.value}, not in {unit}")
    return FigureLimit(figure=figure, at_most=sign == "<=", value=float(number) * factors[unit])


def figure_check(limit: FigureLimit, found: Estimate | None, confidence: float | None) -> Check:
    """The figure against its limit: by its value, or at a confidence by its interval.

    A figure that is not known is INCONCLUSIVE, one that lies among failures is above every limit.
    """
    figure = limit.figure
    verdict, why = _judged(limit, found, confidence)
    return Check(
        name=figure.name,
        verdict=verdict,
        sentence=f"{figure.title} {why}; {limit.text} is asked for",
        value=None if found is None or found.over_limit else found.value,
        limit=limit.value,
        unit=figure.unit.value,
        n=0 if found is None else found.n,
        interval=None if found is None else Bounds.of(found),
        over_limit=found is not None and found.over_limit,
    )


def _judged(limit: FigureLimit, found: Estimate | None, confidence: float | None) -> tuple[GateVerdict, str]:
    unit = limit.figure.unit
    if found is None or (found.value is None and not found.over_limit):
        return GateVerdict.INCONCLUSIVE, f"is not known of {0 if found is None else found.n} requests"
    value = math.inf if found.value is None else float(found.value)
    kept = value <= limit.value if limit.at_most else value >= limit.value
    said = "lies among failures" if found.over_limit else f"is {_shown(value, unit)}"
    if confidence is None:
        return (GateVerdict.PASS if kept else GateVerdict.FAIL), said
    said += f", {confidence:.0%} interval {_bounds(found, unit)}"
    low = math.inf if found.low_over_limit else found.low
    high = math.inf if found.high_over_limit else found.high
    worst, least = (high, low) if limit.at_most else (low, high)
    if worst is None or least is None:
        return GateVerdict.INCONCLUSIVE, f"{said}, which is open"
    if (worst <= limit.value) if limit.at_most else (worst >= limit.value):
        return GateVerdict.PASS, said
    missed = least > limit.value if limit.at_most else least < limit.value
    return (GateVerdict.FAIL if missed else GateVerdict.INCONCLUSIVE), said


def _shown(value: float, unit: Unit) -> str:
    """A value with its unit; nothing is rounded across a limit that a person would write."""
    if unit is Unit.RATIO:
        return f"{value:.2%}"
    if unit is Unit.USD:
        return f"${value:,.6f}"
    return f"{value:,.1f} ms" if unit is Unit.MS else f"{value:,.10g}"


def _bounds(found: Estimate, unit: Unit) -> str:
    low, high = ("open" if bound is None else _shown(bound, unit) for bound in (found.low, found.high))
    return f"{low} to {high}"
