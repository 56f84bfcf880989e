"""Quality: tiers by provider and strategy, what the graders say, and the cases that fell short."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.draw import charts, colours, labels
from dashboard.draw.detail import request_view
from dashboard.draw.export import request_table, table
from dashboard.frame import states
from dashboard.frame.context import begin, known_names
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.frame.states import Card
from dashboard.queries.quality import (
    TIERS,
    GroupQuality,
    graders,
    group_quality,
    weak_cases,
    weak_requests,
)
from harness.figures.grades import GraderFigures


def main() -> None:
    """The page."""
    subject = begin("Quality")
    if subject is None:
        return
    scope, share = subject.scope, subject.shares
    by_strategy = read(group_quality, scope, "strategy")
    _cards(read(group_quality, scope, "all")[0])
    if not sum(share.tiers.values()):
        states.empty(
            "No answer was graded",
            "The target sent no quality tier. Its telemetry log can be joined to the run afterwards.",
            "harness ingest LOG --join RUN",
        )
    else:
        left, right = st.columns(2)
        with left:
            _tier_mix(by_strategy, "strategy")
        with right:
            _tier_mix(read(group_quality, scope, "provider"), "provider")
        _quality_table(by_strategy)
    _graders(read(graders, scope))
    _weak(scope)


def _cards(everything: GroupQuality) -> None:
    answers = sum(everything.tiers.values())
    states.cards(
        [
            Card(
                label="High quality tier",
                value=labels.percent(everything.high.value),
                note=labels.ratio_note(everything.high),
                help="Share of graded answers with a score of at least 0.9.",
            ),
            Card(
                label="Mean score (0 to 1)",
                value=labels.score(everything.score.value),
                note=labels.score_note(everything.score),
                help="Clustered by case: repeats of a case are not new cases.",
            ),
            Card(
                label="Medium and low",
                value=f"{everything.tiers['medium']:,} + {everything.tiers['low']:,}",
                note=f"n {answers:,} graded answers",
            ),
            Card(
                label="Without a grade",
                value=f"{everything.ungraded:,}",
                note=f"answered but ungraded · {everything.failed:,} more failed",
            ),
        ]
    )


def _tier_mix(groups: Sequence[GroupQuality], group_by: str) -> None:
    shown = [group for group in groups if sum(group.tiers.values())]
    n = sum(sum(group.tiers.values()) for group in shown)
    fig = charts.figure(f"Tiers by {group_by}", f"share of graded answers · n {n:,}", x="share")
    names = [f"{charts.label(g.group)}<br>n {sum(g.tiers.values()):,}" for g in shown]
    for tier in TIERS:
        shares = [group.tiers[tier] / sum(group.tiers.values()) for group in shown]
        fig.add_bar(
            y=names,
            x=shares,
            name=tier,
            orientation="h",
            marker={"color": colours.TIERS[tier], "line": {"width": 0}},
            text=[f"{share:.0%}" if share >= 0.06 else "" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            customdata=[group.tiers[tier] for group in shown],
            hovertemplate=f"{tier}: %{{x:.1%}} (%{{customdata:,}})<extra></extra>",
        )
    fig.update_layout(barmode="stack", hovermode="closest")
    fig.update_xaxes(tickformat=".0%", range=[0, 1])
    fig.update_yaxes(autorange="reversed")
    charts.show(fig, key=f"quality-{group_by}", file_name=f"tiers-by-{group_by}", alt=f"Tiers by {group_by}")


def _quality_table(groups: Sequence[GroupQuality]) -> None:
    rows = [
        {
            "strategy": group.group,
            **{tier: group.tiers[tier] for tier in TIERS},
            "ungraded": group.ungraded,
            "failed": group.failed,
            "cases": group.cases or None,
            "high tier": labels.percent(group.high.value),
            "high tier, 95% interval": labels.ratio_bounds(group.high),
            "mean score": labels.score(group.score.value),
            "mean score, 95% interval": labels.score_bounds(group.score),
        }
        for group in groups
    ]
    table(rows, "quality.csv", key="quality-table")


def _graders(found: Sequence[GraderFigures]) -> None:
    st.subheader("Graders", anchor=False)
    if not found:
        st.caption("No grader's own verdicts are stored for these requests; `harness eval` records them.")
        return
    n = sum(result.score.n for result in found)
    names = list(dict.fromkeys(result.grader for result in found))
    fig = charts.figure("Mean score by grader", f"0 to 1, 95% intervals · n {n:,} grades", y="score")
    shades = colours.colours_of((result.strategy for result in found), known_names("strategy"))
    for strategy in shades:
        by_grader = {result.grader: result for result in found if result.strategy == strategy}
        fig.add_bar(
            x=[charts.label(name) for name in names],
            y=[by_grader[name].score.value if name in by_grader else None for name in names],
            error_y=charts.estimate_bars([by_grader[n].score if n in by_grader else None for n in names]),
            name=charts.label(strategy),
            marker_color=shades[strategy],
            hovertemplate="%{fullData.name}: %{y:.3f}<extra></extra>",
        )
    fig.update_layout(barmode="group", showlegend=True)
    fig.update_yaxes(range=[0, 1.05])
    charts.show(fig, key="quality-graders", file_name="graders", alt="Mean score by grader and strategy")
    rows = [
        {
            "grader": result.grader,
            "strategy": result.strategy,
            "n": result.score.n,
            "mean score": labels.score(result.score.value),
            "95% interval": labels.score_bounds(result.score),
            "passed": labels.percent(result.passed.value),
            "grader failed": result.score.unknown,
        }
        for result in found
    ]
    table(rows, "graders.csv", key="grader-table")


def _weak(scope: Scope) -> None:
    st.subheader("Cases that fell short", anchor=False)
    weak = read(weak_requests, scope)
    if not weak:
        st.caption("Every request was answered in the high tier, or none is graded.")
        return
    cases = read(weak_cases, scope)
    if cases:
        st.caption(f"Worst mean score first, {len(cases):,} cases.")
        table(cases, "weak-cases.csv", key="weak-cases", config=_CONFIG)
    st.caption(
        f"Single requests that failed or missed the high tier, worst first, {len(weak):,} shown. "
        "Click a row to look at one."
    )
    request_table(weak, "weak-requests.csv", key="weak-requests", config=_CONFIG)
    ids: list[Any] = [row["request_id"] for row in weak]
    chosen = st.selectbox(
        "Look at one request",
        ids,
        index=None,
        key="request",
        placeholder="choose, or paste a request id",
        accept_new_options=True,
        bind="query-params",
    )
    if chosen:
        request_view(scope, chosen)


_CONFIG = {
    "request_id": "request",
    "case_id": "case",
    "error_kind": "error",
    "quality_tier": "tier",
    "fallback_reason": "simple repair because",
    "draft_model": "draft model",
    "repair_model": "repair model",
    "latency_ms": st.column_config.NumberColumn("latency (ms)", format="%.1f"),
    "cost_usd": st.column_config.NumberColumn("cost (USD)", format="$%.6f"),
    "quality_score": st.column_config.NumberColumn("score", format="%.3f"),
    "mean_score": st.column_config.NumberColumn("mean score", format="%.3f"),
    "worst_score": st.column_config.NumberColumn("worst score", format="%.3f"),
}

main()
