"""Latency: by provider, model, strategy and stage, over time, and as a distribution with its limit."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.export import request_table, table
from dashboard.draw.overtime import latency_over_time
from dashboard.frame.context import begin, frame, known_names
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.queries.latency import GROUPINGS, MOST_TAGGED, NAMES, LatencyFigures, latency_figures
from dashboard.queries.latencydetail import (
    Distribution,
    PartLatency,
    attempts,
    distributions,
    slowest,
    stages,
    timeline,
)
from harness.figures.tags import TAG_PREFIX


def main() -> None:
    """The page."""
    subject = begin("Latency")
    if subject is None:
        return
    scope = subject.scope
    left, right, _ = st.columns([1, 1, 2])
    few = [f"{TAG_PREFIX}{tag.name}" for tag in frame().facets.tags if len(tag.values) <= MOST_TAGGED]
    group_by = left.selectbox("Compare by", [*GROUPINGS, *few], key="by", bind="query-params")
    limit_s = right.number_input(
        "Limit (s)", min_value=0.1, value=8.0, step=0.5, key="limit", bind="query-params"
    )
    found = read(latency_figures, scope, group_by)
    if found.source is None:
        return
    clock = (
        "the client's clock, from the intended start" if found.source == "client" else "the server's clock"
    )
    st.caption(f"On {clock}. Failures rank above every success. Intervals are 95%.")
    shades = colours.colours_of((group.group for group in found.groups), known_names(group_by))
    _quantile_chart(found, group_by, shades, limit_s * 1000)
    _quantile_table(found, group_by, read(distributions, scope, group_by, limit_s * 1000))
    left, right = st.columns(2)
    with left:
        _ecdf(read(distributions, scope, group_by, limit_s * 1000), shades, limit_s * 1000)
    with right:
        latency_over_time(read(timeline, scope), limit_s * 1000, key="latency-time")
    left, right = st.columns(2)
    with left:
        _stage_chart(read(stages, scope))
    with right:
        _attempt_chart(read(attempts, scope))
    _slowest(scope)


def _quantile_chart(found: LatencyFigures, group_by: str, shades: dict[str, str], limit_ms: float) -> None:
    n = sum(group.n for group in found.groups)
    fig = charts.figure(
        f"Latency by {group_by}", f"seconds, with 95% intervals · n {n:,} requests", y="s", x=""
    )
    for group in found.groups:
        values = charts.seconds(figure.value for figure in group.quantiles)
        fig.add_scatter(
            x=list(NAMES),
            y=values,
            name=f"{charts.label(group.group)} (n {group.n:,})",
            mode="markers",
            marker={"size": 11, "color": shades[group.group]},
            error_y=charts.estimate_bars(group.quantiles, 0.001),
            hovertemplate="%{fullData.name}: %{y:.3f} s<extra></extra>",
        )
    fig.update_layout(scattermode="group", scattergap=0.6, showlegend=True)
    charts.legend_below(fig)
    charts.limit_line(fig, limit_ms=limit_ms)
    charts.show(fig, key="latency-by", file_name=f"latency-by-{group_by}", alt=f"Latency by {group_by}")


def _quantile_table(found: LatencyFigures, group_by: str, shapes: Sequence[Distribution]) -> None:
    over = {shape.group: shape.over_limit for shape in shapes}
    rows = []
    for group in found.groups:
        row: dict[str, object] = {group_by: group.group, "n": group.n, "failed": group.failures}
        for name, figure in zip(NAMES, group.quantiles, strict=True):
            row[name] = labels.percentile(figure)
            row[f"{name} 95% interval"] = labels.percentile_bounds(figure)
        row["over the limit"] = labels.percent(over[group.group].value, 2)
        row["unknown latency"] = group.quantiles[0].unknown
        rows.append(row)
    table(rows, "latency.csv", key="latency-table")


def _ecdf(shapes: Sequence[Distribution], shades: dict[str, str], limit_ms: float) -> None:
    n = sum(shape.n for shape in shapes)
    fig = charts.figure(
        "Distribution", f"share of requests answered within · n {n:,}", y="share of requests", x="seconds"
    )
    for shape in shapes:
        fig.add_scatter(
            x=charts.seconds(shape.latency_ms),
            y=list(shape.share),
            name=charts.label(shape.group),
            mode="lines",
            line={"shape": "hv", "color": shades[shape.group], "width": 2},
            hovertemplate="%{fullData.name}: %{y:.1%}<extra></extra>",
        )
    fig.update_yaxes(tickformat=".0%", range=[0, 1.02])
    charts.limit_line(fig, limit_ms=limit_ms, vertical=True)
    charts.show(fig, key="latency-ecdf", file_name="latency-distribution", alt="Distribution of latency")


def _stage_chart(found: Sequence[PartLatency]) -> None:
    if not found:
        st.caption("No stage durations: the target sent neither telemetry nor Server-Timing.")
        return
    fig = charts.figure("By stage", "seconds, server's clock, answered requests", y="s")
    _part_bars(fig, [f"{part.name[0]}<br>n {part.n:,}" for part in found], found)
    charts.show(fig, key="latency-stages", file_name="latency-by-stage", alt="Latency by stage")


def _attempt_chart(found: Sequence[PartLatency]) -> None:
    if not found:
        st.caption("No attempts were recorded: the target keeps its calls to itself.")
        return
    fig = charts.figure(
        "By attempt",
        "seconds from send to last token, answered attempts",
        x="s",
        height=max(charts.HEIGHT, 190 + 55 * len(found)),
    )
    names = [f"{charts.label(part.name[2])}<br>{part.name[0]}, n {part.n:,}" for part in found]
    _part_bars(fig, names, found, lying=True)
    charts.show(fig, key="latency-attempts", file_name="latency-by-attempt", alt="Latency by attempt")


def _part_bars(
    fig: go.Figure, names: Sequence[str], found: Sequence[PartLatency], *, lying: bool = False
) -> None:
    for index, name in enumerate(NAMES):
        values = charts.seconds(part.quantiles_ms[index] for part in found)
        fig.add_bar(
            x=values if lying else list(names),
            y=list(names) if lying else values,
            orientation="h" if lying else "v",
            name=name,
            marker_color=colours.QUANTILES[name],
            hovertemplate=f"{name}: %{{{'x' if lying else 'y'}:.3f}} s<extra></extra>",
        )
    fig.update_layout(barmode="group", bargap=0.25)
    if lying:
        fig.update_yaxes(autorange="reversed")
        fig.update_layout(hovermode="y unified")


def _slowest(scope: Scope) -> None:
    st.subheader("Slowest answers", anchor=False)
    st.caption("Click a row to look at one.")
    request_table(read(slowest, scope), "slowest.csv", key="latency-slowest", config=_SLOWEST)


_SLOWEST = {
    "latency_ms": st.column_config.NumberColumn("latency (ms)", format="%.1f"),
    "request_id": "request",
    "case_id": "case",
    "draft_source": "draft",
    "draft_model": "model",
    "repair_source": "repair",
    "arrived_at": st.column_config.DatetimeColumn(
        "arrived (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
    ),
    "run_id": "run",
}

main()
