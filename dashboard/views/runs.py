"""Runs: the list, the gate's verdicts over time, two runs side by side, and failures grouped."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.export import MOMENT, table
from dashboard.frame import states
from dashboard.frame.context import frame, not_found
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.queries.facets import RunFacet
from dashboard.queries.latency import latency_figures
from dashboard.queries.runs import (
    Verdict,
    attempt_errors,
    error_groups,
    gate_history,
    run_list,
    side_by_side,
)
from harness.figures.declaration import Unit
from harness.figures.differences import Difference, Differences
from harness.report.differences import difference_head, difference_rows

VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE")


def main() -> None:
    """The page."""
    st.title("Runs", anchor=False)
    found = read(run_list)
    if not found:
        states.empty("Nothing recorded yet", "This store holds no run with a request.", "harness demo")
        return
    st.caption(
        f"{labels.count(len(found), 'run')}, latest first, of all kinds and modes; nothing is summed here."
    )
    table(found, "runs.csv", key="runs-table", config=_RUN_COLUMNS)
    _gate(read(gate_history))
    _compare()
    _errors()


def _gate(found: Sequence[Verdict]) -> None:
    st.subheader("Gate history", anchor=False)
    if not found:
        st.caption("No run was gated yet.")
        st.code("harness gate", language="console")
        return
    shown = [verdict for verdict in found if verdict.p95_ms is not None]
    fig = charts.figure("p95 at each verdict", f"seconds · n {len(shown):,} verdicts", y="s", x="UTC")
    for verdict in VERDICTS:
        rows = [row for row in shown if row.verdict == verdict]
        if rows:
            fig.add_scatter(
                x=charts.moments(row.ts for row in rows),
                y=charts.seconds(row.p95_ms for row in rows),
                mode="markers",
                name=verdict,
                marker={"size": 12, "color": colours.STATUS[verdict]},
                text=[charts.label(row.run_name) for row in rows],
                hovertemplate="%{text}: %{y:.3f} s<extra></extra>",
            )
    limits = {row.limit_ms for row in shown if row.limit_ms is not None}
    if len(limits) == 1:
        charts.limit_line(fig, limit_ms=limits.pop())
    fig.update_layout(hovermode="closest", showlegend=True)
    if shown:
        charts.show(fig, key="gate-history", file_name="gate-history", alt="p95 at each gate verdict")
    rows_shown = [
        {
            "verdict": row.verdict,
            "run": row.run_name,
            "at": row.ts,
            "p95 (ms)": row.p95_ms,
            "limit (ms)": row.limit_ms,
            "n": row.n,
            "why": " ".join(row.sentences),
        }
        for row in found
    ]
    table(rows_shown, "gate-history.csv", key="gate-table", config=_GATE_COLUMNS)


def _compare() -> None:
    st.subheader("Two runs side by side", anchor=False)
    facets = frame().facets
    with_requests = {facet.run_id for facet in facets.facets}
    runs = [run for run in facets.runs if run.run_id in with_requests]
    options = [facets.label_of(run) for run in runs]
    left, right = st.columns(2)
    chosen = [
        column.selectbox(
            label,
            options,
            index=None,
            key=key,
            placeholder="choose a run",
            accept_new_options=True,
            bind="query-params",
        )
        for column, label, key in ((left, "A", "a"), (right, "B, held against A", "b"))
    ]
    picked = [_run(runs, name) for name in chosen]
    for name, run in zip(chosen, picked, strict=True):
        if name and run is None:
            with states.warned("No such run"):
                st.text(f"run: {name} (not found)")
    first, second = picked
    if first is None or second is None:
        st.caption("Differences B - A of latency, errors, cost and quality, each with its 95% interval.")
        return
    found = read(side_by_side, first.run_id, second.run_id)
    said = [*(found.comparable.latency,), *found.comparable.cautions]
    if found.modes[0] != "live":
        said.append(f"both were answered by {found.modes[0]} providers")
    if found.comparable.refused is not None or found.found is None:
        st.warning("These two are not compared: their figures would say nothing of one another.")
        st.text(found.comparable.refused or "")
        return
    states.names(line for line in said if line is not None)
    _differences(found.found)


def _run(runs: Sequence[RunFacet], name: str | None) -> RunFacet | None:
    return next((run for run in runs if name and name in (run.run_id, run.name)), None)


def _differences(found: Differences) -> None:
    rows = [dict(zip(difference_head(), row, strict=True)) for row in difference_rows(found)]
    table(rows, "comparison.csv", key="compare-table")
    latencies = [one for one in found.found if one.figure.unit is Unit.MS]
    shown = [one for one in latencies if one.shift.change.value is not None]
    if not shown:
        return
    fig = charts.figure(
        "Change of latency, B - A", "seconds, 95% intervals; right of zero is slower", x="s", height=300
    )
    fig.add_scatter(
        x=charts.seconds(one.shift.change.value for one in shown),
        y=[one.figure.title for one in shown],
        mode="markers",
        marker={"size": 12, "color": [_meaning_colour(one) for one in shown]},
        error_x=charts.estimate_bars([one.shift.change for one in shown], 0.001),
        hovertemplate="%{y}: %{x:+.3f} s<extra></extra>",
    )
    fig.add_vline(x=0, line={"color": colours.ink(), "width": 1})
    fig.update_xaxes(rangemode="normal")
    fig.update_yaxes(autorange="reversed")
    fig.update_layout(hovermode="closest")
    charts.show(fig, key="compare-latency", file_name="comparison", alt="Change of latency percentiles")


def _meaning_colour(found: Difference) -> str:
    if found.worse:
        return colours.BAD
    return colours.GOOD if found.better else colours.ink()


def _errors() -> None:
    st.subheader("Failures, grouped", anchor=False)
    chosen = frame().selection
    if chosen.scope is None:
        not_found(chosen)
        return
    scope: Scope = chosen.scope
    st.caption(f"Of {scope.kind} runs answered by {scope.mode} providers, as filtered in the sidebar.")
    groups = read(error_groups, scope)
    if groups:
        st.caption(f"Failed requests, n {sum(group['failed'] for group in groups):,}.")
        table(groups, "errors.csv", key="errors-table", config=_ERROR_COLUMNS)
    else:
        n = sum(group.n for group in read(latency_figures, scope).groups)
        st.caption(f"No failed request among {n:,}.")
    attempts: list[dict[str, Any]] = read(attempt_errors, scope)
    if attempts:
        st.caption(
            f"Failed attempts, n {sum(row['failed'] for row in attempts):,}; a retry may have made good."
        )
        table(attempts, "attempt-errors.csv", key="attempt-errors", config=_ERROR_COLUMNS)


_RUN_COLUMNS = {
    "name": st.column_config.TextColumn(width="medium"),
    "started_at": st.column_config.DatetimeColumn("started (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
    "seconds": st.column_config.NumberColumn("lasted (s)"),
    "run_id": "run id",
}
_GATE_COLUMNS = {
    "at": MOMENT,
    "p95 (ms)": st.column_config.NumberColumn(format="%.1f"),
    "limit (ms)": st.column_config.NumberColumn(format="%.1f"),
}
_ERROR_COLUMNS = {
    "error_kind": "kind",
    "http_status": "HTTP",
    "first_at": st.column_config.DatetimeColumn("first (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"),
    "last_at": st.column_config.DatetimeColumn("last (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"),
}

main()
