"""The frontier as the Savings page shows it: the answer, the chart and the table."""

from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.export import table
from harness.analysis.estimate import Estimate
from harness.records.kinds import MEDIUM_TIER_MIN_SCORE
from harness.report.frontier_document import (
    FRONTIER_HEAD,
    MIX_HEAD,
    frontier_rows,
    judged_line,
    mix_rows,
    search_line,
)
from harness.strategies.frontier import FrontierReport, Place
from harness.strategies.search import Limits

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon", "triangle-down")
"""Shapes that tell ways apart; the colour is free to say how good they are."""
FADED = 0.35
_TOP = 104
"""Room for a subtitle of two lines above the limit's name, pixels."""


def frontier_section(report: FrontierReport) -> None:
    """Which way to take, by the figures of `harness strategies frontier`."""
    st.subheader("Which one", anchor=False)
    with st.container(border=True):
        st.caption("Recommendation" if report.recommendation.certain else "Recommendation, not yet certain")
        st.text(report.recommendation.sentence)
        if report.runner_up is not None:
            st.text(report.runner_up.sentence)
    for line in (*(f"Left out: {out.name}: {out.reason}" for out in report.left_out), *report.notes):
        st.text(line)
    _chart(report)
    st.caption(labels.plain(judged_line(report)))
    rows = [dict(zip(FRONTIER_HEAD, row, strict=True)) for row in frontier_rows(report)]
    table(rows, "frontier.csv", key="frontier-table")


def mixes_section(report: FrontierReport) -> None:
    """The mixes that nobody ran, by the figures of `harness strategies frontier --replay`."""
    st.subheader("What if: mixes that nobody ran", anchor=False)
    if report.search is None or not report.search.mixes:
        st.caption("Two models have to have answered the same cases before a mix of them can be looked at.")
        return
    with st.container(border=True):
        st.text(report.recommendation.sentence)
        if report.runner_up is not None:
            st.text(report.runner_up.sentence)
    st.caption(labels.plain(search_line(report.search)))
    rows = [dict(zip(MIX_HEAD, row, strict=True)) for row in mix_rows(report.search)]
    table(rows, "mixes.csv", key="mixes-table")


def _chart(report: FrontierReport) -> None:
    placed = [place for place in report.places if place.standing.excluded is None]
    if len(placed) < 2 or not report.by_latency:
        return
    n = sum(place.requests for place in placed)
    fig = charts.figure(
        "Cost against p95",
        f"95% intervals · n {n:,} · colour: share of high tier · faded: another is better in all three",
        y="p95, seconds",
        x="USD per request",
        height=480,
    )
    for index, place in enumerate(placed):
        _add_place(fig, place, SYMBOLS[index % len(SYMBOLS)], report.limits)
    charts.limit_line(fig, limit_ms=report.limits.max_p95_ms)
    fig.update_xaxes(tickprefix="$", rangemode="tozero")
    fig.update_layout(hovermode="closest", showlegend=True)
    charts.legend_below(fig)
    fig.update_layout(margin={"t": _TOP})
    charts.show(fig, key="savings-frontier", file_name="frontier", alt="Cost against p95, by strategy")


def _add_place(fig: go.Figure, place: Place, symbol: str, limits: Limits) -> None:
    """A way's point with its error bars; faded when another way beats it."""
    candidate, high = place.standing.candidate, place.high_tier.value
    name, share = charts.label(place.name), labels.percent(high)
    fig.add_scatter(
        x=[candidate.cost_usd.value],
        y=charts.seconds([candidate.p95_ms.value]),
        name=f"{name} ({share} high, n {candidate.n:,})",
        mode="markers",
        opacity=1.0 if place.standing.on_frontier else FADED,
        marker={
            "size": 15,
            "color": quality_colour(high or 0.0, limits.min_high_tier),
            "symbol": symbol,
            "line": {"width": 1.5, "color": colours.ink()},
        },
        error_x={**charts.estimate_bars([candidate.cost_usd]), "color": colours.ink()},
        error_y={**charts.estimate_bars([_in_seconds(candidate.p95_ms)]), "color": colours.ink()},
        hovertemplate=f"{name}: $%{{x:.6f}}, p95 %{{y:.2f}} s, {share} high tier<extra></extra>",
    )


def quality_colour(share: float, wanted: float) -> str:
    """The tiers' colours: that of high where the wanted share is reached, of medium from 70%, else of low."""
    if share >= wanted:
        return colours.TIERS["high"]
    return colours.TIERS["medium" if share >= MEDIUM_TIER_MIN_SCORE else "low"]


def _in_seconds(found: Estimate) -> Estimate:
    value, low, high = charts.seconds([found.value, found.low, found.high])
    return replace(found, value=value, low=low, high=high)
