"""Figures as text, the same in the table, the Markdown and the HTML; unknown is a dash."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # words need no statistics
    from harness.analysis.estimate import Estimate
    from harness.figures.declaration import Unit

UNKNOWN = "-"


def printable(text: str) -> str:
    """Foreign text on one line of a terminal: no escape sequence or other control character gets through."""
    return "".join(c if c.isprintable() else "?" for c in text.replace("\n", " "))


def ms(value: float | None) -> str:
    """Milliseconds to a tenth: `8,010.6 ms`; nothing is rounded across a limit."""
    return UNKNOWN if value is None else f"{value:,.1f} ms"


def usd(value: Decimal | float | None, digits: int = 6) -> str:
    """Dollars: `$0.028860`."""
    if value is None:
        return UNKNOWN
    return f"-${-value:,.{digits}f}" if value < 0 else f"${value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A ratio as a percentage: `23.0%`."""
    return UNKNOWN if value is None else f"{value:.{digits}%}"


def ratio_interval(estimate: "Estimate") -> str:
    """`0.0 to 1.3%`."""
    if estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{estimate.low:.1%} to {estimate.high:.1%}"


def usd_interval(estimate: "Estimate | None") -> str:
    """`$0.0241 to $0.0256`."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{usd(estimate.low)} to {usd(estimate.high)}"


def count(n: int, noun: str) -> str:
    """`1 request`, `300 requests`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


_SHOWN: dict[str, Callable[[float, int | None], str]] = {
    "ms": lambda found, _: ms(found),
    "usd": lambda found, digits: usd(found, 6 if digits is None else digits),
    "ratio": lambda found, digits: percent(found, 2 if digits is None else digits),
    "score": lambda found, _: f"{found:.3f}",
    "per_s": lambda found, _: f"{found:,.2f} /s",
    "tokens_per_s": lambda found, _: f"{found:,.1f} tokens/s",
    "count": lambda found, _: f"{found:,.0f}",
}


def value(found: Decimal | float | None, unit: "Unit", digits: int | None = None) -> str:
    """A value in its unit: the one place that says how a unit is shown."""
    return UNKNOWN if found is None else _SHOWN[unit](float(found), digits)


def signed(found: Decimal | float | None, unit: "Unit") -> str:
    """A change in its unit, with its sign: `+12.3 ms`."""
    if found is None:
        return UNKNOWN
    text = value(found, unit)
    return text if text.startswith("-") else f"+{text}"


def estimate(found: "Estimate", unit: "Unit", digits: int | None = None) -> str:
    """The figure, or that it lies among failures."""
    return "over any limit (failures)" if found.over_limit else value(found.value, unit, digits)


def bounds(found: "Estimate", unit: "Unit", digits: int | None = None) -> str:
    """`5,900.1 ms to 6,420.0 ms`, `at least 5,900.1 ms`, `5,900.1 ms to failures`; else a dash."""
    if found.low_over_limit:
        return "over any limit (failures)"
    low, high = value(found.low, unit, digits), value(found.high, unit, digits)
    if found.low is not None and found.high is not None:
        return f"{low} to {high}"
    if found.low is not None:
        return f"{low} to failures" if found.high_over_limit else f"at least {low}"
    return UNKNOWN if found.high is None else f"at most {high}"


def _two_digits(found: float) -> str:
    return f"{found:,.2f}"


_COMPACT: dict[str, Callable[[float], str]] = {
    "ms": lambda found: f"{found:,.0f}",
    "usd": lambda found: f"{found:,.5f}",
    "ratio": lambda found: f"{100 * found:.1f}",
    "score": lambda found: f"{found:.3f}",
}
"""A value without its unit, for a bound beside the value."""


def compact(found: "Estimate", unit: "Unit") -> str:
    """The figure and its interval in one cell: `68.3% [54.5, 79.5]`, `4,288 ms [4,114, -]`."""
    if found.over_limit or found.value is None:
        return estimate(found, unit)
    plain = _COMPACT.get(unit, _two_digits)
    mark = {"ms": " ms", "ratio": "%"}.get(unit, "")
    shown = f"{'$' if unit == 'usd' else ''}{plain(found.value)}{mark}"
    if found.low is None and found.high is None:
        return shown
    low, high = (UNKNOWN if bound is None else plain(bound) for bound in (found.low, found.high))
    return f"{shown} [{low}, {high}]"
