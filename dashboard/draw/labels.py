"""Text for people: figures with their units, and data made safe to stand in running text."""

import re
from datetime import datetime
from decimal import Decimal

from harness.analysis.estimate import Estimate
from harness.figures.declaration import Unit
from harness.report import wording

SHORT = 36
"""Characters of a name that an axis or a legend shows."""

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


def ms(value: float | None) -> str:
    """`6,871.4 ms`."""
    return wording.ms(value)


def usd(value: Decimal | float | None, digits: int | None = None) -> str:
    """Dollars with digits for their size: `$4.86`, `$0.016206`, `$583`."""
    if value is None:
        return wording.UNKNOWN
    if digits is None:
        size = abs(float(value))
        digits = 0 if size >= 1000 else 2 if size >= 1 or size == 0 else 4 if size >= 0.1 else 6
    return wording.usd(value, digits)


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
    return "over limit" if figure.over_limit else ms(figure.value)


def percentile_bounds(figure: Estimate) -> str:
    """`4,931.0 ms to 7,582.1 ms`; an open side is said."""
    return wording.bounds(figure, Unit.MS)


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
    return _note(estimate, wording.usd_interval(estimate))


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
    """`$0.015764 to $0.016648`."""
    return wording.usd_interval(estimate)


def signed_percent(value: float | None) -> str:
    """`+20.6%`."""
    return wording.UNKNOWN if value is None else f"{value:+.1%}"


def as_float(value: Decimal | None) -> float | None:
    """For showing only; None stays None."""
    return None if value is None else float(value)
