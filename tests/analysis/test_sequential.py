"""The sequential test: evidence by hand, error bounds and speed by simulation, arrival order."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.sequential import ArrivalOrderTest, Decision, SequentialTest, decide_sequence


def simulate(share, runs=2000, most=1500, seed=1):
    """(decided below, decided above, median requests to a decision) over simulated services."""
    rng = np.random.default_rng(seed)
    below = above = 0
    spent = []
    for _ in range(runs):
        outcome = decide_sequence(rng.random(most) < share)
        below += outcome.decision is Decision.BELOW
        above += outcome.decision is Decision.ABOVE
        spent.append(outcome.n)
    return below / runs, above / runs, float(np.median(spent))


def test_no_exceedance_decides_as_soon_as_the_mathematics_allow():
    # the best bet multiplies by at most 1/0.95 a request: ln 20 / ln(1/0.95) = 58.4 is the floor
    outcome = decide_sequence([False] * 200)
    assert outcome.decision is Decision.BELOW
    assert 59 <= outcome.n <= 80


def test_evidence_is_the_mixture_of_likelihood_ratios():
    test = SequentialTest()
    for exceeded in [False, True, False, True, True, False, False, False, False, False]:
        decision = test.observe(exceeded)
    from harness.analysis.sequential import _ABOVE_BETS  # noqa: PLC0415

    by_hand = sum(w * (s / 0.05) ** 3 * ((1 - s) / 0.95) ** 7 for s, w in _ABOVE_BETS)
    assert (decision is Decision.ABOVE) == (by_hand >= 1 / (0.82 * 0.05))
    assert math.isclose(sum(weight for _, weight in _ABOVE_BETS), 1.0)


@given(st.lists(st.booleans(), max_size=300), st.sampled_from([0.01, 0.05, 0.5]))
def test_one_by_one_and_all_at_once_agree(outcomes, max_ratio):
    test = SequentialTest(max_ratio=max_ratio)
    for exceeded in outcomes:
        test.observe(exceeded)
    assert decide_sequence(outcomes, max_ratio=max_ratio) == test.outcome


def test_a_cold_start_is_no_verdict():
    assert decide_sequence([True] * 9).decision is Decision.UNDECIDED
    assert decide_sequence([True] * 3 + [False] * 200).decision is not Decision.ABOVE
    assert decide_sequence([True] * 10).decision is Decision.ABOVE


def test_a_decision_stands():
    test = SequentialTest()
    for _ in range(100):
        test.observe(False)
    decided = test.outcome
    for _ in range(100):
        test.observe(True)
    assert test.outcome == decided


def test_wrong_decisions_at_the_boundary_stay_within_five_percent():
    below, above, _ = simulate(0.05)
    assert below <= 0.05
    assert above <= 0.05


def test_clear_services_decide_fast_and_right():
    below, above, median = simulate(0.01, most=2000)
    assert above <= 0.05
    assert below >= 0.95
    assert median <= 120
    below, above, median = simulate(0.20, most=500, seed=2)
    assert below <= 0.05
    assert above >= 0.95
    assert median <= 30


@pytest.mark.parametrize("max_ratio", [0.001, 0.01, 0.1, 0.5])
def test_other_percentiles_keep_their_bound(max_ratio):
    rng = np.random.default_rng(3)
    outcomes = [decide_sequence(rng.random(1000) < max_ratio, max_ratio=max_ratio) for _ in range(600)]
    for wrong in (Decision.BELOW, Decision.ABOVE):
        assert sum(outcome.decision is wrong for outcome in outcomes) / 600 <= 0.07
    quick = decide_sequence([True] * 200, max_ratio=max_ratio)
    assert quick.decision is Decision.ABOVE


def test_arrival_order_waits_for_the_head_of_the_line():
    live = ArrivalOrderTest(limit_ms=8000.0)
    for seq in range(1, 100):
        assert live.finished(seq, 100.0) is Decision.UNDECIDED  # request 0 is still out
    assert live.outcome.n == 0
    assert live.finished(0, 100.0) is Decision.BELOW


def test_a_request_in_flight_beyond_the_limit_counts_as_exceeded_once():
    live = ArrivalOrderTest(limit_ms=8000.0)
    assert live.still_in_flight(0, 7999.0) is Decision.UNDECIDED
    assert live.outcome.n == 0
    live.still_in_flight(0, 8000.1)
    live.still_in_flight(0, 9000.0)
    live.finished(0, 9500.0)
    assert (live.outcome.n, live.outcome.exceeded) == (1, 1)


def test_failures_count_as_exceeded():
    live = ArrivalOrderTest(limit_ms=8000.0)
    live.finished(0, 3.0, ok=False)
    live.finished(1, None)
    assert live.outcome.exceeded == 2


def test_finishing_order_does_not_matter():
    """Survivor bias: fast answers come back first; a test in finishing order would pass too soon."""
    rng = np.random.default_rng(5)
    latency = np.where(rng.random(400) < 0.2, 20000.0, 100.0)
    live = ArrivalOrderTest(limit_ms=8000.0)
    for seq in np.argsort(latency + np.arange(400) * 100.0, kind="stable"):
        live.finished(int(seq), float(latency[seq]))
    assert live.outcome.decision is Decision.ABOVE
    assert live.outcome == decide_sequence(latency > 8000.0)
