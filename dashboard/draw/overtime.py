"""Latency and cost over time, as more than one page draws them."""

from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go

from dashboard.draw import charts, colours
from dashboard.queries.costdetail import CostOverTime
from dashboard.queries.latency import NAMES
from dashboard.queries.latencydetail import Timeline
from harness.figures.spending import ROLES

DASHES = ("solid", "dash", "dot")


def latency_over_time(found: Timeline, limit_ms: float, *, key: str) -> None:
    """p50, p95 and p99 of each span of arrivals, and the failures."""
    n = sum(bucket.n for bucket in found.buckets)
    fig = charts.figure(
        "Latency over time", f"seconds, per {_span(found.step_s)} of arrivals · n {n:,}", y="s", x="UTC"
    )
    at = charts.moments(bucket.at for bucket in found.buckets)
    for index, (name, dash) in enumerate(zip(NAMES, DASHES, strict=True)):
        values = charts.seconds(bucket.quantiles_ms[index] for bucket in found.buckets)
        fig.add_scatter(
            x=at,
            y=values,
            name=name,
            mode="lines+markers",
            line={"dash": dash, "width": 2, "color": colours.QUANTILES[name]},
            marker={"size": 5},
            hovertemplate=f"{name}: %{{y:.3f}} s<extra></extra>",
        )
    failed = sum(bucket.failures for bucket in found.buckets)
    if failed:
        fig.add_bar(
            x=at,
            y=[bucket.failures for bucket in found.buckets],
            name=f"failed ({failed:,})",
            yaxis="y2",
            marker_color=colours.FAILED_BARS,
            hovertemplate="failed: %{y:,}<extra></extra>",
        )
        fig.update_layout(
            yaxis2={
                "overlaying": "y",
                "side": "right",
                "showgrid": False,
                "title": "failed",
                "rangemode": "tozero",
                "dtick": max(1, -(-max(bucket.failures for bucket in found.buckets) // 4)),
                "tickformat": ",d",
            }
        )
    charts.limit_line(fig, limit_ms=limit_ms)
    charts.show(fig, key=key, file_name="latency-over-time", alt="Latency over time")


def _span(step_s: int) -> str:
    for size, unit in ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if step_s >= size:
            return unit if step_s == size else f"{step_s // size} {unit}s"
    return f"{step_s} s"


def cost_over_time(found: CostOverTime, *, key: str) -> None:
    """USD of each span of time, by provider and role."""
    fig = charts.figure(
        f"Cost per {found.unit}", f"USD by provider, repair hatched · n {found.n:,} calls", y="USD", x="UTC"
    )
    for provider in sorted({row[1] for row in found.rows}):
        for role in ROLES:
            rows = [row for row in found.rows if row[1:3] == (provider, role)]
            if rows:
                _bars(fig, provider, role, rows)
    fig.update_layout(barmode="stack")
    charts.show(fig, key=key, file_name=f"cost-per-{found.unit}", alt=f"Cost per {found.unit}")


def _bars(fig: go.Figure, provider: str, role: str, rows: Sequence[tuple[datetime, str, str, float]]) -> None:
    fig.add_bar(
        x=charts.moments(row[0] for row in rows),
        y=[row[3] for row in rows],
        name=f"{charts.label(provider)} {role}",
        marker={
            "color": colours.provider_colour(provider),
            "line": {"width": 0},
            "pattern": {
                "shape": "/" if role == "repair" else "",
                "fillmode": "overlay",
                "fgcolor": "rgba(255,255,255,0.7)",
            },
        },
        hovertemplate="%{fullData.name}: $%{y:.4f}<extra></extra>",
    )
