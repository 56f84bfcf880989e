"""Two runs side by side, in words, JSON and HTML."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from harness.analysis.compare import Comparison
from harness.analysis.difference import Difference
from harness.analysis.sample import RunFacts, latency_sample, provider_mode
from harness.records import ProviderMode, Request
from harness.report import wording
from harness.report.charts import two_ecdfs_chart
from harness.report.html import environment
from harness.report.rows import mode_banner

SCHEMA = "harness.comparison.v1"
COMPARISON_HEAD = ("figure", "A", "B", "B - A", "95% interval", "n", "verdict")

_LABELS = {
    "error_ratio": "error ratio",
    "cost_per_request": "cost per request",
    "quality_score": "quality score",
    "high_tier": "high tier",
}


def comparison_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """One line a figure: both values, the difference, its interval, and what it amounts to."""
    return [
        (
            _label(found),
            _value(found.a, found.unit),
            _value(found.b, found.unit),
            _signed(found.value, found.unit),
            _interval(found),
            wording.count(found.n_a, "case") if found.paired else f"{found.n_a:,}, {found.n_b:,}",
            meaning(found),
        )
        for found in comparison.differences
    ]


def _label(found: Difference) -> str:
    """The figure's name; a mean of paired cases, each of the same weight, is not the mean of all requests."""
    label = _LABELS.get(found.name, found.name.replace("_", " "))
    return f"{label}, by case" if found.paired and found.name in _LABELS else label


def comparison_head(comparison: Comparison) -> tuple[str, ...]:
    """The table's head, with the confidence that was asked for."""
    percent = f"{comparison.confidence * 100:.10g}% interval"
    return tuple(percent if cell == "95% interval" else cell for cell in COMPARISON_HEAD)


def meaning(difference: Difference) -> str:
    """better, worse, not significant (the interval holds no difference too), or unknown (no interval)."""
    if difference.value is None or (difference.low is None and difference.high is None):
        return "unknown"
    if difference.regression:
        return "worse"
    return "better" if difference.improvement else "not significant"


def comparison_warning(
    a: RunFacts,
    b: RunFacts,
    a_requests: Sequence[Request],
    b_requests: Sequence[Request],
    problem: str | None,
) -> str | None:
    """What must be said before the figures are believed; None when nothing must."""
    if problem is not None:
        return f"Not comparable: {problem}"
    modes = (provider_mode(a_requests, a), provider_mode(b_requests, b))
    if modes[0] is not modes[1]:
        names = [mode.value if mode is not None else "unknown" for mode in modes]
        return (
            f"A was answered by {names[0]} providers, B by {names[1]}: the difference is not the strategy's"
        )
    return mode_banner(modes[0]) if modes[0] is not ProviderMode.LIVE else None


def comparison_document(
    comparison: Comparison, a: RunFacts, b: RunFacts, *, warning: str | None
) -> dict[str, Any]:
    """The comparison as a JSON object; a difference is B - A in its own unit."""
    return {
        "schema": SCHEMA,
        "a": _run(a),
        "b": _run(b),
        "warning": warning,
        "paired": comparison.paired,
        "confidence": comparison.confidence,
        "differences": [difference_json(found) for found in comparison.differences],
    }


def sides_json(found: Difference) -> dict[str, Any]:
    """Both values, their difference B - A with its interval and method, and the numbers behind them."""
    return {
        "a": found.a,
        "b": found.b,
        "difference": found.value,
        "low": found.low,
        "high": found.high,
        "method": found.method,
        "paired": found.paired,
        "n_a": found.n_a,
        "n_b": found.n_b,
    }


def difference_json(found: Difference) -> dict[str, Any]:
    """A difference B - A in its own unit, with its interval and verdict."""
    return {
        "name": found.name,
        "unit": found.unit,
        **sides_json(found),
        "significant": found.significant,
        "verdict": meaning(found),
        "note": found.note,
    }


def comparison_html(
    comparison: Comparison,
    a: RunFacts,
    b: RunFacts,
    a_requests: Sequence[Request],
    b_requests: Sequence[Request],
    *,
    warning: str | None,
) -> str:
    """The comparison as one self-contained page."""
    chart = two_ecdfs_chart(latency_sample(a_requests), latency_sample(b_requests))
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            title=f"{a.name} and {b.name}",
            a=a,
            b=b,
            warning=warning,
            head=comparison_head(comparison),
            rows=comparison_rows(comparison),
            chart_svg=Markup(chart or ""),  # noqa: S704 - drawn here, its text escaped by the plot
            confidence=f"{comparison.confidence:.10g}",
        )
    )


def _run(run: RunFacts) -> dict[str, Any]:
    return {"run_id": run.run_id, "name": run.name, "status": run.status, "started_at": run.started_at}


def _value(value: float | None, unit: str) -> str:
    match unit:
        case "ms":
            return wording.ms(value)
        case "usd":
            return wording.usd(value)
        case "ratio":
            return wording.percent(value, 2)
        case _:
            return wording.UNKNOWN if value is None else f"{value:.3f}"


def _signed(value: float | None, unit: str) -> str:
    if value is None:
        return wording.UNKNOWN
    text = _value(value, unit)
    return text if text.startswith("-") else f"+{text}"


def _interval(found: Difference) -> str:
    if found.low is None and found.high is None:
        return wording.UNKNOWN
    if found.low is None:
        return f"at most {_signed(found.high, found.unit)}"
    low = _signed(found.low, found.unit)
    if found.high is None:
        return f"at least {low}"
    return f"{low.removesuffix(' ms')} to {_signed(found.high, found.unit)}"
