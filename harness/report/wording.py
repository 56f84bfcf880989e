"""Figures as text, the same in the table, the Markdown and the HTML; unknown is a dash."""

from collections.abc import Callable
from decimal import Decimal

from harness.analysis.estimate import Estimate
from harness.analysis.interval import QuantileInterval
from harness.analysis.percentile import Quantile, min_requests
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


def quantile(figure: Quantile) -> str:
    """The percentile, or why there is none."""
    if figure.over_limit:
        return "over any limit (failures)"
    if figure.value_ms is None:
        return f"needs {min_requests(figure.q)} requests" if figure.n else UNKNOWN
    return ms(figure.value_ms)


def quantile_interval(interval: QuantileInterval | None) -> str:
    """`5,900.1 to 6,420.0 ms`, `at least 5,900.1 ms`, `5,900.1 ms to failures`."""
    if interval is None:
        return UNKNOWN
    low, high = interval.low_ms, interval.high_ms
    if interval.low_over_limit:
        return "over any limit (failures)"
    if low is not None and high is not None:
        return f"{low:,.1f} to {high:,.1f} ms"
    if low is not None:
        return f"{ms(low)} to failures" if interval.high_over_limit else f"at least {ms(low)}"
    return UNKNOWN if high is None else f"at most {ms(high)}"


def ratio_interval(estimate: Estimate) -> str:
    """`0.0 to 1.3%`."""
    if estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{estimate.low:.1%} to {estimate.high:.1%}"


def usd_interval(estimate: Estimate | None) -> str:
    """`$0.0241 to $0.0256`."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{usd(estimate.low)} to {usd(estimate.high)}"


def count(n: int, noun: str) -> str:
    """`1 request`, `300 requests`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


_SHOWN: dict[Unit, Callable[[float, int | None], str]] = {
    Unit.MS: lambda found, _: ms(found),
    Unit.USD: lambda found, digits: usd(found, 6 if digits is None else digits),
    Unit.RATIO: lambda found, digits: percent(found, 2 if digits is None else digits),
    Unit.SCORE: lambda found, _: f"{found:.3f}",
    Unit.PER_S: lambda found, _: f"{found:,.2f} /s",
    Unit.TOKENS_PER_S: lambda found, _: f"{found:,.1f} tokens/s",
    Unit.COUNT: lambda found, _: f"{found:,.0f}",
}


def value(found: Decimal | float | None, unit: Unit, digits: int | None = None) -> str:
    """A value in its unit: the one place that says how a unit is shown."""
    return UNKNOWN if found is None else _SHOWN[unit](float(found), digits)


def signed(found: Decimal | float | None, unit: Unit) -> str:
    """A change in its unit, with its sign: `+12.3 ms`."""
    if found is None:
        return UNKNOWN
    text = value(found, unit)
    return text if text.startswith("-") else f"+{text}"


def estimate(found: Estimate, unit: Unit, digits: int | None = None) -> str:
    """The figure, or that it lies among failures."""
    return "over any limit (failures)" if found.over_limit else value(found.value, unit, digits)


def bounds(found: Estimate, unit: Unit, digits: int | None = None) -> str:
    """`5,900.1 ms to 6,420.0 ms`, `at least 5,900.1 ms`, `5,900.1 ms to failures`; else a dash."""
    if found.low_over_limit:
        return "over any limit (failures)"
    low, high = value(found.low, unit, digits), value(found.high, unit, digits)
    if found.low is not None and found.high is not None:
        return f"{low} to {high}"
    if found.low is not None:
        return f"{low} to failures" if found.high_over_limit else f"at least {low}"
    return UNKNOWN if found.high is None else f"at most {high}"
