"""Overview: how things are in one sentence, what changed, what fires, and which way is better."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.export import table
from dashboard.draw.money import cost_by_role, cost_table, per_hour_note
from dashboard.draw.overtime import cost_over_time as draw_cost
from dashboard.draw.overtime import latency_over_time
from dashboard.draw.verdict import Health, Verdict, verdict
from dashboard.frame import states
from dashboard.frame.context import Subject, begin
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.frame.states import Card, Move
from dashboard.queries.cost import Money, money
from dashboard.queries.costdetail import cost_over_time
from dashboard.queries.home import (
    COMPARED,
    Alerts,
    Change,
    Firing,
    alerts_now,
    change,
    groups_shown,
    side_by_side_by,
    ways_compared,
)
from dashboard.queries.latency import FIGURES, GroupLatency, latency_figures
from dashboard.queries.latencydetail import Timeline, timeline
from dashboard.queries.overview import LastGate, Shares, every_figure, last_gate, saving
from harness.figures import Unit, all_figures, figure_named
from harness.figures.best import Ranked
from harness.figures.differences import Difference
from harness.figures.measure import Figures
from harness.figures.saving import RouteSaving
from harness.gate.model import DEFAULT_MAX_P95_MS
from harness.report import wording
from harness.report.wording import UNKNOWN


def main() -> None:
    """The page."""
    subject = begin("Overview")
    if subject is None:
        return
    scope, share = subject.scope, subject.shares
    # read before anything is drawn: the snapshot is held no longer than the queries take
    spent, latency = read(money, scope), read(latency_figures, scope)
    saved, gate, moved = read(saving, scope), read(last_gate, scope), read(change, scope)
    fires = read(alerts_now, datetime.now(UTC).replace(second=0, microsecond=0))
    over_time = read(timeline, scope)
    by = read(side_by_side_by, scope)
    ways = read(ways_compared, scope, by)
    states.unpriced_banner(spent.sums.unpriced_calls)
    p95 = dict(zip((figure.name for figure in FIGURES), latency.groups[0].quantiles, strict=True))[
        "p95_latency"
    ]
    watched = scope.kind in ("service", "ingest")
    health = Health(
        subject=_subject(subject),
        limit_ms=DEFAULT_MAX_P95_MS,
        p95=p95,
        errors=share.errors,
        per_request=spent.per_request,
        per_hour_usd=spent.per_hour_usd,
        alerts=fires if watched else None,
        gate=gate,
        runs=subject.runs,
        change=moved,
    )
    _verdict(verdict(health))
    _watched(fires, gate)
    _headlines(latency.groups[0], share, spent, moved, over_time)
    _side_by_side(ways, by)
    left, right = st.columns(2)
    with left:
        latency_over_time(over_time, DEFAULT_MAX_P95_MS, key="overview-latency")
    with right:
        draw_cost(read(cost_over_time, scope), key="overview-time")
    st.subheader("More figures", anchor=False)
    _latency_cards(latency.groups[0], latency.source)
    _money_cards(spent, saved, scope)
    _quality_cards(share, gate)
    left, right = st.columns(2)
    with left:
        cost_by_role(spent.sums, key="overview-cost")
    with right:
        _tier_chart(share)
    cost_table(spent.sums, key="overview-cost-rows")
    if st.toggle("Every declared figure", key="figures"):
        _every_figure(read(every_figure, scope))


def _subject(subject: Subject) -> str:
    """What the sentence is about."""
    if subject.scope.environments == ("production",) and subject.scope.kind in ("service", "ingest"):
        return "Production"
    several = len(subject.runs)
    return "This run" if several == 1 else f"What these {several:,} runs measured together"


def _verdict(found: Verdict) -> None:
    """The first thing that is read."""
    draw, icon = {
        "good": (st.success, ":material/check_circle:"),
        "caution": (st.warning, ":material/error:"),
        "bad": (st.error, ":material/cancel:"),
        "unknown": (st.info, ":material/help:"),
    }[found.state]
    draw(labels.plain(found.sentence), icon=icon)
    if found.change:
        st.text(found.change)  # it may hold names from the data


def _watched(fires: Alerts | None, gate: LastGate | None) -> None:
    """Alerts and the last gate: colour and word."""
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        if fires is None:
            st.badge("no alert rule applies", color="gray", icon=":material/notifications_off:")
            st.caption("Rules look at services and logs; this store has neither.")
        elif not fires.firing:
            st.badge("no alert", color="green", icon=":material/notifications:")
            st.caption(f"{labels.count(fires.judged, 'rule')} · as of {labels.moment(fires.at)}")
        else:
            st.badge(
                f"{labels.count(len(fires.firing), 'alert')} firing",
                color="red",
                icon=":material/notifications_active:",
            )
            states.names(_named(one) for one in fires.firing)
            st.caption(f"as of {labels.moment(fires.at)}")
        st.page_link("views/alerts.py", label="Alerts", icon=":material/notifications:")
    with right.container(border=True, height="stretch"):
        if gate is None:
            st.badge("not gated", color="gray", icon=":material/gavel:")
            st.caption("harness gate RUN judges a run")
        else:
            _badge(f"gate {gate.verdict}", gate.verdict)
            st.text(gate.run_name)
            st.caption(labels.moment(gate.ts))
        st.page_link("views/runs.py", label="Runs", icon=":material/list:")


def _named(one: Firing) -> str:
    return f"{one.title}{f' of {one.group}' if one.group else ''} ({one.severity})"


def _badge(text: str, verdict_word: str) -> None:
    icon = ":material/gavel:"
    if verdict_word == "PASS":
        st.badge(text, color="green", icon=icon)
    elif verdict_word == "FAIL":
        st.badge(text, color="red", icon=icon)
    else:
        st.badge(text, color="orange", icon=icon)


def _headlines(
    all_of_it: GroupLatency, share: Shares, spent: Money, moved: Change | None, over_time: Timeline
) -> None:
    p95 = all_of_it.quantiles[1]
    buckets = over_time.buckets
    found = None if moved is None else moved.found
    named = {one.figure.name: one for one in found.found} if found is not None else {}
    before = "against before"
    states.cards(
        [
            Card(
                label="Latency p95",
                value=labels.percentile(p95),
                note=labels.percentile_note(p95),
                help=f"Exactly {wording.ms(p95.value)}. Failures rank above every success.",
                series=[bucket.quantiles_ms[1] for bucket in buckets],
                move=_moved(named.get("p95_latency"), before),
            ),
            Card(
                label="Error ratio",
                value=labels.percent(share.errors.value, 2),
                note=labels.ratio_note(share.errors),
                help="Errors, timeouts and refusals among all requests.",
                series=[bucket.failures / bucket.n if bucket.n else None for bucket in buckets],
                move=_moved(named.get("error_ratio"), before),
            ),
            Card(
                label="Cost per request",
                value=labels.usd(spent.sums.per_request_usd),
                note=labels.usd_note(spent.per_request),
                help=f"Exactly {wording.usd(spent.sums.per_request_usd)}. "
                "Mean over requests with a known cost.",
                series=[bucket.usd_per_request for bucket in buckets],
                move=_moved(named.get("cost_per_request"), before),
            ),
        ]
    )


def _moved(one: Difference | None, before: str) -> Move | None:
    """A card's change: coloured only where it is shown."""
    if one is None or one.shift.change.value is None:
        return None
    value = one.shift.change.value
    unit = one.figure.unit
    if unit is Unit.RATIO:
        text = f"{100 * abs(value):.2f} points"
    elif unit is Unit.USD:
        text = labels.usd(abs(value))
    else:
        text = labels.duration(abs(value))
    sign = "+" if value > 0 else "-" if value < 0 else ""
    note = before if one.shift.significant else f"{before}: not shown"
    return Move(text=f"{sign}{text}", note=note, less_is_better=one.shift.significant)


