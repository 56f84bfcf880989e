"""Cost: over time, draft and repair apart by provider, per request, and a month's forecast."""

import plotly.graph_objects as go
import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.money import cost_by_role, cost_table, per_hour_note
from dashboard.draw.overtime import cost_over_time as draw_cost
from dashboard.frame import states
from dashboard.frame.context import begin
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.frame.states import Card
from dashboard.queries.cost import Money, forecast, money
from dashboard.queries.costdetail import (
    QUANTILES,
    CostDistribution,
    cost_distribution,
    cost_over_time,
)
from harness.figures.spending import Spending

DEFAULT_VOLUME = 100_000


def main() -> None:
    """The page."""
    subject = begin("Cost")
    if subject is None:
        return
    scope = subject.scope
    spent = read(money, scope)
    states.unpriced_banner(spent.sums.unpriced_calls)
    spread = read(cost_distribution, scope)
    _cards(spent, spread)
    _forecast(scope)
    left, right = st.columns(2)
    with left:
        draw_cost(read(cost_over_time, scope), key="cost-time")
    with right:
        cost_by_role(spent.sums, key="cost-roles")
    _histogram(spread)
    cost_table(spent.sums, key="cost-rows")


def _cards(spent: Money, spread: CostDistribution) -> None:
    sums = spent.sums
    judge = "" if sums.judge_usd is None else f" · judges {labels.usd(sums.judge_usd)} apart"
    states.cards(
        [
            Card(
                label="Total cost",
                value=labels.usd(sums.total_usd),
                note=(sums.exclusion or f"n {sum(r.calls for r in sums.rows if r.role != 'judge'):,} calls")
                + judge,
                help="Sum over all attempts, failed and retried ones included; warm-ups are left out.",
            ),
            Card(label="Draft", value=labels.usd(sums.draft_usd), note=_calls(sums, "draft")),
            Card(label="Repair", value=labels.usd(sums.repair_usd), note=_calls(sums, "repair")),
            Card(
                label="Cost per hour",
                value=labels.usd(spent.per_hour_usd),
                note=per_hour_note(spent),
                help="Total divided by the time between first and last arrival of each run.",
            ),
        ]
    )
    quantiles = [
        Card(label=f"Cost per request, p{q * 100:g}", value=labels.usd(value), note=f"n {spread.n:,}")
        for q, value in zip(QUANTILES, spread.quantiles_usd, strict=True)
    ]
    mean = Card(
        label="Cost per request, mean",
        value=labels.usd(sums.per_request_usd),
        note=labels.usd_note(spent.per_request),
        help="Over requests with a known cost.",
    )
    states.cards([mean, *quantiles])


def _calls(spent: Spending, role: str) -> str:
    rows = [row for row in spent.rows if row.role == role]
    failed = sum(row.failed_calls for row in rows)
    return f"n {sum(row.calls for row in rows):,} calls" + (f", {failed:,} failed" if failed else "")


def _forecast(scope: Scope) -> None:
    st.subheader("A month at your volume", anchor=False)
    volume = st.number_input(
        "Requests a month",
        min_value=1,
        max_value=10**10,
        value=DEFAULT_VOLUME,
        step=10_000,
        key="volume",
        bind="query-params",
        width=260,
    )
    found = read(forecast, scope, int(volume))
    if found.cost_usd is None:
        st.caption("No request has a known cost, so there is nothing to forecast from.")
        return
    interval = (
        f"95% {labels.usd(found.low_usd)} to {labels.usd(found.high_usd)}"
        if found.low_usd is not None
        else "no interval from a single request"
    )
    left_out = f" · {found.unknown:,} requests of unknown cost left out" if found.unknown else ""
    states.cards(
        [
            Card(
                label="Monthly cost",
                value=labels.usd(found.cost_usd),
                note=f"{interval} · n {found.n:,}{left_out}",
                help="Mean cost per request times the volume; supposes requests like these.",
            ),
            Card(label="of it draft", value=labels.usd(found.draft_usd)),
            Card(label="of it repair", value=labels.usd(found.repair_usd)),
        ]
    )


def _histogram(spread: CostDistribution) -> None:
    unknown = f" · {spread.unknown:,} of unknown cost left out" if spread.unknown else ""
    fig = charts.figure(
        "Cost per request",
        f"requests by cost in USD and draft provider · n {spread.n:,}{unknown}",
        y="requests",
        x="USD per request",
    )
    for provider in sorted({row[2] for row in spread.bins}):
        bins = [row for row in spread.bins if row[2] == provider]
        fig.add_bar(
            x=[(low + high) / 2 for low, high, _, _ in bins],
            y=[count for _, _, _, count in bins],
            width=[high - low for low, high, _, _ in bins],
            name=charts.label(provider),
            marker={"color": colours.provider_colour(provider), "line": {"width": 0}},
            customdata=[f"${low:.6f} to ${high:.6f}" for low, high, _, _ in bins],
            hovertemplate="%{customdata}: %{y:,}<extra></extra>",
        )
    fig.update_layout(barmode="stack", hovermode="closest", showlegend=True)
    fig.update_xaxes(tickprefix="$", tickformat=",.4f")
    _headroom(fig, spread)
    for name, value in zip(("median", "p95"), spread.quantiles_usd, strict=False):
        if value is not None:
            fig.add_vline(
                x=value,
                line={"color": colours.ink(), "width": 1.5, "dash": "dot"},
                annotation={"text": f"{name} ${value:.4f}", "font": {"size": 12}},
                annotation_position="top right",
            )
    charts.show(fig, key="cost-histogram", file_name="cost-per-request", alt="Cost per request")


def _headroom(fig: go.Figure, spread: CostDistribution) -> None:
    """Room above the bars for the names of the lines."""
    heights: dict[float, int] = {}
    for low, _, _, count in spread.bins:
        heights[low] = heights.get(low, 0) + count
    fig.update_yaxes(range=[0, max(heights.values(), default=1) * 1.2])


main()
