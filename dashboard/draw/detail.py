"""One request, looked at: its grades, attempts, and what was stored of its text. Text is only ever text."""

import streamlit as st

from dashboard.draw import charts, labels
from dashboard.draw.export import table
from dashboard.draw.graphs import graph_figure, parse_graph
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.queries.quality import RequestDetail, request_detail

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
        st.caption("Attempts")
        table(found.calls, "attempts.csv", key="detail-calls")
    _contents(found)


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
