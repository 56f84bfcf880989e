"""Power, savings, frontier and forecast: by hand and by property."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.estimate import Estimate
from harness.analysis.forecast import forecast_cost
from harness.analysis.frontier import Candidate, pareto_set, recommend
from harness.analysis.power import (
    cases_for_difference,
    chance_of_passing,
    lognormal_latencies,
    plan_for_share,
    requests_to_tell,
)


def test_a_paired_t_needs_34_cases_for_half_a_standard_deviation():
    # the standard table: d = 0.5, alpha 0.05 two-sided, power 0.8: 34 pairs, 64 a group
    assert cases_for_difference(0.5, 1.0) == 34
    assert cases_for_difference(0.5, 1.0, paired=False) == 64


def test_no_exceedance_at_all_needs_59_requests():
    plan = plan_for_share(1e-9)
    assert plan.requests == 59


def test_plans_reach_their_power_in_simulation():
    plan = plan_for_share(0.02)
    rng = np.random.default_rng(1)
    over = rng.binomial(plan.requests, 0.02, size=20000)
    from scipy.stats import binom  # noqa: PLC0415

    assert np.mean(binom.cdf(over, plan.requests, 0.05) <= 0.05) >= 0.79


def test_closer_truths_need_more_requests():
    shape = lognormal_latencies(3000, 6000)
    near = requests_to_tell(shape, true_ms=7900, limit_ms=8000)
    far = requests_to_tell(shape, true_ms=7000, limit_ms=8000)
    above = requests_to_tell(shape, true_ms=9000, limit_ms=8000)
    assert near.requests > far.requests > 59
    assert above.share_over > 0.05 > far.share_over
    with pytest.raises(ValueError, match="differ"):
        requests_to_tell(shape, true_ms=8000, limit_ms=8000)


def test_a_fixed_gate_is_weak_and_says_how_weak():
    # n = 100: passes with at most 4 over. P(Bin(100, 0.06) <= 4) = 0.2768
    assert chance_of_passing(0.06, requests=100) == pytest.approx(0.2768, abs=1e-4)


def figure(value, spread=0.0):
    low, high = (None, None) if value is None else (value - spread, value + spread)
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="by hand", n=100)


def candidate(name, cost, p95, quality, spread=0.0):
    return Candidate(
        name=name, cost_usd=figure(cost, spread), p95_ms=figure(p95), quality=figure(quality), n=100
    )


def test_the_frontier_by_hand():
    standings = pareto_set(
        [
            candidate("single", 0.03, 7000, 0.95),
            candidate("hybrid", 0.02, 7000, 0.95),
            candidate("cheap", 0.001, 4000, 0.6),
            candidate("unknown", None, 4000, 0.6),
        ]
    )
    assert [standing.on_frontier for standing in standings] == [False, True, True, False]
    assert standings[0].dominated_by == ("hybrid",)
    assert not standings[0].surely_dominated  # equal in latency and quality
    assert standings[3].excluded == "unknown: cost"


values = st.floats(0.001, 10, allow_nan=False)


@given(st.lists(st.tuples(values, values, values), min_size=1, max_size=12))
def test_frontier_properties(points):
    standings = pareto_set([candidate(str(i), *point) for i, point in enumerate(points)])
    assert any(standing.on_frontier for standing in standings)
    for standing in standings:
        assert standing.on_frontier == (not standing.dominated_by)


def test_the_recommendation_is_plain():
    choices = [
        candidate("single", 0.03, 7000, 0.95),
        candidate("hybrid", 0.02, 7000, 0.95),
        candidate("cheap", 0.001, 4000, 0.6),
    ]
    found = recommend(choices)
    assert found.name == "hybrid"
    assert found.certain
    assert found.sentence.startswith("hybrid is the cheapest with p95 <= 8 s and >= 90% high tier")
    assert recommend(choices, max_p95_ms=1000).name is None
    assert (
        "single may cost no more"
        in recommend([candidate("single", 0.021, 7000, 0.95, 0.002), choices[1]]).sentence
    )


def test_forecast_by_hand():
    # costs 1, 3: mean 2, s = sqrt 2, se = 1, t(1) = 12.7062; V = 10: half = t sqrt(100 + 20)
    found = forecast_cost([1.0, 3.0], 10)
    assert found.cost_usd == 20.0
    assert found.high_usd == pytest.approx(20 + 12.7062 * np.sqrt(120), rel=1e-4)
    assert found.low_usd == 0.0
    assert forecast_cost([], 10).cost_usd is None
    assert "1 of 3" in forecast_cost([1.0, 3.0], 10, unknown=1).note


def test_forecasts_cover_the_bill_that_comes():
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(1000):
        found = forecast_cost(rng.gamma(4, 0.005, 100), 400)
        hits += found.low_usd <= rng.gamma(4, 0.005, 400).sum() <= found.high_usd
    assert 0.93 <= hits / 1000 <= 0.97
