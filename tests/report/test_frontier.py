"""The frontier report: one mode, one clock, unknown figures excluded and said, nothing free."""

from dataclasses import replace
from decimal import Decimal

import pytest

from harness.records import ProviderMode, RunKind, tier_of
from harness.report.comparable import comparable_sides
from harness.report.frontier import Limits, frontier_report
from harness.report.frontier_document import frontier_document, frontier_rows
from harness.report.savings import savings_sides
from tests.judged_rows import JudgedRun, failed, request

NAMES = ("single", "hybrid", "cheap")
FIGURES = {"single": (0.03, 7000.0, 0.95), "hybrid": (0.02, 6000.0, 0.95), "cheap": (0.001, 4000.0, 0.6)}


def rows_of(name, run_id="run-1", cases=40, **changes):
    cost, latency, score = FIGURES[name]
    own = {
        "run_id": run_id,
        "strategy": name,
        "draft_cost_usd": Decimal(str(cost)),
        "cost_usd": Decimal(str(cost)),
        "quality_score": score,
        "quality_tier": tier_of(score),
        **changes,
    }
    return [
        replace(
            request(seq, latency + seq),
            request_id=f"{run_id}-{name}-{seq}",
            case_id=f"{'pricing' if seq % 2 else 'hiring'}-{seq}",
            **own,
        )
        for seq in range(cases)
    ]


def sides(*names, run=None, **changes):
    run = run or JudgedRun(kind=RunKind.EVAL, config={"strategies": names})
    rows = [row for name in names for row in rows_of(name, run.run_id, **changes)]
    return savings_sides(run, rows, [])


def by_name(report):
    return {place.name: place for place in report.places}


def test_each_strategy_stands_where_it_does_by_hand():
    report = frontier_report(sides(*NAMES))
    places = by_name(report)
    assert [places[name].standing.on_frontier for name in NAMES] == [False, True, True]
    assert places["single"].standing.dominated_by == ("hybrid",)
    assert report.recommendation.name == "hybrid"
    assert report.mode is ProviderMode.EMULATED
    assert [row[-1] for row in frontier_rows(report)] == [
        "beaten by hybrid",
        "recommended",
        "on the frontier",
    ]
    cheap = frontier_report(sides(*NAMES), limits=Limits(max_p95_ms=5000, min_high_tier=0.0))
    assert cheap.recommendation.name == "cheap"
    assert "p95 <= 5 s and >= 0% high tier" in cheap.recommendation.sentence


def test_live_is_judged_before_emulated_and_the_rest_is_named():
    live = JudgedRun(run_id="run-l", name="live", provider_mode=ProviderMode.LIVE, kind=RunKind.EVAL)
    emulated = JudgedRun(run_id="run-m", name="emulated", kind=RunKind.EVAL)
    mixed = [
        *sides("hybrid", run=emulated),
        *sides("single", "hybrid", run=live, provider_mode=ProviderMode.LIVE),
    ]
    report = frontier_report(mixed)
    assert report.mode is ProviderMode.LIVE
    assert {place.side.run.run_id for place in report.places} == {"run-l"}
    assert [out.reason for out in report.left_out] == ["emulated providers, not live ones"]


def test_kinds_and_clocks_are_never_put_side_by_side():
    slow = JudgedRun(run_id="run-s", kind=RunKind.EVAL)
    fast = JudgedRun(run_id="run-f", kind=RunKind.EVAL, config={"emulator_speed": 10})
    base = JudgedRun(run_id="run-b", kind=RunKind.BASELINE)
    chosen = comparable_sides([*sides("single", run=slow), *sides("hybrid", run=fast)])
    assert [found.side.run.run_id for found in chosen.sides] == ["run-s"]
    assert chosen.left_out[0].reason == "latencies emulated at speed x10, not x1"
    chosen = comparable_sides([*sides("single", run=slow), *sides("hybrid", run=base)])
    assert chosen.left_out[0].reason == "a run of kind eval, not baseline"


def test_compressed_latencies_are_not_held_against_the_limit():
    fast = JudgedRun(kind=RunKind.EVAL, config={"strategies": NAMES, "emulator_speed": 10.0})
    report = frontier_report(sides(*NAMES, run=fast), limits=Limits(max_p95_ms=10))
    assert report.recommendation.name == "hybrid"
    assert not report.recommendation.certain
    assert "p95 <= 0.01 s holds cannot be judged" in report.recommendation.sentence
    assert by_name(report)["single"].standing.dominated_by == ("hybrid",)


def test_unpriced_requests_are_counted_and_doubt_the_recommendation():
    known, unknown = sides("single"), sides("hybrid")
    rows = [
        replace(row, cost_usd=None, draft_cost_usd=None) if row.seq < 3 else row
        for row in unknown[0].requests
    ]
    report = frontier_report([*known, replace(unknown[0], requests=rows)])
    assert by_name(report)["hybrid"].figures.cost_per_request.n == 37
    assert report.recommendation.name == "hybrid"
    assert not report.recommendation.certain
    assert "The cost of 3 requests of its 40 is unknown." in report.recommendation.sentence
    assert "hybrid: 3 requests of unknown cost, left out of that figure" in report.notes
    none = [replace(row, cost_usd=None, draft_cost_usd=None) for row in rows]
    report = frontier_report([*known, replace(unknown[0], requests=none)])
    assert by_name(report)["hybrid"].standing.excluded == "unknown: cost"
    assert report.recommendation.name == "single"


def test_a_strategy_whose_p95_falls_among_failures_is_excluded():
    (side,) = sides("cheap")
    rows = [
        *side.requests,
        *(replace(failed(seq), request_id=f"f{seq}", strategy="cheap") for seq in range(40, 46)),
    ]
    report = frontier_report([replace(side, requests=rows), *sides("single")])
    assert by_name(report)["cheap"].standing.excluded == "unknown: p95"
    assert frontier_rows(report)[0][3] == "over any limit (failures)"


def test_cases_narrow_what_is_judged():
    report = frontier_report(sides(*NAMES), cases=["pricing-*"])
    assert {place.figures.requests for place in report.places} == {20}
    nothing = frontier_report(sides(*NAMES), cases=["none"])
    assert nothing.places == ()
    assert nothing.recommendation.sentence == "No request to judge by."
    assert len(nothing.left_out) == 3


def test_without_any_latency_cost_and_quality_decide_and_it_says_so():
    report = frontier_report(sides(*NAMES, latency_ms=None, latency_source=None))
    assert not report.by_latency
    assert report.recommendation.name == "hybrid"
    assert "no latency was recorded" in report.recommendation.sentence
    assert by_name(report)["hybrid"].standing.on_frontier


def test_server_side_latencies_count_where_the_client_has_none():
    changes = {"latency_ms": None, "latency_source": None, "server_ms": 5000.0}
    report = frontier_report(sides("hybrid", **changes))
    assert by_name(report)["hybrid"].figures.p95.value_ms == 5000.0


def test_the_document_holds_every_figure_with_its_interval_and_n():
    found = frontier_document(frontier_report(sides(*NAMES)))
    assert found["limits"] == {"max_p95_ms": 8000.0, "min_high_tier_ratio": 0.9}
    own = found["strategies"][1]
    assert own["cost_per_request_usd"]["value"] == pytest.approx(0.02)
    assert own["p95_ms"]["n"] == own["high_tier_ratio"]["n"] == own["requests"] == 40
