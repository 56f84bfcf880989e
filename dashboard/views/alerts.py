"""Alerts: the state of each rule, its history, and its value against its threshold."""

from collections.abc import Sequence

import streamlit as st

from dashboard import charts, states
from dashboard.export import MOMENT, table
from dashboard.queries.alerts import AlertRow, alert_history
from dashboard.source import read
from dashboard.states import Card

STATES = {"firing": "firing", "resolved": "ok", "ok": "ok", "no_data": "no data"}
COLOURS = {"firing": "#dc2626", "resolved": "#16a34a", "ok": "#16a34a", "no_data": "#94a3b8"}
EVERY = "30s"


def main() -> None:
    """The page."""
    st.title("Alerts", anchor=False)
    st.caption(
        "What the rules found when they were last evaluated, in production unless a rule says otherwise. "
        "No data is shown as no data, never as zero. The filters do not apply here."
    )
    _body()


@st.fragment(run_every=EVERY)
def _body() -> None:
    found = read(alert_history)
    if not found:
        states.empty(
            "No rule has been evaluated on this store",
            "Four rules are built in: cost spike, API errors, fixtures in production, routing change.",
            "harness alerts check",
        )
        return
    latest: dict[str, AlertRow] = {}
    for row in found:
        latest.setdefault(row.rule, row)
    firing = [row for row in latest.values() if row.state == "firing"]
    if firing:
        st.error("Firing now:", icon=":material/notifications_active:")
        states.names(row.rule for row in firing)
    rules = sorted(latest.values(), key=lambda row: (row.state != "firing", row.rule))
    for start in range(0, len(rules), 4):
        states.cards([_card(row) for row in rules[start : start + 4]])
    for row in rules:
        _series(row.rule, [item for item in found if item.rule == row.rule])
    st.subheader("History", anchor=False)
    rows = [
        {
            "at": row.ts,
            "rule": row.rule,
            "state": STATES.get(row.state, row.state),
            "value": row.value,
            "threshold": row.threshold,
            "detail": row.detail,
        }
        for row in found
    ]
    table(rows, "alerts.csv", key="alerts-table", config={"at": MOMENT})


def _card(row: AlertRow) -> Card:
    value = "no data" if row.value is None else f"{row.value:,.4g}"
    limit = "" if row.threshold is None else f" · threshold {row.threshold:,.4g}"
    return Card(
        label=f"since {row.ts:%Y-%m-%d %H:%M} UTC",
        value=STATES.get(row.state, row.state),
        note=f"value {value}{limit}",
        name=row.rule,
    )


def _series(rule: str, rows: Sequence[AlertRow]) -> None:
    """The values at each change of state; between them nothing is claimed."""
    known = [row for row in rows if row.value is not None]
    if len(known) < 2:
        return
    fig = charts.figure(
        charts.label(rule),
        f"value at each change of state · n {len(known):,}",
        y="value",
        x="UTC",
        height=280,
    )
    fig.add_scatter(
        x=charts.moments(row.ts for row in known),
        y=[row.value for row in known],
        mode="markers+lines",
        line={"color": "#cbd5e1", "shape": "hv", "width": 1},
        marker={"size": 11, "color": [COLOURS.get(row.state, charts.INK) for row in known]},
        text=[STATES.get(row.state, row.state) for row in known],
        hovertemplate="%{text}: %{y:,.4g}<extra></extra>",
        showlegend=False,
    )
    if known[0].threshold is not None:
        fig.add_hline(
            y=known[0].threshold,
            line={"color": charts.LIMIT_COLOUR, "dash": "dash", "width": 1.5},
            annotation={
                "text": f"threshold {known[0].threshold:,.4g}",
                "font": {"color": charts.LIMIT_COLOUR},
            },
            annotation_position="top left",
        )
    charts.show(fig, key=f"alert-{rule}", file_name="alert", alt="Value of an alert rule over time")


main()
