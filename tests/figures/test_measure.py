"""The room's figures against a second, slow reckoning in plain Python, small and large, store and file alike."""

import math
from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from harness.analysis.moments import mean_estimate, moments_of, numbered, score_estimate, share_estimate
from harness.analysis.quantile import QuantileSample, quantile_estimates
from harness.errors import UsageError
from harness.figures import (
    Quantile,
    Rows,
    Selection,
    all_figures,
    figure_named,
    measure,
    measure_all,
    ranking,
    selection,
)
from harness.records import (
    Call,
    CallOutcome,
    ErrorKind,
    LatencySource,
    ProviderMode,
    Request,
    RequestStatus,
    Role,
    Run,
    RunKind,
    tier_of,
)
from harness.store.database.memory_view import records_snapshot
from tests.near import near

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RUN = Run(run_id="r", kind=RunKind.BASELINE, name="n", started_at=START, provider_mode=ProviderMode.EMULATED)


def request(seq, *, ms=1000.0, case=None, ok=True, cost="0.01", score=0.95, strategy="hybrid", **more):
    known = {
        "draft_source": "anthropic",
        "draft_model": "m",
        "draft_cost_usd": Decimal(cost),
        "cost_usd": Decimal(cost),
        "quality_score": score,
        "quality_tier": tier_of(score),
        "strategy": strategy,
        "provider_mode": ProviderMode.EMULATED,
    }
    return Request(
        run_id="r",
        request_id=f"q{seq}",
        status=RequestStatus.OK if ok else RequestStatus.ERROR,
        error_kind=None if ok else ErrorKind.UPSTREAM_5XX,
        seq=seq,
        case_id=case,
        scheduled_at=START + timedelta(seconds=seq),
        latency_ms=ms,
        latency_source=LatencySource.CLIENT,
        **(known | more if ok else more),
    )


def rows_of(requests, calls=(), **selection):
    return Rows(records_snapshot([RUN, *requests, *calls], "test"), Selection(run_ids=("r",), **selection))


def drawn(n, cases, seed=3):
    rng = np.random.default_rng(seed)
    return [
        request(
            seq,
            ms=float(rng.lognormal(7, 0.5)),
            case=None if cases is None else f"c{seq % cases}",
            ok=rng.random() > 0.05,
            cost=f"{rng.random():.6f}",
            score=float(rng.random() ** 0.2),
        )
        for seq in range(n)
    ]


@pytest.mark.parametrize("cases", [None, 7, 10_000])
@pytest.mark.parametrize("in_memory", [True, False])
def test_every_figure_is_what_plain_python_says(monkeypatch, cases, in_memory):
    monkeypatch.setattr(ranking, "IN_MEMORY_ROWS", 10_000 if in_memory else 10)
    requests = drawn(400, cases)
    found = measure_all(rows_of(requests))
    ok = [row for row in requests if row.status is RequestStatus.OK]

    def clusters(rows):
        return numbered([row.case_id or row.request_id for row in rows])

    hits = share_estimate(moments_of([row.quality_score >= 0.9 for row in ok], clusters(ok)))
    scores = score_estimate(moments_of([row.quality_score for row in ok], clusters(ok)))
    costs = mean_estimate(moments_of([float(row.cost_usd) for row in ok], clusters(ok)), least=0.0)
    failed = share_estimate(
        moments_of([row.status is not RequestStatus.OK for row in requests], clusters(requests))
    )
    for name, wanted in (("high_tier", hits), ("quality_score", scores), ("error_ratio", failed)):
        assert (found[name].value, found[name].low, found[name].high) == pytest.approx(
            (wanted.value, wanted.low, wanted.high), rel=1e-9
        ), name
        assert (found[name].n, found[name].method) == (wanted.n, wanted.method)
    cost = found["cost_per_request"]
    assert (cost.value, cost.low, cost.high) == pytest.approx((costs.value, costs.low, costs.high), rel=1e-9)
    assert (cost.n, cost.unknown) == (len(ok), 400 - len(ok))
    arrivals = np.array([row.latency_ms if row.status is RequestStatus.OK else math.inf for row in requests])
    sample = QuantileSample(arrivals_ms=arrivals, clusters=clusters(requests) if cases == 7 else None)
    for name, wanted in zip(
        ("p50_latency", "p95_latency", "p99_latency"),
        quantile_estimates(sample, [0.5, 0.95, 0.99]),
        strict=True,
    ):
        assert found[name].value == wanted.value, name
        assert (found[name].n, found[name].over_limit) == (400, wanted.over_limit)
        if in_memory or wanted.method != "order_statistic_dependent":
            # the blocks of time of many rows widen by themselves what is not correlated at all
            assert (found[name].low or 0) <= (wanted.value or math.inf)
        if in_memory:
            assert (found[name].low, found[name].high) == (wanted.low, wanted.high)


def test_groups_are_figures_of_their_own_rows():
    requests = [
        request(i, strategy="a" if i % 3 else "b", ms=100.0 + i, case=f"c{i % 12}") for i in range(90)
    ]
    found = measure(rows_of(requests), by="strategy")
    assert list(found) == ["a", "b"]  # largest first
    for name, own in found.items():
        alone = measure_all(rows_of(requests, strategies=(name,)))
        same = [{name: asdict(one) for name, one in side.items()} for side in (own, alone)]
        assert near(same[0]) == near(same[1])


