"""Exact intervals: by hand, by property, and by coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from harness.analysis.cluster import clustered_quantile_interval
from harness.analysis.dependence import dependent_quantile_interval, lag_correlation
from harness.analysis.interval import Sides, normal_quantile, order_statistic_ranks, quantile_interval, wilson


def test_59_requests_are_the_fewest_with_an_upper_bound_on_p95():
    # 0.95^59 = 0.0485 < 0.05 < 0.95^58 = 0.0510
    assert order_statistic_ranks(59, 0.95, 0.95, Sides.UPPER) == (0, 59)
    assert order_statistic_ranks(58, 0.95, 0.95, Sides.UPPER) == (0, 59)  # n + 1: no bound
    assert quantile_interval([1.0] * 58, q=0.95, sides=Sides.UPPER).high_ms is None
    assert quantile_interval([1.0] * 59, q=0.95, sides=Sides.UPPER).high_ms == 1.0


def test_median_of_ten_by_hand():
    # P(2 <= Bin(10, 1/2) < 9) = 1 - 2 * 11 / 1024 = 0.9785; one rank narrower covers 0.9346 only
    interval = quantile_interval([float(value) for value in range(1, 11)], q=0.5)
    assert (interval.low_ms, interval.high_ms) == (2.0, 9.0)


@given(st.integers(1, 600), st.sampled_from([0.05, 0.5, 0.9, 0.95, 0.99]), st.sampled_from(list(Sides)))
def test_ranks_reach_the_confidence(n, q, sides):
    low, high = order_statistic_ranks(n, q, 0.95, sides)
    assert 0 <= low < high <= n + 1
    below_high = binom.cdf(high - 1, n, q) if high <= n else 1.0
    below_low = binom.cdf(low - 1, n, q) if low >= 1 else 0.0
    assert below_high - below_low >= 0.95 - 1e-9


def test_failures_bound_nothing():
    interval = quantile_interval([100.0] * 280, failures=20, q=0.95)
    assert interval.high_over_limit
    assert interval.high_ms is None
    assert not interval.lies_within(1e9)
    assert quantile_interval([100.0] * 200, failures=100, q=0.95).lies_above(1e9)


def test_coverage_of_independent_requests():
    rng = np.random.default_rng(20261123)
    truth = np.exp(8 + 0.5 * 1.6448536269514722)
    hits = 0
    for _ in range(1500):
        interval = quantile_interval(np.exp(8 + 0.5 * rng.normal(size=300)), q=0.95)
        hits += interval.low_ms <= truth <= interval.high_ms
    assert 0.93 <= hits / 1500 <= 0.97


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
    for _ in range(400):
        sample = correlated(rng, 600, 0.9)
        interval = dependent_quantile_interval(sample, q=0.95)
        aware += interval.low_ms <= truth and (interval.high_ms is None or truth <= interval.high_ms)
        plain = quantile_interval(sample, q=0.95)
        naive += plain.low_ms <= truth <= plain.high_ms
    assert aware / 400 >= 0.90
    assert naive / 400 <= 0.65  # what the correction is for


def test_lag_correlation_finds_what_was_put_in():
    rng = np.random.default_rng(1)
    assert lag_correlation(correlated(rng, 4000, 0.6)) == pytest.approx(0.6, abs=0.05)
    assert abs(lag_correlation(rng.normal(size=4000))) < 0.05
    assert lag_correlation([1.0] * 100) is None
    assert lag_correlation([1.0, 2.0]) is None


def test_independent_requests_keep_the_exact_interval():
    values = np.random.default_rng(5).permutation(np.linspace(100, 900, 300))
    assert dependent_quantile_interval(values, q=0.95).method == "order_statistic"


def test_wilson_by_hand():
    # 0 of 300: upper = z^2 / (n + z^2) = 3.8415 / 303.8415
    zero = wilson(0, 300)
    assert (zero.value, zero.low) == (0.0, 0.0)
    assert zero.high == pytest.approx(3.8414588 / 303.8414588)
    # the standard example, 3 of 10: 0.1078 to 0.6032
    assert (wilson(3, 10).low, wilson(3, 10).high) == pytest.approx((0.10779, 0.60322), abs=1e-4)
    nothing = wilson(0, 0)
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)


@given(st.integers(0, 300), st.integers(0, 300))
def test_wilson_encloses_the_share(successes, more):
    estimate = wilson(successes, successes + more)
    if estimate.n:
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_twenty_cases_bound_no_p95_from_above():
    found = clustered_quantile_interval(np.arange(60.0), [n // 3 for n in range(60)], q=0.95)
    assert (found.high_ms, found.n) == (None, 60)
    assert found.low_ms is not None
    assert clustered_quantile_interval([], [], q=0.95).high_ms is None
    assert clustered_quantile_interval([1.0] * 90, ["one"] * 90, q=0.95).low_ms is None


def test_failures_bound_a_clustered_quantile_too():
    found = clustered_quantile_interval([100.0] * 250 + [np.inf] * 50, q=0.95)
    assert (found.low_over_limit, found.high_over_limit, found.high_ms) == (True, True, None)


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_coverage_of_clustered_quantiles(q):
    # 60 briefs, 3 repeats each, cases as different as repeats
    rng = np.random.default_rng(11)
    truth = float(np.exp(np.sqrt(2.0) * normal_quantile(q)))
    cases = [case for case in range(60) for _ in range(3)]
    covered, runs = 0, 600
    for _ in range(runs):
        rows = np.exp(np.repeat(rng.normal(size=60), 3) + rng.normal(size=180))
        found = clustered_quantile_interval(rows, cases, q=q)
        covered += (found.low_ms is None or found.low_ms <= truth) and (
            found.high_ms is None or truth <= found.high_ms
        )
    assert covered / runs >= 0.94
