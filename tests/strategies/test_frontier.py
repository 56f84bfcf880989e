"""The frontier report: one mode, one clock, unknown figures excluded and said, nothing free."""

from dataclasses import replace
from decimal import Decimal

import pytest

from harness.figures.selection import Selection
from harness.records import ProviderMode, RunKind, tier_of
from harness.report.frontier_document import frontier_document, frontier_rows
from harness.strategies.frontier import frontier_report
from harness.strategies.search import Limits
from tests.judged_rows import failed, request
from tests.strategies.recorded import run_of, sides

NAMES = ("single", "hybrid", "cheap")
FIGURES = {"single": (0.03, 7000.0, 0.95), "hybrid": (0.02, 6000.0, 0.95), "cheap": (0.001, 4000.0, 0.6)}
FREE = {"cost_usd": None, "draft_cost_usd": None}


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


def recorded(*names, run_id="run-1", run=None, **changes):
    rows = [row for name in names for row in rows_of(name, run_id, **changes)]
    return [*run_of(run_id, **{"config": {"strategies": list(names)}, **(run or {})}), *rows]


def by_name(report):
    return {place.name: place for place in report.places}


def test_each_strategy_stands_where_it_does_by_hand():
    found = sides(*recorded(*NAMES))
    report = frontier_report(found)
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
    cheap = frontier_report(found, limits=Limits(max_p95_ms=5000, min_high_tier=0.0))
    assert cheap.recommendation.name == "cheap"
    assert "p95 <= 5 s and >= 0% high tier" in cheap.recommendation.sentence
    dear = frontier_report(found, limits=Limits(max_cost_usd=0.01))
    assert dear.recommendation.name is None
    assert "<= $0.01 a request" in dear.recommendation.sentence


def test_two_measurements_of_one_strategy_are_no_rivals():
    again = recorded("hybrid", run_id="run-2", cost_usd=Decimal("0.019"), run={"name": "again"})
    report = frontier_report(sides(*recorded("hybrid", "single"), *again))
    standings = {place.name: place.standing for place in report.places}
    assert standings["run-1: hybrid"].on_frontier
    assert standings["again: hybrid"].on_frontier
    assert standings["run-1: single"].dominated_by == ("run-1: hybrid", "again: hybrid")
    assert "may cost no more" not in report.recommendation.sentence


def test_live_is_judged_before_emulated_and_the_rest_is_named():
    emulated = recorded("hybrid", run_id="run-m")
    live = recorded(
        "single",
        "hybrid",
        run_id="run-l",
        run={"provider_mode": ProviderMode.LIVE},
        provider_mode=ProviderMode.LIVE,
    )
    report = frontier_report(sides(*emulated, *live))
    assert report.mode is ProviderMode.LIVE
    assert {place.side.run_id for place in report.places} == {"run-l"}
    assert [out.reason for out in report.left_out] == ["emulated providers, not live ones"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config": {"emulator_speed": 10}}, "latencies at speed x10, not x1"),
        ({"kind": RunKind.SERVICE}, "a run of kind service, not eval"),
    ],
)
def test_kinds_and_clocks_are_never_put_side_by_side(changes, reason):
    other = recorded("hybrid", run_id="run-f", run=changes)
    report = frontier_report(sides(*recorded("single"), *other))
    assert [place.side.run_id for place in report.places] == ["run-1"]
    assert report.left_out[0].reason == reason


def test_compressed_latencies_are_not_held_against_the_limit():
    fast = recorded(*NAMES, run={"config": {"strategies": list(NAMES), "emulator_speed": 10.0}})
    report = frontier_report(sides(*fast), limits=Limits(max_p95_ms=10))
    assert report.recommendation.name == "hybrid"
    assert not report.recommendation.certain
    assert "p95 <= 0.01 s holds cannot be judged" in report.recommendation.sentence
    assert by_name(report)["single"].standing.dominated_by == ("hybrid",)


def test_unpriced_requests_are_counted_and_doubt_the_recommendation():
    known = rows_of("single")
    rows = [replace(row, **FREE) if row.seq < 3 else row for row in rows_of("hybrid")]
    run = run_of(config={"strategies": ["single", "hybrid"]})
    report = frontier_report(sides(*run, *known, *rows))
    assert by_name(report)["hybrid"].cost_per_request.n == 37
    assert report.recommendation.name == "hybrid"
    assert not report.recommendation.certain
    assert "The cost of 3 requests of its 40 is unknown." in report.recommendation.sentence
    assert "hybrid: 3 requests of unknown cost, left out of that figure" in report.notes
    report = frontier_report(sides(*run, *known, *[replace(row, **FREE) for row in rows]))
    assert by_name(report)["hybrid"].standing.excluded == "unknown: cost"
    assert report.recommendation.name == "single"


def test_a_strategy_whose_p95_falls_among_failures_is_excluded():
    failures = [replace(failed(seq), request_id=f"f{seq}", strategy="cheap") for seq in range(40, 46)]
    report = frontier_report(sides(*recorded("cheap", "single"), *failures))
    assert by_name(report)["cheap"].standing.excluded == "unknown: p95"
    assert frontier_rows(report)[0][3] == "over any limit (failures)"


def test_cases_narrow_what_is_judged():
    report = frontier_report(sides(*recorded(*NAMES), selection=Selection(cases=("pricing-*",))))
    assert {place.requests for place in report.places} == {20}
    nothing = frontier_report(sides(*recorded(*NAMES), selection=Selection(cases=("none",))))
    assert nothing.places == ()
    assert nothing.recommendation.sentence == "No request to judge by."


def test_without_any_latency_cost_and_quality_decide_and_it_says_so():
    report = frontier_report(sides(*recorded(*NAMES, latency_ms=None, latency_source=None)))
    assert not report.by_latency
    assert report.recommendation.name == "hybrid"
    assert "no latency was recorded" in report.recommendation.sentence
    assert by_name(report)["hybrid"].standing.on_frontier


def test_server_side_latencies_count_where_the_client_has_none():
    changes = {"latency_ms": None, "latency_source": None, "server_ms": 5000.0}
    report = frontier_report(sides(*recorded("hybrid", **changes)))
    assert by_name(report)["hybrid"].p95.value == 5000.0


def test_the_document_holds_every_figure_with_its_interval_and_n():
    found = frontier_document(frontier_report(sides(*recorded(*NAMES))))
    assert found["limits"] == {"max_p95_ms": 8000.0, "min_high_tier_ratio": 0.9, "max_cost_usd": None}
    own = found["strategies"][1]
    assert own["cost_per_request_usd"]["value"] == pytest.approx(0.02)
    assert own["p95_ms"]["n"] == own["high_tier_ratio"]["n"] == own["requests"] == 40
