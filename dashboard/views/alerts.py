"""Alerts: the state of each rule, its series against its threshold, and what changed when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.export import MOMENT, table
from dashboard.frame import states
from dashboard.frame.source import one_view, read
from dashboard.frame.states import Card
from dashboard.queries.alerts import (
    AlertRow,
    alert_history,
    alert_series,
    alert_states,
    latest_alertable,
    rules_in_force,
)
from harness.alerts.check import ShownState
from harness.alerts.evaluate import RuleState
from harness.alerts.rule import Rule

STATES = {"firing": "firing", "resolved": "ok, resolved", "ok": "ok", "no_data": "no data"}
EVERY = "30s"
SPANS = {"6 hours": timedelta(hours=6), "24 hours": timedelta(days=1), "7 days": timedelta(days=7)}


def main() -> None:
    """The page."""
    st.title("Alerts", anchor=False)
    st.caption(
        "Evaluated on this store by the rules of `harness alerts`; refreshed every 30 seconds. Rules look at "
        "production unless they say otherwise; the filters do not apply here. No data is never read as zero."
    )
    left, right, _ = st.columns([1, 1, 2])
    span = left.selectbox("Show", list(SPANS), index=1, key="span", bind="query-params")
    until = right.selectbox("Up to", ("now", "the last request"), key="upto", bind="query-params")
    _body(SPANS[span], until_last=until == "the last request")


@st.fragment(run_every=EVERY)
def _body(span: timedelta, *, until_last: bool) -> None:
    with one_view():
        _rules(span, until_last=until_last)


def _rules(span: timedelta, *, until_last: bool) -> None:
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    if until_last:
        latest = read(latest_alertable)
        end = end if latest is None else latest + timedelta(seconds=1)
    known = rules_in_force()
    if known.problems:
        st.warning("A rule cannot be read; the others are evaluated.")
        states.names(known.problems)
    found = read(alert_states, end, known.rules)
    firing = [shown for shown in found if shown.state == "firing"]
    if firing:
        with states.warned(
            f"{labels.count(len(firing), 'alert')} firing", icon=":material/notifications_active:"
        ):
            states.names(f"{shown.found.rule.title}: {shown.found.rule.message}" for shown in firing)
    order = sorted(found, key=lambda shown: (shown.state != "firing", shown.found.rule.name))
    for start in range(0, len(order), 4):
        states.cards([_card(shown) for shown in order[start : start + 4]])
    columns = st.columns(2)
    for number, rule in enumerate(known.rules):
        with columns[number % 2]:
            _series(rule, read(alert_series, rule, end, span))
    _history(read(alert_history))


def _card(shown: ShownState) -> Card:
    found, rule = shown.found, shown.found.rule
    since = f" · since {labels.moment(shown.since)}" if shown.since else ""
    group = f" ({found.group})" if found.group is not None else ""
    return Card(
        label=f"{rule.severity}, {_window(rule)}",
        value=STATES.get(shown.state, shown.state),
        note=f"{rule.shown(found.value)}, limit {rule.shown(rule.threshold)} · n {found.n:,}{since}"
        + (f" · {found.note}" if found.note else ""),
        name=f"{rule.title}{group}",
    )


def _window(rule: Rule) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if rule.window_s % size == 0:
            return f"over {rule.window_s // size} {unit}"
    return f"over {rule.window_s} s"


def _series(rule: Rule, found: Sequence[RuleState]) -> None:
    known = [state for state in found if state.value is not None]
    fig = charts.figure(
        charts.label(rule.title),
        f"{_unit(rule)}, {_window(rule)} · {len(known):,} of {len(found):,} points have data",
        y=_unit(rule),
        x="UTC",
        height=300,
    )
    for group in dict.fromkeys(state.group for state in found):
        # None leaves a gap: silence is drawn as silence
        rows = [state for state in found if state.group == group]
        fig.add_scatter(
            x=charts.moments(state.at for state in rows),
            y=[state.value for state in rows],
            mode="lines+markers",
            name=charts.label(group or rule.name),
            line={"color": colours.NONE, "width": 1.5},
            marker={"size": 6, "color": [colours.STATUS[state.state] for state in rows]},
            text=[f"{rule.shown(state.value)}, n {state.n:,}" for state in rows],
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        )
    for threshold in (rule.threshold, -rule.threshold) if rule.direction == "either" else (rule.threshold,):
        fig.add_hline(
            y=threshold,
            line={"color": colours.LIMIT, "dash": "dash", "width": 1.5},
            annotation={"text": f"limit {rule.shown(threshold)}", "font": {"color": colours.LIMIT}},
            annotation_position="top left",
        )
    fig.update_xaxes(range=[charts.moments([found[0].at])[0], charts.moments([found[-1].at])[0]])
    if rule.compare == "change":
        fig.update_yaxes(rangemode="normal")
    charts.show(fig, key=f"alert-{rule.name}", file_name=f"alert-{rule.name}", alt=f"Values of {rule.name}")


def _unit(rule: Rule) -> str:
    if rule.aggregation == "ratio":
        return "ratio"
    per = " per hour" if rule.aggregation == "per_hour" else ""
    if rule.metric.endswith("_usd"):
        return f"USD{per}"
    return (
        "ms" if rule.metric == "latency_ms" else "score" if rule.metric == "quality_score" else "requests"
    ) + per


def _history(found: Sequence[AlertRow]) -> None:
    st.subheader("Recorded changes", anchor=False)
    if not found:
        st.caption("None. `harness alerts check` or `harness alerts watch` records and tells them.")
        return
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


main()
