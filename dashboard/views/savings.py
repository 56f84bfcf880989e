"""Savings: what one strategy or run really saved against another, and what other prices would have meant."""

from collections.abc import Sequence

import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.export import table
from dashboard.draw.frontier import frontier_section, mixes_section
from dashboard.frame import states
from dashboard.frame.context import begin
from dashboard.frame.source import read
from dashboard.frame.states import Card
from dashboard.queries.savings import OtherPrices, Way, Ways, mixes, other_prices, ways
from harness.analysis.estimate import DEFAULT_CONFIDENCE
from harness.report.savings_document import (
    NAIVE_HEAD,
    WHAT_IF_HEAD,
    naive_rows,
    saving_verdict,
    together_words,
    what_if_rows,
)
from harness.strategies.savings import SideFigures
from harness.strategies.search import Limits

DEFAULT_VOLUME = 100_000
MIXES_UNASKED = 200_000
"""Requests up to which the page looks at mixes by itself."""


def main() -> None:
    """The page."""
    subject = begin("Savings")
    if subject is None:
        return
    left, right = st.columns(2)
    volume = int(
        left.number_input(
            "Requests a month",
            min_value=1,
            max_value=10**10,
            value=DEFAULT_VOLUME,
            step=10_000,
            key="volume",
            bind="query-params",
        )
    )
    also = tuple(
        right.multiselect(
            "What if at (provider/model)",
            [],
            key="also",
            accept_new_options=True,
            bind="query-params",
            placeholder="for example openai/gpt-4o",
        )
    )
    limits = _wish()
    found = read(ways, subject.scope, None, volume, limits=limits)
    names = [way.name for way in found.ways]
    if len(names) > 1:
        base = st.selectbox(
            "Held against", names, index=None, key="base", placeholder="the first", bind="query-params"
        )
        if base is not None:
            found = read(ways, subject.scope, base, volume, limits=limits)
    _limits(found)
    _measured(found)
    if found.frontier is not None:
        frontier_section(found.frontier)
    if len(found.ways) > 1:
        shown = st.toggle("Look at mixes that nobody ran", found.requests <= MIXES_UNASKED, key="mixes")
        if shown:
            mixes_section(read(mixes, subject.scope, limits))
    if found.ways:
        name = _asked_way(found)
        _what_if(read(other_prices, subject.scope, name, also))


def _wish() -> Limits:
    """The limits that the recommended way has to keep."""
    left, right = st.columns(2)
    p95_s = left.number_input(
        "p95 at most (seconds)",
        min_value=0.1,
        max_value=600.0,
        value=8.0,
        step=0.5,
        key="max_p95",
        bind="query-params",
    )
    high_percent = right.number_input(
        "High tier at least (%)",
        min_value=0.0,
        max_value=100.0,
        value=90.0,
        step=5.0,
        key="min_high",
        bind="query-params",
    )
    return Limits(max_p95_ms=p95_s * 1000, min_high_tier=high_percent / 100)


def _limits(found: Ways) -> None:
    if found.sides_left_out:
        st.caption(
            f"{found.sides_left_out:,} ways of the oldest runs are left out; choose runs in the sidebar."
        )


def _measured(found: Ways) -> None:
    st.subheader("Measured", anchor=False)
    _difference_cards(found.ways)
    _cost_chart(found.ways)
    table([_row(way) for way in found.ways], "savings.csv", key="savings-table")


def _difference_cards(found: Sequence[Way]) -> None:
    others = [way for way in found if way.saving is not None]
    if not others:
        st.caption(
            "One way of answering here, so nothing to hold it against. Select several runs, or an "
            "evaluation of several strategies."
        )
        return
    st.caption("Saved per request, against:")
    st.text(found[0].name)
    cards = []
    for way in others[:4]:
        if way.saving is None:
            continue
        ratio = way.saving.ratio
        cards.append(
            Card(
                label=f"Saving: {saving_verdict(way.saving)}",
                value=labels.percent(ratio.value),
                note=labels.ratio_note(ratio) + (" cases" if way.saving.paired else ""),
                name=way.name,
                help="Negative means that it costs more. Paired by case where both have the same cases.",
            )
        )
    states.cards(cards)
    together = together_words(len(others), DEFAULT_CONFIDENCE)
    if together is not None:
        st.caption(together)
    warnings = [f"{way.name}: {way.saving.warning}" for way in others if way.saving and way.saving.warning]
    if warnings:
        with states.warned("Read with care"):
            states.names(warnings)


