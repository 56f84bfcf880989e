"""Overview: is it fast enough, what does it cost, how good is it, in one look."""

from decimal import Decimal

import streamlit as st

from dashboard.draw import charts, labels
from dashboard.draw.money import cost_by_role, cost_table
from dashboard.frame import states
from dashboard.frame.context import begin
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.frame.states import Card
from dashboard.queries.cost import Money, money
from dashboard.queries.latency import FIGURES, GroupLatency, latency_figures
from dashboard.queries.overview import (
    LastGate,
    Shares,
    last_gate,
    saving,
)
from harness.figures.saving import RouteSaving
from harness.report.wording import UNKNOWN


def main() -> None:
    """The page."""
    subject = begin("Overview")
    if subject is None:
        return
    scope, share = subject.scope, subject.shares
    # read before anything is drawn: the snapshot is held no longer than the queries take
    spent, latency = read(money, scope), read(latency_figures, scope)
    saved, gate = read(saving, scope), read(last_gate, scope)
    states.unpriced_banner(spent.sums.unpriced_calls)
    _latency_cards(latency.groups[0], latency.source, share)
    _money_cards(spent, saved, scope)
    _quality_cards(share, gate)
    if saved.actual_usd is None or saved.single_provider_usd is None:  # no gap where no chart can be
        left, right = st.columns(2)
    else:
        left, middle, right = st.columns(3)
        with middle:
            _saving_chart(saved.requests, saved.actual_usd, saved.single_provider_usd)
    with left:
        cost_by_role(spent.sums, key="overview-cost")
    with right:
        _tier_chart(share)
    cost_table(spent.sums, key="overview-cost-rows")


def _latency_cards(all_of_it: GroupLatency, source: str | None, share: Shares) -> None:
    clock = "client, from the intended start" if source == "client" else "server's own"
    cards = [
        Card(
            label=figure.title.capitalize(),
            value=labels.percentile(found),
            note=labels.percentile_note(found),
            help=f"Milliseconds, {clock} clock. Failures rank above every success.",
        )
        for figure, found in zip(FIGURES, all_of_it.quantiles, strict=True)
    ]
    errors = Card(
        label="Error ratio",
        value=labels.percent(share.errors.value, 2),
        note=labels.ratio_note(share.errors),
        help="Errors, timeouts and refusals among all requests.",
    )
    states.cards([*cards, errors])


def _money_cards(spent: Money, saved: RouteSaving, scope: Scope) -> None:
    states.cards(
        [
            Card(
                label="Cost per request",
                value=labels.usd(spent.sums.per_request_usd, 6),
                note=labels.usd_note(spent.per_request),
                help="Mean over requests with a known cost.",
            ),
            Card(
                label="Cost per hour",
                value=labels.usd(spent.per_hour_usd),
                note="at the rate in which requests arrived",
                help="Total divided by the time between first and last arrival of each run.",
            ),
            Card(
                label="Total cost",
                value=labels.usd(spent.sums.total_usd, 4),
                note=spent.sums.exclusion
                or f"draft {labels.usd(spent.sums.draft_usd, 4)} · "
                f"repair {labels.usd(spent.sums.repair_usd, 4)}",
                help="Sum over all attempts, failed and retried ones included; warm-ups are left out.",
            ),
            Card(
                label="Saved by the hybrid route",
                value=labels.percent(saved.saving_ratio) if saved.reason is None else UNKNOWN,
                note=saved.reason or f"n {saved.requests:,}",
                help="Against the same recorded tokens with the repairs at the draft model's price too"
                + (" (emulated tokens)." if scope.mode == "emulated" else "."),
            ),
        ]
    )


def _quality_cards(share: Shares, gate: LastGate | None) -> None:
    states.cards(
        [
            Card(
                label="High quality tier",
                value=labels.percent(share.high.value),
                note=labels.ratio_note(share.high)
                + (f" · {share.ungraded:,} ungraded" if share.ungraded else ""),
            ),
            Card(
                label="Mixed providers",
                value=labels.percent(share.mixed.value),
                note=labels.ratio_note(share.mixed),
                help="Requests whose draft and repair came from different providers.",
            ),
            Card(
                label="Prompt cache hits",
                value=labels.percent(share.cache_hit.value),
                note=labels.ratio_note(share.cache_hit),
            ),
            Card(
                label="Gate",
                value=gate.verdict if gate else "not gated",
                note=f"{labels.moment(gate.ts)}" if gate else "run: harness gate",
                help="The latest verdict among these runs.",
            ),
        ]
    )


def _saving_chart(requests: int, actual_usd: Decimal, single_provider_usd: Decimal) -> None:
    fig = charts.figure(
        "Hybrid route against one provider", f"USD, same tokens re-priced · n {requests:,}", y="USD"
    )
    fig.add_bar(
        x=["as routed", "draft model alone"],
        y=[float(actual_usd), float(single_provider_usd)],
        marker_color=["#0f766e", "#94a3b8"],
        texttemplate="$%{y:.4f}",
        hovertemplate="$%{y:.4f}<extra></extra>",
    )
    charts.show(
        fig, key="overview-saving", file_name="hybrid-saving", alt="Cost as routed and at one provider"
    )


def _tier_chart(share: Shares) -> None:
    parts = {**share.tiers, "ungraded": share.ungraded}
    shown = {name: n for name, n in parts.items() if n or name != "ungraded"}
    fig = charts.figure("Quality tiers", f"answered requests · n {sum(parts.values()):,}", y="requests")
    fig.add_bar(
        x=list(shown),
        y=list(shown.values()),
        marker_color=[charts.TIER_COLOURS[name] for name in shown],
        texttemplate="%{y:,}",
        hovertemplate="%{x}: %{y:,}<extra></extra>",
    )
    charts.show(fig, key="overview-tiers", file_name="quality-tiers", alt="Requests by quality tier")


main()