def _side_by_side(found: Ranked, by: str) -> None:
    """The ways of answering beside one another; the better is marked only where that is shown."""
    shown: Sequence[str] = groups_shown(found)
    st.subheader(f"Side by side, by {by}", anchor=False)
    figures = [figure_named(name) for name in COMPARED]
    rows = []
    for group in shown:
        row: dict[str, object] = {by: group, "n": found.groups[group]["error_ratio"].n}
        for figure in figures:
            estimate = found.groups[group][figure.name]
            best = " ★" if found.best.get(figure.name) == group else ""
            row[figure.title] = f"{labels.shown(estimate, figure.unit)}{best}"
        rows.append(row)
    table(rows, "side-by-side.csv", key="overview-ways")
    left_out = len(found.groups) - len(shown)
    st.caption(
        ("★ better than every other one, shown at 95% for the whole table. " if len(shown) > 1 else "")
        + (f"{left_out} smaller groups are left out. " if left_out else "")
        + labels.plain("Groups may have met different requests; Savings compares case by case.")
    )


def _latency_cards(all_of_it: GroupLatency, source: str | None) -> None:
    clock = "client, from the intended start" if source == "client" else "server's own"
    states.cards(
        [
            Card(
                label=figure.title.capitalize(),
                value=labels.percentile(found),
                note=labels.percentile_note(found),
                help=f"Exactly {wording.ms(found.value)}, {clock} clock. Failures rank above every success.",
            )
            for figure, found in zip(FIGURES, all_of_it.quantiles, strict=True)
            if figure.name != "p95_latency"
        ]
    )


def _money_cards(spent: Money, saved: RouteSaving, scope: Scope) -> None:
    states.cards(
        [
            Card(
                label="Total cost",
                value=labels.usd(spent.sums.total_usd),
                note=spent.sums.exclusion
                or f"draft {labels.usd(spent.sums.draft_usd)} · repair {labels.usd(spent.sums.repair_usd)}",
                help=f"Exactly {wording.usd(spent.sums.total_usd)}. Sum over all attempts, failed and "
                "retried ones included; warm-ups are left out.",
            ),
            Card(
                label="Cost per hour",
                value=labels.usd(spent.per_hour_usd),
                note=per_hour_note(spent),
                help="Total divided by the time between first and last arrival of each run.",
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


def _every_figure(found: Figures) -> None:
    """The table of the declarations, with what they come to here."""
    rows = [
        {
            "figure": figure.title,
            "value": wording.estimate(found[figure.name], figure.unit),
            "95% interval": wording.bounds(found[figure.name], figure.unit),
            "n": found[figure.name].n,
            "rests on": figure.rows,
            "name": figure.name,
        }
        for figure in all_figures()
        if figure.name in found
    ]
    table(rows, "figures.csv", key="overview-figures")


def _tier_chart(share: Shares) -> None:
    parts = {**share.tiers, "ungraded": share.ungraded}
    shown = {name: n for name, n in parts.items() if n or name != "ungraded"}
    fig = charts.figure("Quality tiers", f"answered requests · n {sum(parts.values()):,}", y="requests")
    fig.add_bar(
        x=list(shown),
        y=list(shown.values()),
        marker_color=[colours.TIERS[name] for name in shown],
        texttemplate="%{y:,}",
        hovertemplate="%{x}: %{y:,}<extra></extra>",
    )
    charts.show(fig, key="overview-tiers", file_name="quality-tiers", alt="Requests by quality tier")


main()
