"""One request, looked at: its grades, attempts, and what was stored of its text. Text is only ever text."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.export import request_table, table
from dashboard.draw.graphs import graph_figure, parse_graph
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.queries.request import RequestDetail, request_detail

MOST_CHARACTERS = 8_000


def request_view(scope: Scope, request_id: str) -> None:
    """Everything stored about one request of the selection."""
    found = read(request_detail, scope, request_id)
    if found is None:
        st.warning("No such request among the selected ones.")
        st.text(f"request: {request_id} (not found)")
        return
    _facts(found)
    if found.grades:
        st.caption("Grades")
        table(found.grades, "grades.csv", key="detail-grades")
    if found.calls:
        _waterfall(found.calls)
        st.caption("Attempts")
        table(found.calls, "attempts.csv", key="detail-calls")
    _contents(found)
    if found.siblings:
        st.caption("Other answers to the same case; click a row to look at one.")
        request_table(found.siblings, "same-case.csv", key="detail-siblings")


def _waterfall(calls: Sequence[dict[str, Any]]) -> None:
    """When each attempt began, its first token, and its end."""
    names = [f"{call['role']} {call['attempt']}: {charts.label(call['model'])}" for call in calls]
    fig = charts.figure(
        "Attempts in time",
        f"seconds from the first attempt's start · n {len(calls):,} attempts",
        x="s",
        height=180 + 44 * len(calls),
    )
    for name, column in (("to the end", "latency_ms"), ("to the first token", "ttft_ms")):
        fig.add_bar(
            y=names,
            x=[None if call[column] is None else call[column] / 1000 for call in calls],
            base=[call["after_ms"] / 1000 for call in calls],
            orientation="h",
            name=name,
            marker={
                "color": [
                    colours.BAD if call["outcome"] != "ok" else colours.provider_colour(call["provider"])
                    for call in calls
                ],
                "opacity": 0.4 if column == "latency_ms" else 1.0,
                "line": {"width": 0},
            },
            hovertemplate=f"{name}: %{{x:.3f}} s<extra></extra>",
        )
    fig.update_layout(barmode="overlay", hovermode="y unified", showlegend=True)
    fig.update_yaxes(autorange="reversed")
    charts.show(fig, key="detail-waterfall", file_name="attempts", alt="Attempts of the request in time")


def _facts(found: RequestDetail) -> None:
    row = found.row
    lines = [
        f"request   {row['request_id']}",
        f"run       {row['run_id']}",
        f"case      {row['case_id'] or '-'}",
        f"strategy  {row['strategy'] or '-'}",
        f"status    {row['status']}" + (f", {row['error_kind']}" if row["error_kind"] else ""),
        f"tier      {row['quality_tier'] or '-'}, score {labels.score(row['quality_score'])}",
        f"latency   {labels.duration(row['latency_ms'])}, server {labels.duration(row['server_ms'])}",
        f"cost      {labels.usd(row['cost_usd'])}",
    ]
    told = ("fallback_reason", "error_message")
    lines += [f"{name.replace('_', ' ')}  {row[name]}" for name in told if row[name]]
    st.code("\n".join(lines), language=None, wrap_lines=True)


def _contents(found: RequestDetail) -> None:
    if not found.contents:
        st.caption("Prompts and outputs were not stored; they are only when asked for.")
        return
    for number, item in enumerate(found.contents):
        drawing = parse_graph(item["text"])
        if drawing is not None:
            charts.show(
                graph_figure(drawing), key=f"graph-{number}", file_name="graph", alt="The decision graph"
            )
        st.caption(f"Stored {_KINDS.get(item['kind'], 'text')}")
        st.code(item["text"][:MOST_CHARACTERS], language=None, wrap_lines=True)


_KINDS = {
    "prompt": "prompt",
    "output": "output",
    "brief": "brief",
    "graph": "graph",
    "answer": "answer, kept for its judges",
}
