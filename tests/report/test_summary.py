"""The figures of a run, recomputed by hand."""

import io
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console

from harness.figures.summary import run_summary
from harness.records import CallOutcome, Role, Tier, UnpricedReason
from harness.report.terminal import summary_table
from tests.judged_rows import JudgedRun, calls_of, failed, repaired, request, view_of


def summary_of(rows, calls=(), run=None):
    run = run or JudgedRun()
    view = view_of(rows, calls, run)
    return run_summary(view, view.run(run.run_id))


def rendered(summary):
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(summary_table(summary))
    return console.export_text()


def mixed_run():
    return [repaired(s, 5000.0) if s % 5 == 0 else request(s, 3000.0) for s in range(100)]


def test_costs_by_role_sum_exactly():
    rows = mixed_run()
    cost = summary_of(rows, calls_of(rows)).spending
    assert cost.draft_usd == Decimal("2.400")
    assert cost.repair_usd == Decimal("0.00720")
    assert cost.total_usd == sum(row.cost_usd for row in rows)
    assert [(row.role, row.provider, row.calls) for row in cost.rows] == [
        (Role.DRAFT, "anthropic", 100),
        (Role.REPAIR, "openai", 20),
    ]


def test_the_hybrid_saving_matches_the_specs_example():
    # spec, hybrid short draft: 0.02436 against 0.0324, saving 24.8%
    rows = [repaired(s, 5000.0) for s in range(10)]
    saving = summary_of(rows, calls_of(rows)).saving
    assert saving.actual_usd == Decimal("0.2436")
    assert saving.single_provider_usd == Decimal("0.324")
    assert saving.saving_ratio == pytest.approx(0.24815, abs=1e-5)


def test_the_saving_needs_another_repair_model():
    rows = [request(s, 3000.0) for s in range(10)]
    saving = summary_of(rows, calls_of(rows)).saving
    assert saving.saving_ratio is None
    assert saving.reason == "one model did all the drafts and repairs"


def test_unpriced_calls_are_excluded_and_said():
    rows = mixed_run()
    calls = calls_of(rows)
    calls[0] = replace(calls[0], cost_usd=None, unpriced_reason=UnpricedReason.UNPRICED)
    summary = summary_of(rows, calls)
    assert summary.spending.exclusion == "excludes 1 unpriced call"
    assert summary.spending.draft_usd == Decimal("2.376")
    assert "excludes 1 unpriced call" in rendered(summary)


def test_failed_requests_cost_what_their_attempts_cost():
    row = failed(0)
    call = replace(calls_of([request(0, 1.0)])[0], outcome=CallOutcome.ERROR, cost_usd=Decimal("0.01"))
    summary = summary_of([row], [call])
    assert summary.spending.total_usd == Decimal("0.01")
    assert summary.spending.per_request_usd == Decimal("0.01")


def test_refused_attempts_and_judges_are_no_cost_of_a_request():
    rows = [request(0, 3000.0)]
    (draft,) = calls_of(rows)
    refused = replace(draft, call_id="r", outcome=CallOutcome.REFUSED, cost_usd=None)
    judge = replace(draft, call_id="j", role=Role.JUDGE, cost_usd=Decimal("0.5"))
    cost = summary_of(rows, [draft, refused, judge]).spending
    assert (cost.total_usd, cost.judge_usd, cost.unpriced_calls) == (Decimal("0.024"), Decimal("0.5"), 0)


def test_warmups_are_left_out_of_every_figure():
    rows = [request(0, 90000.0, warmup=True), *[request(s, 3000.0) for s in range(1, 101)]]
    summary = summary_of(rows, calls_of(rows))
    assert (summary.requests, summary.warmups) == (100, 1)
    assert summary.figures["p99_latency"].value == 3000.0
    assert summary.spending.total_usd == Decimal("2.400")
    assert summary.spending.warmup_usd == Decimal("0.024")


def test_shares_have_their_own_n():
    rows = [*mixed_run()[:99], failed(99)]
    summary = summary_of(rows, calls_of(rows))
    assert summary.tiers == {Tier.HIGH: 99, Tier.MEDIUM: 0, Tier.LOW: 0}
    mixed = summary.figures["mixed_providers"]
    assert (mixed.value, mixed.n) == (pytest.approx(20 / 99), 99)


def test_an_empty_run_has_no_figures():
    summary = summary_of([])
    assert summary.figures["p95_latency"].value is None
    assert summary.figures["error_ratio"].value is None
    assert summary.spending.total_usd is None
    assert summary.figures["throughput"].value is None
    assert rendered(summary)


def test_a_silent_target_leaves_columns_empty_with_a_reason():
    silent = dict.fromkeys(
        (
            "draft_source",
            "draft_model",
            "draft_cost_usd",
            "cost_usd",
            "quality_tier",
            "provider_mode",
            "stages_ms",
            "prompt_cache_hit",
        )
    )
    rows = [request(s, 3000.0, **silent) for s in range(100)]
    summary = summary_of(rows, run=JudgedRun(provider_mode=None))
    reasons = dict(summary.empty_columns)
    assert "harness ingest FILE --join RUN" in reasons["cost_usd"]
    assert summary.spending.total_usd is None
    assert "provider mode UNKNOWN" in rendered(summary)


def test_a_bare_model_has_neither_tiers_nor_stages_to_wait_for():
    rows = [
        request(seq, 100.0, scenario="openai-chat", task=None, quality_tier=None, stages_ms=None)
        for seq in range(3)
    ]
    reasons = dict(summary_of(rows).empty_columns)
    assert "bare model" in reasons["quality_tier"]
    assert "bare model" in reasons["stages_ms"]


def test_a_stream_of_stages_has_no_gap_between_tokens():
    rows = [request(seq, 100.0, scenario="stream", ttft_ms=20.0) for seq in range(3)]
    reasons = dict(summary_of(rows).empty_columns)
    assert "stages" in reasons["itl_ms"]


def test_the_table_says_emulated():
    rows = mixed_run()
    assert "EMULATED" in rendered(summary_of(rows, calls_of(rows)))


def test_no_escape_sequence_reaches_the_terminal():
    rows = [*mixed_run(), failed(100, error_message="\x1b]0;owned\x07 \x1b[2J")]
    run = JudgedRun(name="x\x1b[2J", summary={"suspect": True, "suspect_reasons": ["\x1b[2J"]})
    assert "\x1b" not in rendered(summary_of(rows, calls_of(rows), run))


def test_every_declared_figure_has_a_line_or_nothing_is_known_of_it():
    summary = summary_of(mixed_run(), calls_of(mixed_run()))
    text = rendered(summary)
    for figure, found in summary.measured:
        assert (figure.title in text) is (not figure.optional or found.value is not None), figure.name
