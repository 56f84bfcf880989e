"""Figures of the pages against the command line and against figures computed by hand."""

import json
import random
from decimal import Decimal

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from dashboard.frame.scope import Scope
from dashboard.queries.cost import forecast, money
from dashboard.queries.costdetail import cost_distribution, cost_over_time
from dashboard.queries.latency import latency_figures
from dashboard.queries.latencydetail import _point_ms, distributions, stages, step_for, timeline
from dashboard.queries.quality import graders, group_quality
from dashboard.queries.savings import other_prices, ways
from harness.analysis.forecast import forecast_cost
from harness.analysis.moments import moments_of, numbered, score_estimate
from harness.analysis.percentile import latency_percentile
from harness.cli.cost import app as cost_app
from harness.cli.savings import app as savings_app
from harness.cli.strategies import app as strategies_app
from harness.figures import ranking
from harness.records import dump_json
from harness.report.frontier_document import frontier_document
from harness.store import Spool, open_store
from harness.strategies.search import Limits
from tests.dashboard.stores import Plan, begin, exchange

A = Scope(kind="baseline", mode="emulated", run_ids=("run-a",))
B = Scope(kind="baseline", mode="emulated", run_ids=("run-b",))
E = Scope(kind="eval", mode="emulated", run_ids=("run-e",))


def cli_json(app, *arguments):
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout, parse_float=Decimal)


@pytest.mark.parametrize("scope", [A, B, E])
def test_cost_equals_harness_cost(full, scope):
    with open_store(full).snapshot() as view:
        spent = money(view, scope)
        (way, *_) = ways(view, scope, None, 100_000).ways
        exact = other_prices(view, scope, way.name, ()).figures.breakdown
    cli = cli_json(cost_app, "--run", scope.run_ids[0], "--store", str(full), "--per-month", "100000")
    assert sum(r.cost_usd or 0 for r in spent.sums.rows) == Decimal(str(cli["known_cost_usd"]))
    assert spent.sums.unpriced_calls == cli["unpriced_calls"]
    assert {(r.role, r.provider, r.model): r.cost_usd for r in spent.sums.rows} == {
        (r["role"], r["provider"], r["model"]): Decimal(str(r["cost_usd"])) for r in cli["by_model"]
    }
    if not spent.sums.unpriced_calls:
        with open_store(full).snapshot() as view:
            month = forecast(view, scope, 100_000)
        assert month.cost_usd == pytest.approx(Decimal(str(cli["monthly_cost_usd"])), abs=Decimal("1e-4"))
    if scope is A:
        assert exact.saving_ratio == cli["saving_ratio"]
        assert exact.naive_cost_usd == Decimal(str(cli["naive_cost_usd"]))
        assert exact.misstatement_ratio == cli["misstatement_ratio"]


def test_savings_equal_harness_savings(full):
    with open_store(full).snapshot() as view:
        found = ways(view, E, None, 100_000)
        others = [other_prices(view, E, way.name, ("openai/gpt-4o", "nobody/none")) for way in found.ways]
    assert {other.unpriced for other in others} == {("nobody/none",)}
    cli = cli_json(
        savings_app, "run-e", "--store", str(full), "--per-month", "100000", "--compare", "openai/gpt-4o"
    )
    assert [way.name for way in found.ways] == [side["strategy"] for side in cli["sides"]]
    for way, other, side in zip(found.ways, others, cli["sides"], strict=True):
        total = way.figures.total
        assert total.per_request.value == pytest.approx(float(side["total"]["per_request_usd"]["value"]))
        assert total.per_month.value == pytest.approx(float(side["total"]["per_month_usd"]["value"]))
        assert len(other.figures.what_if) == len(side["what_if"]["cells"])
    for way, saving in zip(found.ways[1:], cli["savings"], strict=True):
        for name in ("value", "low", "high"):
            assert getattr(way.saving.ratio, name) == pytest.approx(float(saving["saving_ratio"][name]))


def assert_same(told, drawn):
    """Equal but for the last digits: the database adds floats up in no fixed order."""
    if isinstance(told, dict):
        assert told.keys() == drawn.keys()
        told, drawn = list(told.values()), list(drawn.values())
    if isinstance(told, list):
        for one, other in zip(told, drawn, strict=True):
            assert_same(one, other)
    else:
        assert told == (pytest.approx(drawn, rel=1e-9, abs=1e-12) if isinstance(told, float) else drawn)


@pytest.mark.parametrize("limits", [None, Limits(max_p95_ms=9000, min_high_tier=0.5)])
def test_the_frontier_equals_harness_strategies_frontier(full, limits):
    with open_store(full).snapshot() as view:
        found = ways(view, E, None, 1, limits=limits)
    flags = ["--max-p95", "9s", "--min-high-tier", "0.5"] if limits else []
    result = CliRunner().invoke(strategies_app, ["frontier", "run-e", "--store", str(full), "--json", *flags])
    assert_same(json.loads(result.stdout), json.loads(dump_json(frontier_document(found.frontier))))
    assert [way.place.name for way in found.ways] == [way.name for way in found.ways]


def test_a_failed_request_stays_with_its_runs_strategy_and_provider(full):
    with open_store(full).snapshot() as view:
        (way,) = ways(view, B, None, 1).ways
        (group,) = latency_figures(view, B, "provider").groups
        (filtered,) = latency_figures(
            view, Scope(kind="baseline", mode="emulated", run_ids=("run-b",), providers=("anthropic",))
        ).groups
    assert way.figures.side.strategy == "all-anthropic"
    assert (group.group, group.failures) == ("anthropic", 3)
    assert filtered.failures == 3