@pytest.mark.parametrize("by", ["all", "strategy"])
@pytest.mark.parametrize("most_in_memory", [10_000, 200, 0])
def test_durations_looked_at_together_are_what_each_is_alone(monkeypatch, by, most_in_memory):
    monkeypatch.setattr(ranking, "IN_MEMORY_ROWS", most_in_memory)
    streamed = {"ttft_ms": 300.0, "itl_ms": 20.0, "service_ms": 900.0, "lateness_ms": 1.0}
    requests = [
        request(i, ms=100.0 + i * 7 % 91, strategy="a" if i % 3 else "b", case=f"c{i % 20}", ok=i % 11 != 0)
        for i in range(260)
    ]
    requests += [
        request(
            1000 + i, ms=400.0 + i, strategy="a", **{name: ms + i * 13 % 37 for name, ms in streamed.items()}
        )
        for i in range(60)
    ]
    rows = rows_of(requests)
    together = measure(rows, by=by)
    for figure in (figure for figure in all_figures() if isinstance(figure.rule, Quantile)):
        alone = measure(rows, [figure], by=by)
        assert {group: own[figure.name] for group, own in together.items()} == {
            group: own[figure.name] for group, own in alone.items()
        }, figure.name
    assert together["all" if by == "all" else "a"]["p95_ttft"].n == 60


def test_requests_told_by_their_attempts_count_alike_however_many(monkeypatch):
    requests = [request(i, ok=i % 4 != 0, case=f"c{i % 9}") for i in range(80)]
    calls = [call(i, "0.002") for i in range(0, 80, 4)]
    few = measure_all(rows_of(requests, calls))
    monkeypatch.setattr(selection, "KEPT_SILENT", 0)
    many = measure_all(rows_of(requests, calls))
    assert many["cost_per_request"].value == pytest.approx(few["cost_per_request"].value)
    assert (many["cost_per_request"].n, many["error_ratio"]) == (80, few["error_ratio"])
    assert few["cost_per_request"].n == 80


def test_warmups_count_nowhere():
    requests = [request(i) for i in range(30)] + [request(99, ms=9e6, warmup=True)]
    assert measure_all(rows_of(requests))["p95_latency"].n == 30
    assert measure_all(rows_of(requests))["p95_latency"].value == 1000.0


def test_failures_rank_above_every_answer():
    requests = [request(i, ok=i % 10 != 0) for i in range(100)]
    found = measure_all(rows_of(requests))
    assert found["p95_latency"].over_limit
    assert found["p95_latency"].value is None
    assert found["p50_latency"].value == 1000.0
    assert found["error_ratio"].value == 0.1


def test_where_everything_failed_every_figure_is_unknown_and_none_is_missing():
    found = measure_all(rows_of([request(i, ok=False) for i in range(30)]))
    assert list(found) == [figure.name for figure in all_figures()]
    assert found["throughput"].value is None
    assert found["error_ratio"].value == 1.0


def test_no_figure_without_requests():
    assert measure_all(rows_of([])) == {}
    assert rows_of([]).clock is None


def test_answers_that_nobody_timed_have_no_percentile():
    requests = [request(i, ms=None) for i in range(30)] + [request(90, ms=None, ok=False)]
    found = measure_all(rows_of(requests))["p95_latency"]
    assert (found.value, found.n, found.unknown, found.over_limit) == (None, 0, 30, False)


def test_no_percentile_mixes_two_clocks():
    mixed = [request(i) for i in range(30)]
    mixed += [request(100 + i, ms=None, server_ms=50.0) for i in range(10)]
    found = measure_all(rows_of(mixed))["p95_latency"]
    assert (found.n, found.unknown, found.value) == (30, 10, 1000.0)
    served = [request(i, ms=None, server_ms=50.0) for i in range(30)]
    rows = rows_of(served)
    assert rows.clock == "server"
    assert measure_all(rows)["p95_latency"].value == 50.0


def call(seq, cost, *, role=Role.DRAFT, attempt=1, outcome=CallOutcome.ERROR):
    return Call(
        run_id="r",
        request_id=f"q{seq}",
        call_id=f"{role}-{seq}-{attempt}",
        role=role,
        attempt=attempt,
        provider="openai",
        model="gpt-4o-mini",
        started_at=START,
        outcome=outcome,
        latency_ms=1.0,
        cost_usd=None if cost is None else Decimal(cost),
    )


def test_a_failed_request_costs_what_its_attempts_cost_where_every_one_has_a_price():
    requests = [request(0, cost="0.5"), request(1, ok=False), request(2, ok=False), request(3, ok=False)]
    calls = [
        call(1, "0.25"),
        call(1, "0.125", role=Role.REPAIR),
        call(1, "9", role=Role.JUDGE, outcome=CallOutcome.OK),
        call(1, None, attempt=2, outcome=CallOutcome.REFUSED),
        call(2, "0.25"),
        call(2, None, attempt=2),
    ]
    rows = rows_of(requests, calls)
    costs = defaultdict(
        lambda: None,
        {
            key: value
            for key, *value in rows.rows("SELECT request_id, usd, draft_usd, repair_usd FROM counted")
        },
    )
    assert costs["q0"] == [Decimal("0.5"), Decimal("0.5"), Decimal(0)]
    assert costs["q1"] == [Decimal("0.375"), Decimal("0.25"), Decimal("0.125")]
    assert costs["q2"] == [None] * 3
    assert costs["q3"] == [None] * 3
    # who was asked stands for who answered, before the run's only provider does
    providers = dict(rows.rows("SELECT request_id, draft_source FROM counted"))
    assert providers == {"q0": "anthropic", "q1": "openai", "q2": "openai", "q3": "anthropic"}


def test_an_unknown_group_is_one_sentence():
    with pytest.raises(UsageError, match="cannot group by 'colour'; there is all, run"):
        measure(rows_of([request(0)]), by="colour")


def test_declarations_are_whole():
    names = [figure.name for figure in all_figures()]
    assert len(set(names)) == len(names)
    assert figure_named("p95_latency").unit == "ms"
    for figure in all_figures():
        assert figure.title, figure.name
        assert figure.rows, figure.name
        assert figure.source, figure.name