def _row(way: Way) -> dict[str, object]:
    total, saving = way.figures.total, way.saving
    place = way.place
    return {
        "way": way.name,
        "n": way.figures.priced,
        "unknown cost": way.figures.unpriced,
        "per request": labels.usd(total.per_request.value),
        "95% interval": labels.usd_bounds(total.per_request),
        "draft": labels.usd(way.figures.draft.per_request.value),
        "repair": labels.usd(way.figures.repair.per_request.value),
        "per 1,000": labels.usd(total.per_1000.value),
        "per month": labels.usd(total.per_month.value if total.per_month else None),
        "saved per month": labels.usd(
            saving.total.per_month.value if saving and saving.total.per_month else None
        ),
        "saving": labels.percent(saving.ratio.value) if saving else "base",
        "saving, interval": labels.ratio_bounds(saving.ratio) if saving else "",
        "p95": labels.percentile(place.p95) if place else "-",
        "high tier": labels.percent(place.high_tier.value) if place else "-",
        "per high-tier answer": labels.usd(place.cost_per_high.value if place else None),
    }


def _cost_chart(found: Sequence[Way]) -> None:
    n = sum(way.figures.priced for way in found)
    fig = charts.figure("Cost per request", f"USD, draft and repair, 95% interval · n {n:,}", y="USD")
    x = [charts.label(way.name) for way in found]
    for role, colour in colours.ROLES.items():
        volumes = [way.figures.draft if role == "draft" else way.figures.repair for way in found]
        fig.add_bar(
            x=x,
            y=[volume.per_request.value for volume in volumes],
            name=role,
            marker_color=colour,
            error_y=charts.estimate_bars([way.figures.total.per_request for way in found])
            if role == "repair"
            else None,
            hovertemplate=f"{role}: $%{{y:.6f}}<extra></extra>",
        )
    fig.update_layout(barmode="stack", showlegend=True)
    fig.update_yaxes(tickprefix="$")
    charts.show(fig, key="savings-cost", file_name="cost-by-way", alt="Cost per request by way of answering")


def _asked_way(found: Ways) -> str:
    """The way to price otherwise."""
    st.subheader("What if: the same tokens at other prices", anchor=False)
    st.caption(
        "An assumption, not a measurement: the same recorded tokens at other models' prices. "
        "Another model would have used other tokens, and repaired more or less often."
    )
    names = [way.name for way in found.ways]
    if len(names) == 1:
        return names[0]
    return st.selectbox("Of", names, key="of", bind="query-params") or names[0]


def _what_if(found: OtherPrices) -> None:
    if found.unpriced:
        with states.warned("No trustworthy price, so not compared"):
            states.names(found.unpriced)
    figures = found.figures
    _what_if_cards(figures)
    if figures.no_what_if is not None:
        st.caption(labels.plain(f"No draft and repair at other models: {figures.no_what_if}."))
    cells = what_if_rows(figures)
    if cells:
        table(
            [dict(zip(WHAT_IF_HEAD, row, strict=True)) for row in cells], "what-if.csv", key="what-if-table"
        )
    rows = naive_rows([figures])
    if rows:
        st.caption("Naive: all tokens at the draft model's price, as a single-price spreadsheet would say.")
        table([dict(zip(NAIVE_HEAD, row, strict=True)) for row in rows], "naive.csv", key="naive-table")


def _what_if_cards(figures: SideFigures) -> None:
    cost = figures.breakdown
    if cost is None or not cost.n_compared:
        st.caption("No request has a known cost and known tokens, so nothing can be re-priced.")
        return
    n = f"n {cost.n_compared:,}" + (f" of {cost.n_requests:,}" if cost.n_compared != cost.n_requests else "")
    states.cards(
        [
            Card(
                label="As routed",
                value=labels.usd(cost.compared_cost_usd),
                note=f"{n} requests",
                help="Each call at its own provider's price; requests of unknown cost are left out.",
            ),
            Card(
                label="Draft model alone",
                value=labels.usd(cost.single_provider_cost_usd),
                note="draft and repair at the draft's model",
            ),
            Card(
                label="Saved by the route",
                value=labels.percent(labels.as_float(cost.saving_ratio)),
                note=f"{n} requests",
                help="Negative means that it costs more.",
            ),
            Card(
                label="Naive figure",
                value=labels.usd(cost.naive_cost_usd),
                note=f"misstates by {labels.signed_percent(labels.as_float(cost.misstatement_ratio))}",
                help="All tokens at the draft model's price: what a single-price spreadsheet would say.",
            ),
        ]
    )


main()
