"""The one rule for percentiles: by hand, by property, and by coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from harness.analysis.dependence import lag_correlation
from harness.analysis.distributions import normal_quantile
from harness.analysis.estimate import Sides
from harness.analysis.order_statistics import order_statistic_ranks
from harness.analysis.quantile import QuantileSample, quantile_at, quantile_estimates, quantile_ranks


def estimate(latencies, q, *, clusters=None, sides=Sides.BOTH):
    numbers = None if clusters is None else np.asarray(clusters, dtype=np.intp)
    sample = QuantileSample(arrivals_ms=np.asarray(latencies, dtype=np.float64), clusters=numbers)
    return quantile_estimates(sample, [q], sides=sides)[0]


def independent(latencies, q):
    ranked = np.sort(latencies)
    ranks = quantile_ranks(ranked.size, q)
    at = {rank: float(ranked[rank - 1]) for rank in ranks.wanted if 1 <= rank <= ranked.size}
    return quantile_at(ranks, at, n=ranked.size, failures=0)


def encloses(found, truth):
    return (found.low is None or found.low <= truth) and (found.high is None or truth <= found.high)


def test_59_requests_are_the_fewest_with_an_upper_bound_on_p95():
    # 0.95^59 = 0.0485 < 0.05 < 0.95^58 = 0.0510
    assert order_statistic_ranks(59, 0.95, 0.95, Sides.UPPER) == (0, 59)
    assert order_statistic_ranks(58, 0.95, 0.95, Sides.UPPER) == (0, 59)  # n + 1: no bound
    assert estimate([1.0] * 58, 0.95, sides=Sides.UPPER).high is None
    assert estimate([1.0] * 59, 0.95, sides=Sides.UPPER).high == 1.0


def test_median_of_ten_by_hand():
    # P(2 <= Bin(10, 1/2) < 9) = 1 - 2 * 11 / 1024 = 0.9785; one rank narrower covers 0.9346 only
    found = estimate([float(value) for value in range(1, 11)], 0.5)
    assert (found.low, found.value, found.high) == (2.0, 5.5, 9.0)


@given(st.integers(1, 600), st.sampled_from([0.05, 0.5, 0.9, 0.95, 0.99]), st.sampled_from(list(Sides)))
def test_ranks_reach_the_confidence(n, q, sides):
    low, high = order_statistic_ranks(n, q, 0.95, sides)
    assert 0 <= low < high <= n + 1
    below_high = binom.cdf(high - 1, n, q) if high <= n else 1.0
    below_low = binom.cdf(low - 1, n, q) if low >= 1 else 0.0
    assert below_high - below_low >= 0.95 - 1e-9


def test_ten_million_requests_have_exact_ranks_too():
    low, high = order_statistic_ranks(10_000_000, 0.95)
    assert binom.cdf(high - 1, 10_000_000, 0.95) - binom.cdf(low - 1, 10_000_000, 0.95) >= 0.95
    assert binom.cdf(high - 2, 10_000_000, 0.95) - binom.cdf(low - 1, 10_000_000, 0.95) < 0.9501


def test_failures_bound_nothing():
    every_15th = np.where(np.arange(300) % 15 == 7, np.inf, 100.0)
    found = estimate(every_15th, 0.95)
    assert found.high_over_limit
    assert found.high is None
    assert not found.lies_within(1e9)
    assert estimate(np.where(np.arange(300) % 3 == 1, np.inf, 100.0), 0.95).lies_above(1e9)


def correlated(rng, n, correlation):
    noise = rng.normal(size=n) * np.sqrt(1 - correlation**2)
    noise[0] = rng.normal()
    for i in range(1, n):
        noise[i] += correlation * noise[i - 1]
    return np.exp(8 + 0.5 * noise)


def test_coverage_at_lag_correlation_of_nine_tenths():
    rng = np.random.default_rng(20261124)
    truth = np.exp(8 + 0.5 * 1.6448536269514722)
    aware = naive = 0
    for _ in range(200):
        sample = correlated(rng, 600, 0.9)
        aware += encloses(estimate(sample, 0.95), truth)
        naive += encloses(independent(sample, 0.95), truth)
    assert aware / 200 >= 0.90
    assert naive / 200 <= 0.65  # what the correction is for


def test_lag_correlation_finds_what_was_put_in():
    rng = np.random.default_rng(1)
    assert lag_correlation(correlated(rng, 4000, 0.6)) == pytest.approx(0.6, abs=0.05)
    assert abs(lag_correlation(rng.normal(size=4000))) < 0.05
    assert lag_correlation([1.0] * 100) is None
    assert lag_correlation([1.0, 2.0]) is None


def test_independent_requests_keep_the_exact_interval():
    values = np.random.default_rng(5).permutation(np.linspace(100, 900, 300))
    assert estimate(values, 0.95).method == "order_statistic"


def test_twenty_cases_bound_no_p95_from_above():
    found = estimate(np.arange(60.0), 0.95, clusters=[n // 3 for n in range(60)])
    assert (found.high, found.n) == (None, 60)
    assert found.low is not None
    assert estimate([], 0.95).n == 0
    assert estimate([1.0] * 90, 0.95, clusters=[0] * 90).low is None


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_coverage_of_clustered_quantiles(q):
    # 60 briefs, 3 repeats each, cases as different as repeats
    rng = np.random.default_rng(11)
    truth = float(np.exp(np.sqrt(2.0) * normal_quantile(q)))
    cases = np.tile(np.arange(60), 3)
    covered = 0
    for _ in range(300):
        rows = np.exp(np.tile(rng.normal(size=60), 3) + rng.normal(size=180))
        covered += encloses(estimate(rows, q, clusters=cases), truth)
    assert covered / 300 >= 0.93
