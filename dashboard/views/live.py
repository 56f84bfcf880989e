"""Live: the baseline or evaluation that runs now, refreshed every two seconds."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.frame import states
from dashboard.frame.scope import Scope
from dashboard.frame.source import one_view, read
from dashboard.frame.states import Card
from dashboard.queries.cost import money
from dashboard.queries.latency import FIGURES, latency_figures
from dashboard.queries.live import LiveRun, latest_points, live_run
from dashboard.queries.overview import shares

EVERY = "2s"


def main() -> None:
    """The page."""
    st.title("Live", anchor=False)
    _body()


@st.fragment(run_every=EVERY)
def _body() -> None:
    with one_view():
        _watch()


def _watch() -> None:
    run = read(live_run)
    if run is None:
        states.empty(
            "Nothing runs",
            "A baseline or an evaluation that is started on this store appears here by itself.",
            "harness baseline --rps 10 --duration 60",
        )
        return
    going = run.status == "running"
    said = "Running now, refreshed every 2 seconds." if going else "Nothing runs now; this is the latest run."
    st.caption(f"{said} The filters do not apply here.")
    st.text(f"{run.name}  ({run.kind}, {run.status})" + (f"  {run.target}" if run.target else ""))
    scope = Scope(kind=run.kind, mode=run.mode, run_ids=(run.run_id,))
    states.mode_banner(scope)
    _progress(run)
    if not run.finished:
        st.caption("No answer yet.")
        return
    if run.other_modes:
        st.warning(f"{run.other_modes:,} requests of another provider mode are not in these figures.")
    _figures(scope)
    latency = read(latency_figures, scope)
    if latency.source is not None:
        _points(read(latest_points, scope))


def _progress(run: LiveRun) -> None:
    if run.planned:
        share = min(1.0, run.finished / run.planned)
        st.progress(share, text=f"{run.finished:,} of {run.planned:,} planned requests finished")
    else:
        st.caption(f"{run.finished:,} requests finished")


def _figures(scope: Scope) -> None:
    share, spent, latency = read(shares, scope), read(money, scope), read(latency_figures, scope)
    found = latency.groups[0]
    cards = [
        Card(
            label=figure.title.capitalize(),
            value=labels.percentile(value),
            note=labels.percentile_note(value),
        )
        for figure, value in zip(FIGURES, found.quantiles, strict=True)
    ]
    errors = Card(
        label="Error ratio", value=labels.percent(share.errors.value, 2), note=labels.ratio_note(share.errors)
    )
    states.cards([*cards, errors])
    high = Card(
        label="High quality tier", value=labels.percent(share.high.value), note=labels.ratio_note(share.high)
    )
    total = Card(
        label="Spent",
        value=labels.usd(spent.sums.total_usd),
        note=spent.sums.exclusion or f"n {share.requests:,}",
    )
    mean = Card(
        label="Cost per request",
        value=labels.usd(spent.sums.per_request_usd),
        note=labels.usd_note(spent.per_request),
    )
    states.cards([total, mean, high])


def _points(rows: Sequence[dict[str, Any]]) -> None:
    fig = charts.figure(
        "Latest answers", f"seconds, one point an answer · n {len(rows):,}", y="s", x="arrived, UTC"
    )
    groups = {
        "high": "high tier",
        "medium": "medium tier",
        "low": "low tier",
        "ungraded": "ungraded",
    }
    for tier, name in groups.items():
        shown = [
            r for r in rows if r["status"] == "ok" and (r["quality_tier"] or "ungraded") == tier and r["ms"]
        ]
        if shown:
            fig.add_scattergl(
                x=charts.moments(row["arrived_at"] for row in shown),
                y=charts.seconds(row["ms"] for row in shown),
                mode="markers",
                name=name,
                marker={"size": 7, "color": colours.TIERS[tier]},
                hovertemplate=f"{name}: %{{y:.3f}} s<extra></extra>",
            )
    failed = [row for row in rows if row["status"] != "ok"]
    if failed:
        fig.add_scatter(
            x=charts.moments(row["arrived_at"] for row in failed),
            y=[0] * len(failed),
            mode="markers",
            name=f"failed ({len(failed):,})",
            marker={"size": 9, "symbol": "x", "color": colours.BAD},
            hovertemplate="failed<extra></extra>",
        )
    charts.limit_line(fig)
    fig.update_layout(hovermode="closest", showlegend=True)
    charts.show(fig, key="live-points", file_name="latest-answers", alt="Latency of the latest answers")


main()
