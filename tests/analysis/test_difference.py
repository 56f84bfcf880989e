"""Two runs: intervals by hand, pairing, coverage, and what must not be called a difference."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from harness.analysis.compare import compare_runs
from harness.analysis.difference import mean_difference, ratio_difference, recovered_interval
from harness.analysis.interval import Estimate
from tests.judged_rows import failed, request


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="by hand", n=10)


def run_of(latencies, **changes):
    return [request(seq, float(value), **changes) for seq, value in enumerate(latencies)]


def test_recovered_interval_by_hand():
    # b - a = 4; below: sqrt(3^2 + 4^2) = 5; above: sqrt(12^2 + 5^2) = 13
    assert recovered_interval(estimate(10, 5, 14), estimate(14, 11, 26)) == (4 - 5, 4 + 13)
    assert recovered_interval(estimate(10, 5, None), estimate(14, 11, 26)) == (None, 17.0)


def test_newcombes_published_example():
    # Newcombe (1998), table II, example (a), 56/70 against 48/80: 0.0524 to 0.3339
    found = ratio_difference("share", (48, 80), (56, 70))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_paired_t_by_hand():
    a = {"x": [1.0], "y": [2.0], "z": [3.0]}
    b = {"x": [2.0], "y": [4.0], "z": [6.0]}
    found = mean_difference("score", "score", a, b)
    # changes 1, 2, 3: mean 2, s = 1, half width 4.302653 / sqrt(3)
    assert found.paired
    assert found.value == 2.0
    assert found.high - 2.0 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-5)


def test_a_run_against_itself_does_not_differ():
    rows = run_of(np.random.default_rng(1).lognormal(8, 0.4, 300))
    comparison = compare_runs(rows, rows)
    assert comparison.paired
    for difference in comparison.differences:
        assert difference.value in (0.0, None)
        assert not difference.significant


def test_a_shift_of_every_request_is_seen_and_has_a_direction():
    values = np.random.default_rng(2).lognormal(8, 0.4, 300)
    slower = compare_runs(run_of(values), run_of(values * 1.3))
    assert slower.named("p95_latency").regression
    faster = compare_runs(run_of(values * 1.3), run_of(values))
    assert faster.named("p95_latency").improvement
    assert not faster.named("p95_latency").regression


def test_better_quality_is_no_regression():
    rows = run_of([3000.0] * 100)
    better = [replace(row, quality_score=0.99) for row in rows]
    worse = [replace(row, quality_score=0.5 + 0.1 * (row.seq % 2)) for row in rows]
    assert compare_runs(rows, better).named("quality_score").regression is False
    assert compare_runs(rows, worse).named("quality_score").regression


def test_unknown_costs_make_no_difference_of_zero():
    rows = run_of([3000.0] * 100)
    silent = [replace(row, cost_usd=None) for row in rows]
    found = compare_runs(rows, silent).named("cost_per_request")
    assert (found.value, found.b, found.n_b) == (None, None, 0)


def test_failures_reach_the_comparison():
    rows = run_of([3000.0] * 100)
    broken = [failed(seq) if seq % 4 == 0 else row for seq, row in enumerate(rows)]
    comparison = compare_runs(rows, broken)
    assert comparison.named("error_ratio").regression
    assert comparison.named("p95_latency").b is None


def test_an_empty_run_is_a_problem_not_a_zero():
    assert compare_runs([], run_of([1.0] * 50)).problem == "one of the runs has no requests"


@pytest.mark.parametrize("paired", [True, False])
def test_coverage_of_the_p95_difference(paired):
    rng = np.random.default_rng(11)
    truth = math.exp(8.1 + 0.4 * 1.6448536) - math.exp(8.0 + 0.4 * 1.6448536)
    hits, runs = 0, 40
    template = run_of([1.0] * 300)
    if not paired:
        template = [replace(row, case_id=None) for row in template]
    for _ in range(runs):
        a = [
            replace(row, latency_ms=float(v))
            for row, v in zip(template, rng.lognormal(8.0, 0.4, 300), strict=True)
        ]
        b = [
            replace(row, latency_ms=float(v))
            for row, v in zip(template, rng.lognormal(8.1, 0.4, 300), strict=True)
        ]
        found = compare_runs(a, b).named("p95_latency")
        hits += (found.low is None or found.low <= truth) and (found.high is None or truth <= found.high)
    assert hits / runs >= 0.85  # the long simulation is in the campaign


def test_cost_differences_pair_by_case():
    rows = run_of([3000.0] * 120)
    dear = [replace(row, cost_usd=Decimal("0.02") + row.seq % 40 * Decimal("0.001")) for row in rows]
    less = [replace(row, cost_usd=row.cost_usd - Decimal("0.0005")) for row in dear]
    found = compare_runs(dear, less).named("cost_per_request")
    assert found.paired
    assert found.high < 0  # the spread between cases is forty times the saving; pairing removes it
    assert found.value == pytest.approx(-0.0005)


def test_paired_rows_add_up_when_cases_were_asked_unevenly():
    found = mean_difference("cost", "usd", {"x": [1.0], "y": [3.0]}, {"x": [1.0, 1.0, 1.0], "y": [4.0]})
    assert (found.a, found.b, found.value) == (2.0, 2.5, 0.5)
