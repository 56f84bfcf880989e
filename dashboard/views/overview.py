"""Overview: is it fast enough, what does it cost, how good is it, in one look."""

import streamlit as st

from dashboard import charts, labels, states
from dashboard.context import begin, scope_line
from dashboard.export import table
from dashboard.queries.cost import Money, money
from dashboard.queries.latency import GroupLatency, latency_figures
from dashboard.queries.overview import (
    LastGate,
    Saving,
    Shares,
    last_gate,
    run_states,
    saving,
    shares,
)
from dashboard.scope import Scope
from dashboard.source import read
from dashboard.states import Card
from harness.report.wording import UNKNOWN


def main() -> None:
    """The page."""
    scope = begin("Overview")
    if scope is None:
        return
    share = read(shares, scope)
    if not share.requests:
        states.empty("No requests", "No request fits these filters. Widen them in the sidebar.")
        return
    spent = read(money, scope)
    scope_line(scope, share.requests, share.runs)
    states.mode_banner(scope)
    states.run_banners(read(run_states, scope), spent.unpriced_calls)
    latency = read(latency_figures, scope)
    _latency_cards(latency.groups[0], latency.source, share)
    saved = read(saving, scope)
    _money_cards(spent, saved, scope)
    _quality_cards(share, read(last_gate, scope))
    left, middle, right = st.columns(3)
    with left:
        _cost_chart(spent)
    with middle:
        _saving_chart(saved)
    with right:
        _tier_chart(share)
    _cost_table(spent)


def _latency_cards(all_of_it: GroupLatency, source: str | None, share: Shares) -> None:
    clock = "client, from the intended start" if source == "client" else "server's own"
    found = [
        Card(
            label=f"Latency {figure.name}",
            value=labels.quantile(figure),
            note=labels.quantile_note(figure, interval),
            help=f"Milliseconds, {clock} clock. Failures rank above every success.",
        )
        for figure, interval in zip(all_of_it.quantiles, all_of_it.intervals, strict=True)
    ]
    errors = Card(
        label="Error ratio",
        value=labels.percent(share.errors.value, 2),
        note=labels.ratio_note(share.errors),
        help="Errors, timeouts and refusals among all requests.",
    )
    states.cards([*found, errors])


def _money_cards(spent: Money, saved: Saving, scope: Scope) -> None:
    figures = saved.figures
    note = figures.reason or f"n {figures.requests:,}" + (
        f" · the latest of {figures.requests + saved.left_out:,}" if saved.left_out else ""
    )
    states.cards(
        [
            Card(
                label="Cost per request",
                value=labels.usd(spent.per_request_usd, 6),
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
                value=labels.usd(spent.total_usd, 4),
                note=spent.exclusion
                or f"draft {labels.usd(spent.draft_usd, 4)} · repair {labels.usd(spent.repair_usd, 4)}",
                help="Sum over all attempts, failed and retried ones included; warm-ups are left out.",
            ),
            Card(
                label="Saved by the hybrid route",
                value=labels.percent(figures.saving_ratio) if figures.reason is None else UNKNOWN,
                note=note,
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


def _cost_chart(spent: Money) -> None:
    rows = [row for row in spent.rows if row.cost_usd is not None]
    roles = [role for role in ("draft", "repair", "suggest", "judge") if any(r.role == role for r in rows)]
    providers = sorted({row.provider for row in rows})
    parts = {
        provider: [
            sum(float(r.cost_usd or 0) for r in rows if (r.provider, r.role) == (provider, role)) or None
            for role in roles
        ]
        for provider in providers
    }
    calls = sum(row.calls - row.unpriced_calls for row in rows)
    fig = charts.figure("Cost by provider and role", f"USD · n {calls:,} calls", y="USD")
    colours = {provider: charts.provider_colour(provider) for provider in providers}
    charts.stacked_bars(fig, roles, parts, colours=colours, hover="$%{y:.4f}", text="$%{y:.4f}")
    charts.show(fig, key="overview-cost", file_name="cost-by-provider", alt="Cost by role and provider")


def _saving_chart(saved: Saving) -> None:
    figures = saved.figures
    if figures.actual_usd is None or figures.single_provider_usd is None:
        return
    fig = charts.figure(
        "Hybrid route against one provider", f"USD, same tokens re-priced · n {figures.requests:,}", y="USD"
    )
    fig.add_bar(
        x=["as routed", "draft model alone"],
        y=[float(figures.actual_usd), float(figures.single_provider_usd)],
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


def _cost_table(spent: Money) -> None:
    st.subheader("Cost by role, provider and model", anchor=False)
    if spent.from_columns:
        st.caption(
            f"{spent.from_columns:,} of these runs recorded no attempts: their sums come from the requests' "
            "own columns, so retries are not in them."
        )
    rows = [
        {
            "role": row.role,
            "provider": row.provider,
            "model": row.model,
            "calls": row.calls,
            "unpriced calls": row.unpriced_calls,
            "tokens in": row.input_tokens,
            "tokens out": row.output_tokens,
            "cost (USD)": None if row.cost_usd is None else float(row.cost_usd),
        }
        for row in spent.rows
    ]
    config = {
        name: st.column_config.NumberColumn(format="localized")
        for name in ("calls", "unpriced calls", "tokens in", "tokens out")
    } | {"cost (USD)": st.column_config.NumberColumn(format="$%.4f")}
    table(rows, "cost-by-model.csv", key="overview-cost-rows", config=config)


main()
