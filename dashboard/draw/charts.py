"""Plotly figures: a unit and n on every one; what a colour means stands in `colours`."""

import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard.draw import colours
from dashboard.draw.labels import shortened
from harness.analysis.estimate import Estimate

LIMIT_MS = 8000.0
"""The gate's default limit on p95, drawn wherever latency is."""

HEIGHT = 360
SUBTITLE_WIDTH = 54
_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "scale": 2, "width": 1100, "height": 520},
}


def estimate_bars(estimates: Sequence[Estimate | None], scale: float = 1.0) -> dict[str, Any]:
    """Intervals as asymmetric error bars, in the estimates' unit times a scale; an open side has none."""
    up, down = [], []
    for found in estimates:
        value, low, high = (found.value, found.low, found.high) if found else (None, None, None)
        up.append(0.0 if value is None or high is None else scale * (high - value))
        down.append(0.0 if value is None or low is None else scale * (value - low))
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5, "width": 4}


def label(text: str) -> str:
    """A name from the data as Plotly shows it: shortened, and never as markup."""
    return html.escape(shortened(text))


HEADROOM = 1.12


def figure(title: str, subtitle: str, *, y: str = "", x: str = "", height: int = HEIGHT) -> go.Figure:
    """An empty figure.

    Args:
        title: what it shows, short enough for a phone.
        subtitle: unit and n.
        y: the y axis with its unit.
        x: the x axis with its unit.
        height: pixels.
    """
    fig = go.Figure()
    fig.update_layout(
        title={
            "text": title,
            "font": {"size": 16},
            "subtitle": {"text": _broken(subtitle), "font": {"size": 13, "color": colours.ink()}},
            "x": 0,
            "xanchor": "left",
            "y": 0.97,
            "yanchor": "top",
        },
        height=height,
        margin={"l": 8, "r": 16, "t": 112, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.01, "x": 0, "title": None},
        hovermode="x unified",
        bargap=0.35,
    )
    ticks = {"tickfont": {"color": colours.ink()}, "title_font": {"color": colours.ink()}}
    fig.update_xaxes(title=x, automargin=True, zeroline=False, **ticks)
    fig.update_yaxes(title=y, automargin=True, rangemode="tozero", zeroline=False, **ticks)
    return fig


def _broken(text: str) -> str:
    """Two lines at most, so that a phone shows them whole."""
    return "<br>".join(textwrap.wrap(text, SUBTITLE_WIDTH, break_long_words=False)[:2])


def show(fig: go.Figure, *, key: str, file_name: str, alt: str) -> None:
    """Draw a figure; its PNG button saves under the given name."""
    if len(fig.data) < 2 and not fig.layout.showlegend:
        fig.update_layout(margin={"t": 84})
    config = {
        **_CONFIG,
        "toImageButtonOptions": {**_CONFIG["toImageButtonOptions"], "filename": file_name},  # type: ignore[dict-item]
    }
    st.plotly_chart(fig, key=key, config=config, alt=alt)


def legend_below(fig: go.Figure) -> go.Figure:
    """For many or long names: under the plot, where it may grow."""
    fig.update_layout(legend={"yanchor": "top", "y": -0.3}, margin={"t": 76})
    return fig


def stacked_bars(
    fig: go.Figure,
    x: Sequence[Any],
    parts: Mapping[str, Sequence[float | None]],
    *,
    shades: Mapping[str, str],
    hover: str,
    text: str | None = None,
) -> go.Figure:
    """Add bars stacked by part; a part without a value leaves a gap, not a zero."""
    for name, values in parts.items():
        fig.add_bar(
            x=[label(item) if isinstance(item, str) else item for item in x],
            y=list(values),
            name=label(name),
            marker={
                "color": shades[name],
                "line": {"width": 0},
            },
            texttemplate=text,
            textposition="auto",
            textangle=0,
            hovertemplate=f"%{{fullData.name}}: {hover}<extra></extra>",
        )
    fig.update_layout(barmode="stack")
    highest = max((sum(filter(None, values)) for values in zip(*parts.values(), strict=True)), default=0)
    if (
        text is not None and highest
    ):  # room above the highest stack for a number that does not fit into its bar
        fig.update_yaxes(range=[0, highest * HEADROOM])
    return fig


def limit_line(fig: go.Figure, *, limit_ms: float = LIMIT_MS, vertical: bool = False) -> go.Figure:
    """The latency limit in seconds, named."""
    text = f"limit {limit_ms / 1000:g} s"
    drawn: dict[str, Any] = {
        "line": {"color": colours.LIMIT, "width": 1.5, "dash": "dash"},
        "annotation": {"text": text, "font": {"color": colours.LIMIT, "size": 12}},
    }
    if vertical:
        fig.add_vline(x=limit_ms / 1000, annotation_position="bottom right", **drawn)
    else:
        fig.add_hline(y=limit_ms / 1000, annotation_position="top left", **drawn)
    return fig


def seconds(values: Iterable[float | None]) -> list[float | None]:
    """Milliseconds as seconds; None stays None."""
    return [None if value is None else value / 1000 for value in values]


def moments(values: Iterable[datetime]) -> list[datetime]:
    """Aware moments as Plotly's UTC axis wants them."""
    return [value.replace(tzinfo=None) for value in values]