@pytest.mark.parametrize("failures", [0, 1, 2, 5, 19, 20])
@pytest.mark.parametrize("n", [1, 19, 20, 21, 100, 101])
def test_sql_quantiles_follow_the_rules_of_the_analysis(failures, n):
    if failures > n:
        return
    values = np.random.default_rng(n).lognormal(8, 0.5, n - failures)
    everything = [*values.tolist(), *[float("inf")] * failures]
    for q in (0.5, 0.95, 0.99):
        ((found,),) = duckdb.execute(
            f"SELECT quantile_cont(x, {q}) FROM (SELECT unnest(?::DOUBLE[]) AS x)", [everything]
        ).fetchall()
        slowest = float(values.max()) if values.size else None
        ours = _point_ms(q, found, slowest, n, failures)
        theirs = latency_percentile(values, failures=failures, q=q)
        assert ours == (None if theirs.value_ms is None else pytest.approx(theirs.value_ms))


def test_intervals_of_large_selections_agree_with_the_exact_ones(full, monkeypatch):
    with open_store(full).snapshot() as view:
        exact = latency_figures(view, E).groups[0]
        monkeypatch.setattr(ranking, "IN_MEMORY_ROWS", 0)
        large = latency_figures(view, E).groups[0]
    for ours, theirs in zip(large.quantiles, exact.quantiles, strict=True):
        assert (ours.value, ours.n, ours.over_limit) == (theirs.value, theirs.n, theirs.over_limit)
    assert large.quantiles[0].low == pytest.approx(exact.quantiles[0].low, rel=0.05)
    assert large.quantiles[0].high == pytest.approx(exact.quantiles[0].high, rel=0.05)


def test_clustered_means_in_sql_equal_the_analysis(full):
    with open_store(full).snapshot() as view:
        groups = {found.group: found for found in group_quality(view, E, "strategy")}
        rows = view.requests("run-e")
        by_grader = graders(view, E)
    for strategy, found in groups.items():
        own = [row for row in rows if row.strategy == strategy]
        cases = numbered([row.case_id for row in own])
        expected = score_estimate(moments_of([row.quality_score for row in own], cases))
        assert found.score.value == pytest.approx(expected.value)
        assert found.score.low == pytest.approx(expected.low)
        assert found.score.n == expected.n
    assert {result.grader for result in by_grader} == {"schema", "topology", "coverage", "provenance"}
    assert all(result.score.n == 60 for result in by_grader)


def test_the_forecast_is_the_analysis_own(full):
    with open_store(full).snapshot() as view:
        ours = forecast(view, B, 5_000)
        rows = [row for row in view.requests("run-b") if row.cost_usd is not None]
    theirs = forecast_cost([float(row.cost_usd) for row in rows], 5_000, clusters=[r.case_id for r in rows])
    assert float(ours.cost_usd) == pytest.approx(theirs.cost_usd, rel=1e-5)
    assert ours.low_usd == pytest.approx(theirs.low_usd)
    assert ours.high_usd == pytest.approx(theirs.high_usd)


def test_details_add_up_to_the_whole(full):
    with open_store(full).snapshot() as view:
        spent, over_time = money(view, A), cost_over_time(view, A)
        spread, times = cost_distribution(view, A), timeline(view, A)
        (shape,) = distributions(view, B, "all", 8000.0)
        parts = {part.name[0]: part for part in stages(view, A)}
    assert sum(row[3] for row in over_time.rows) == pytest.approx(float(spent.sums.total_usd))
    assert sum(row[3] for row in spread.bins) == spread.n == 120
    assert sum(bucket.n for bucket in times.buckets) == 120
    assert shape.share[-1] == pytest.approx(117 / 120)
    assert (shape.n, shape.failures) == (120, 3)
    assert parts["draft"].n == 120
    assert parts["repair"].n == 30


def test_buckets_are_few_and_full():
    assert step_for(30, 300) == 5
    assert step_for(86_400, 10_000_000) == 1800
    assert step_for(0, 1) == 1


def test_a_part_of_a_run_costs_what_its_requests_cost(full):
    rows = sorted((row for row in stored(full, "run-a")), key=lambda row: row.scheduled_at)
    half = rows[60].scheduled_at
    with open_store(full).snapshot() as view:
        first = money(view, Scope(kind="baseline", mode="emulated", run_ids=("run-a",), until=half))
        second = money(view, Scope(kind="baseline", mode="emulated", run_ids=("run-a",), since=half))
    assert first.sums.total_usd == sum(row.cost_usd for row in rows[:60])
    assert second.sums.total_usd == sum(row.cost_usd for row in rows[60:])


def test_attempts_of_a_killed_sender_were_paid_all_the_same(tmp_path):
    plan = Plan(run_id="run-k", name="killed", requests=30, status=None)
    rng = random.Random(2)
    paid = Decimal(0)
    with Spool.open(tmp_path) as spool:
        spool.append(begin(plan)).result()
        for seq in range(30):
            row, calls = exchange(plan, seq, rng)
            spool.append_many([*([row] if seq < 25 else []), *calls]).result()
            paid += sum(call.cost_usd for call in calls)
    with open_store(tmp_path).snapshot() as view:
        spent = money(view, Scope(kind="baseline", mode="emulated"))
    assert spent.sums.requests == 25
    assert spent.sums.total_usd == paid


def stored(store, run_id):
    with open_store(store).snapshot() as view:
        return view.requests(run_id)
