"""Two runs side by side, in words, JSON and HTML."""

from typing import Any

from markupsafe import Markup

from harness.figures.course import spread
from harness.figures.differences import Differences
from harness.figures.sides import Comparability, Side
from harness.records import ProviderMode
from harness.report.charts import two_ecdfs_chart
from harness.report.differences import difference_head, difference_json, difference_rows
from harness.report.html import environment
from harness.report.rows import mode_banner

SCHEMA = "harness.comparison.v1"


def comparison_warnings(a: Side, between: Comparability) -> list[str]:
    """What must be said before the figures are believed."""
    if between.refused is not None:
        return [f"Not comparable: {between.refused}", *between.cautions]
    said = [] if between.latency is None else [f"Latencies are not compared: {between.latency}"]
    if a.mode is not ProviderMode.LIVE and (banner := mode_banner(a.mode)) is not None:
        said.append(banner)
    return [*said, *between.cautions]


def comparison_document(
    a: Side, b: Side, between: Comparability, found: Differences | None, confidence: float
) -> dict[str, Any]:
    """The comparison as a JSON object; a difference is B - A in its own unit.

    Args:
        a: what B is held against.
        b: the other one.
        between: what may be compared.
        found: the differences; None where nothing may be.
        confidence: of all verdicts together.
    """
    warnings = comparison_warnings(a, between)
    return {
        "schema": SCHEMA,
        "a": _run(a),
        "b": _run(b),
        "warning": "; ".join(warnings) or None,
        "refused": between.refused,
        "latency_refused": between.latency,
        "cautions": list(between.cautions),
        "paired": bool(found and found.cases),
        "cases": found.cases if found else 0,
        "cases_left_out": found.cases_left_out if found else 0,
        "confidence": confidence,
        "differences": [difference_json(one) for one in found.found] if found else [],
    }


def comparison_html(
    a: Side, b: Side, between: Comparability, found: Differences | None, confidence: float
) -> str:
    """The comparison as one self-contained page."""
    timed = between.refused is None and between.latency is None
    chart = two_ecdfs_chart(spread(a.rows), spread(b.rows)) if timed else None
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            title=f"{a.label} and {b.label}",
            a=a.run,
            b=b.run,
            warning=". ".join(comparison_warnings(a, between)),
            head=difference_head(confidence),
            rows=difference_rows(found) if found else [],
            chart_svg=Markup(chart or ""),  # noqa: S704 - drawn here, its text escaped by the plot
            confidence=f"{confidence:.10g}",
        )
    )


def _run(side: Side) -> dict[str, Any]:
    run = side.run
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": run.status,
        "started_at": run.started_at,
        "strategy": side.strategy,
        "tags": side.tagged,
    }
