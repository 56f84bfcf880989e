"""A stored decision graph as a picture: layers from left to right, labels as text."""

import html
import textwrap
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import orjson
import plotly.graph_objects as go

from dashboard.draw import charts

KIND_COLOURS = {
    "goal": "#0f766e",
    "decision": "#7c3aed",
    "option": "#2563eb",
    "outcome": "#0891b2",
    "risk": "#be185d",
    "action": "#7c6f64",
}
MOST_NODES = 60
_LINE = 20
_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Nodes (id, kind, label) and edges (from, to) of a graph that can be drawn."""

    nodes: tuple[tuple[str, str, str], ...]
    edges: tuple[tuple[str, str], ...]


def parse_graph(text: str) -> Drawing | None:
    """The graph in a stored text, bare or as `{"graph": ...}`; None when there is none to draw."""
    try:
        found: Any = orjson.loads(text)  # unlike json, it refuses deep nesting without a stack overflow
    except ValueError:
        return None
    if isinstance(found, dict) and isinstance(found.get("graph"), dict):
        found = found["graph"]
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), list):
        return None
    nodes = tuple(
        (str(node["id"]), str(node.get("kind", "")), str(node.get("label") or node.get("body") or node["id"]))
        for node in found["nodes"]
        if isinstance(node, dict) and "id" in node
    )[:MOST_NODES]
    known = {node[0] for node in nodes}
    edges = found.get("edges")
    pairs = tuple(
        (str(edge.get("from")), str(edge.get("to")))
        for edge in (edges if isinstance(edges, list) else [])
        if isinstance(edge, dict) and {str(edge.get("from")), str(edge.get("to"))} <= known
    )
    return Drawing(nodes=nodes, edges=pairs) if nodes else None


def graph_figure(drawing: Drawing) -> go.Figure:
    """The graph, roots on the left."""
    places = _places(drawing)
    tallest = max(
        sum(1 for x, _ in places.values() if x == layer) for layer in {x for x, _ in places.values()}
    )
    subtitle = f"n {len(drawing.nodes)} nodes, {len(drawing.edges)} edges"
    fig = charts.figure("Decision graph", subtitle, height=max(charts.HEIGHT, 150 + 95 * tallest))
    for start, stop in drawing.edges:
        (x0, y0), (x1, y1) = places[start], places[stop]
        fig.add_annotation(
            x=x1,
            y=y1,
            ax=x0,
            ay=y0,
            xref="x",
            yref="y",
            axref="x",
            ayref="y",
            text="",
            showarrow=True,
            arrowhead=2,
            arrowsize=1.2,
            arrowwidth=1.3,
            arrowcolor="#94a3b8",
            standoff=14,
            startstandoff=14,
        )
    for kind in dict.fromkeys(node[1] for node in drawing.nodes):
        shown = [node for node in drawing.nodes if node[1] == kind]
        fig.add_scatter(
            x=[places[node[0]][0] for node in shown],
            y=[places[node[0]][1] for node in shown],
            mode="markers+text",
            name=charts.label(kind or "unknown"),
            text=[_wrapped(node[2]) for node in shown],
            textposition="bottom center",
            textfont={"size": 12},
            marker={"size": 20, "color": KIND_COLOURS.get(kind, "#64748b")},
            hovertext=[html.escape(textwrap.fill(node[2][:400], 60)).replace("\n", "<br>") for node in shown],
            hoverinfo="text",
            cliponaxis=False,
        )
    fig.update_xaxes(visible=False, range=[-0.6, max(x for x, _ in places.values()) + 0.6])
    fig.update_yaxes(visible=False, rangemode="normal", range=[-tallest / 2 - 0.3, tallest / 2 + 0.3])
    fig.update_layout(hovermode="closest", showlegend=True)
    return fig


def _places(drawing: Drawing) -> dict[str, tuple[float, float]]:
    """Longest path from a root gives the layer; a cycle stops it at the number of nodes."""
    layer = dict.fromkeys((node[0] for node in drawing.nodes), 0)
    for _ in layer:
        for start, stop in drawing.edges:
            layer[stop] = max(layer[stop], min(layer[start] + 1, len(layer) - 1))
    columns: dict[int, list[str]] = defaultdict(list)
    for name, number in layer.items():
        columns[number].append(name)
    order = {number: place for place, number in enumerate(sorted(columns))}
    return {
        name: (float(order[number]), (len(names) - 1) / 2 - row)
        for number, names in columns.items()
        for row, name in enumerate(names)
    }


def _wrapped(text: str) -> str:
    lines = textwrap.wrap(text, _LINE) or [""]
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], f"{lines[_LINES - 1][: _LINE - 1]}…"]
    return "<br>".join(html.escape(line) for line in lines)
