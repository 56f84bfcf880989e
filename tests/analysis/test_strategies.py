"""Strategies against a first one: Holm by hand and by simulation, pairing, honest shares."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from harness.analysis.difference import Difference
from harness.analysis.strategies import compare_strategies, holm_decided
from harness.records import tier_of
from tests.judged_rows import failed, request


def normal_difference(z, confidence):
    """A difference of z standard errors, with its normal interval."""
    half = float(ndtri(0.5 + confidence / 2))
    return Difference(
        name="x",
        unit="score",
        a=0.0,
        b=z,
        value=z,
        low=z - half,
        high=z + half,
        confidence=confidence,
        method="normal",
        paired=True,
        n_a=9,
        n_b=9,
    )


def holm_by_p_values(z, alpha=0.05):
    p = 2 * (1 - ndtr(np.abs(z)))
    rejected = np.zeros(len(z), dtype=bool)
    for rank, index in enumerate(np.argsort(p)):
        if p[index] > alpha / (len(z) - rank):
            break
        rejected[index] = True
    return rejected


def test_interval_by_interval_holm_decides_as_the_ordered_p_values_do():
    rng = np.random.default_rng(4)
    for _ in range(300):
        z = rng.normal(0, 2, rng.integers(1, 9))
        found = holm_decided(lambda level, z=z: [normal_difference(x, level) for x in z])
        assert [d.significant for d in found] == holm_by_p_values(z).tolist()


def test_holm_by_hand():
    # p = 0.0004, 0.02, 0.2 at 5%: 0.05/3 rejects the first, 0.05/2 the second, 0.05 not the third
    z = [3.54, 2.326, 1.28]
    found = holm_decided(lambda level: [normal_difference(x, level) for x in z])
    assert [d.significant for d in found] == [True, True, False]
    assert [round(d.confidence, 4) for d in found] == [0.9833, 0.975, 0.95]


def noisy(rng, run_id, cases=30, shift=0.0):
    scores = np.clip(rng.normal(0.85, 0.06, cases) + shift, 0, 1)
    latency = rng.lognormal(8, 0.3, cases)
    return [
        replace(
            request(seq, float(latency[seq])),
            run_id=run_id,
            request_id=f"{run_id}-{seq}",
            case_id=f"case-{seq}",
            quality_score=float(scores[seq]),
            quality_tier=tier_of(float(scores[seq])),
            cost_usd=Decimal(str(round(rng.lognormal(-4, 0.2), 8))),
        )
        for seq in range(cases)
    ]


def test_strategies_that_do_not_differ_are_seldom_called_different():
    rng = np.random.default_rng(11)
    false_alarms = 0
    for _ in range(40):
        first, *others = [noisy(rng, f"r{index}") for index in range(4)]
        found = compare_strategies((first, ()), [(rows, ()) for rows in others])
        false_alarms += any(d.significant for paired in found for d in paired.comparison.differences)
    assert false_alarms <= 6  # 18 figures at 95% each would alarm in about half of the trials


def test_a_real_difference_is_found_and_paired():
    rng = np.random.default_rng(3)
    first = noisy(rng, "a")
    dearer = [replace(row, run_id="b", cost_usd=row.cost_usd * 2) for row in first]
    (found,) = compare_strategies((first, ()), [(dearer, ())])
    cost = found.comparison.named("cost_per_request")
    assert found.cases == 30
    assert cost.regression
    assert cost.value == pytest.approx(float(np.mean([float(row.cost_usd) for row in first])))
    assert not any(d.significant for d in found.comparison.differences if d.name != "cost_per_request")


def test_cases_of_one_side_only_are_left_out_and_counted():
    rng = np.random.default_rng(5)
    first, second = noisy(rng, "a", 30), noisy(rng, "b", 24)
    (found,) = compare_strategies((first, ()), [(second, ())])
    assert (found.cases, found.cases_left_out) == (24, 6)
    (few,) = compare_strategies((first[:5], ()), [(second[:5], ())])
    assert (few.cases, few.comparison.paired) == (0, False)


def test_an_unknown_cost_leaves_its_case_out_on_both_sides():
    rng = np.random.default_rng(6)
    first, second = noisy(rng, "a", 20), noisy(rng, "b", 20)
    second[0] = replace(second[0], cost_usd=None, draft_cost_usd=None)
    (found,) = compare_strategies((first, ()), [(second, ())])
    cost = found.comparison.named("cost_per_request")
    assert cost.paired
    assert cost.n_a == 19


def test_no_failures_on_either_side_is_no_proof_that_there_are_none():
    rng = np.random.default_rng(7)
    (found,) = compare_strategies((noisy(rng, "a"), ()), [(noisy(rng, "b"), ())])
    errors = found.comparison.named("error_ratio")
    assert errors.value == 0.0
    assert errors.low < -0.05 < 0.05 < errors.high


def test_a_strategy_that_fails_is_worse_however_fast_its_failures_are():
    rng = np.random.default_rng(8)
    first = noisy(rng, "a", 40)
    broken = [
        replace(failed(seq), run_id="b", request_id=f"b-{seq}", case_id=f"case-{seq}") for seq in range(40)
    ]
    (found,) = compare_strategies((first, ()), [(broken, ())])
    assert found.comparison.named("error_ratio").regression
    assert found.comparison.named("p95_latency").value is None  # 3 ms failures are no latency
