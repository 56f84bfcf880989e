"""Text for people: figures with their units, and data made safe to stand in running text."""

import math
import re
from datetime import datetime
from decimal import Decimal

from harness.analysis.estimate import Estimate
from harness.figures.declaration import Unit
from harness.report import wording

SHORT = 36
"""Characters of a name that an axis or a legend shows."""

SECONDS_FROM_MS = 1000.0

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")


def plain(text: str) -> str:
    """Our own text with figures in it, such that markdown shows it as it is (a dollar begins a formula)."""
    return _MARKDOWN.sub(r"\\\1", text)


def shortened(text: str, most: int = SHORT) -> str:
    """A name of bounded length: the middle gives way, ends tell names apart."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def duration(value_ms: float | None) -> str:
    """Three significant digits in the unit of its size: `640 ms`, `4.93 s`, `2.5 min`."""
    if value_ms is None:
        return wording.UNKNOWN
    if value_ms >= SECONDS_FROM_MS * 60:
        return f"{digits(value_ms / 60_000)} min"
    return f"{digits(value_ms / 1000)} s" if value_ms >= SECONDS_FROM_MS else f"{digits(value_ms)} ms"


def usd(value: Decimal | float | None) -> str:
    """Dollars with three significant digits: `$4.86`, `$0.0162`, `$583`; larger sums in whole dollars."""
    if value is None:
        return wording.UNKNOWN
    return f"-${digits(-float(value))}" if value < 0 else f"${digits(float(value))}"


def digits(value: float) -> str:
    """Three significant digits, never in powers of ten; whole numbers keep all of theirs."""
    if not value:
        return "0"
    size = math.floor(math.log10(abs(float(f"{value:.2e}"))))
    return f"{value:,.{max(0, 2 - size)}f}"


def exact(value: Decimal | float | None, unit: Unit) -> str:
    """The figure with all the digits that are shown anywhere, for the mouse that rests on it."""
    return wording.value(value, unit)


def percent(value: float | None, digits: int = 1) -> str:
    """`18.7%`."""
    return wording.percent(value, digits)


def count(n: int, noun: str) -> str:
    """`1 request`, `300 requests`."""
    return wording.count(n, noun)


def moment(value: datetime | None) -> str:
    """`2026-11-23 18:10 UTC`."""
    return wording.UNKNOWN if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def percentile(figure: Estimate) -> str:
    """The percentile, or that it lies among failures."""
    return "among failures" if figure.over_limit else duration(figure.value)


def percentile_bounds(figure: Estimate) -> str:
    """`4.93 s to 7.58 s`; an open side is said."""
    if figure.low_over_limit:
        return "among failures"
    if figure.low is None and figure.high is None:
        return wording.UNKNOWN
    if figure.low is None:
        return f"at most {duration(figure.high)}"
    if figure.high is None:
        end = " to failures" if figure.high_over_limit else ""
        return f"{duration(figure.low)}{end}" if end else f"at least {duration(figure.low)}"
    return f"{duration(figure.low)} to {duration(figure.high)}"


def shown(figure: Estimate, unit: Unit) -> str:
    """A figure in its unit, three significant digits."""
    if unit is Unit.MS:
        return percentile(figure)
    if unit is Unit.USD:
        return usd(figure.value)
    return percent(figure.value) if unit is Unit.RATIO else wording.value(figure.value, unit)


def percentile_note(figure: Estimate) -> str:
    """What stands under a percentile: interval and n, or why there is no figure."""
    left_out = f" · {figure.unknown:,} of unknown latency" if figure.unknown else ""
    if figure.value is None:
        why = "among failures" if figure.over_limit else "too few requests"
        return f"n {figure.n:,} · {why}{left_out}"
    return _note(figure, percentile_bounds(figure)) + left_out


def _note(estimate: Estimate, bounds: str) -> str:
    """The interval with the confidence that it has, and n."""
    n = f"n {estimate.n:,}"
    return n if bounds == wording.UNKNOWN else f"{estimate.confidence * 100:.4g}% {bounds} · {n}"


def ratio_note(estimate: Estimate) -> str:
    """`95% 0.0% to 1.3% · n 300`."""
    return _note(estimate, wording.ratio_interval(estimate))


def usd_note(estimate: Estimate) -> str:
    """`95% $0.0158 to $0.0166 · n 300`."""
    return _note(estimate, usd_bounds(estimate))


def score(value: float | None) -> str:
    """`0.942`."""
    return wording.UNKNOWN if value is None else f"{value:.3f}"


def score_bounds(estimate: Estimate) -> str:
    """`0.931 to 0.953`."""
    if estimate.low is None or estimate.high is None:
        return wording.UNKNOWN
    return f"{estimate.low:.3f} to {estimate.high:.3f}"


def score_note(estimate: Estimate) -> str:
    """`95% 0.931 to 0.953 · n 300`."""
    return _note(estimate, score_bounds(estimate))


def ratio_bounds(estimate: Estimate) -> str:
    """`91.1% to 96.4%`."""
    return wording.ratio_interval(estimate)


def usd_bounds(estimate: Estimate) -> str:
    """`$0.0158 to $0.0166`."""
    if estimate.low is None or estimate.high is None:
        return wording.UNKNOWN
    return f"{usd(estimate.low)} to {usd(estimate.high)}"


def signed_percent(value: float | None) -> str:
    """`+20.6%`."""
    return wording.UNKNOWN if value is None else f"{value:+.1%}"


def as_float(value: Decimal | None) -> float | None:
    """For showing only; None stays None."""
    return None if value is None else float(value)
