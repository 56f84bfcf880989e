"""Means, shares, scores and ratios from sums over clusters: by hand, by property, by coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, t

from harness.analysis.distributions import binomial_below, normal_quantile, normal_quantiles, t_quantile
from harness.analysis.moments import (
    NO_MOMENTS,
    mean_estimate,
    moments_of,
    numbered,
    score_estimate,
    share_estimate,
    wilson,
)


def test_cluster_robust_error_by_hand():
    # mean 2.5; cluster sums of deviations: x -1.5 - 0.5 = -2, y 0.5 + 1.5 = 2
    # variance = 2/1 * (4 + 4) / 16 = 1; half width = t(1 df) = 12.7062
    found = mean_estimate(moments_of([1.0, 2.0, 3.0, 4.0], numbered("xxyy")))
    assert found.value == 2.5
    assert found.high - found.value == pytest.approx(12.7062, rel=1e-4)
    assert found.method == "cluster_t"


def test_money_is_never_bounded_below_zero():
    sums = moments_of([0.0, 0.0, 0.0, 1.0])
    assert mean_estimate(sums).low < 0
    assert mean_estimate(sums, least=0.0).low == 0.0


def test_one_cluster_has_no_interval_and_nothing_has_no_value():
    assert mean_estimate(moments_of([1.0, 2.0, 3.0], numbered("xxx"))).low is None
    assert share_estimate(moments_of([1.0, 0.0, 1.0], numbered("xxx"))).low is None
    for estimate in (mean_estimate, share_estimate, score_estimate):
        assert estimate(NO_MOMENTS).value is None
        assert estimate(NO_MOMENTS).n == 0


def test_a_ratio_is_the_sums_quotient_with_linearised_error():
    # R = 6 / 3 = 2; residuals u - R v: 1 - 2 = -1, 5 - 4 = 1; G/(G-1) * 2 / 3^2
    found = mean_estimate(moments_of([1.0, 5.0], of=[1.0, 2.0]))
    assert found.value == 2.0
    assert found.high - 2.0 == pytest.approx(t_quantile(1, 0.975) * np.sqrt(2 * 2) / 3)


def test_the_smoke_suite_as_it_was_seen():
    # 18 answers to 6 cases, 4 of them below the high tier: two cases of 1, one of 2
    hits = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0]
    found = share_estimate(moments_of(hits, numbered([i // 3 for i in range(18)])))
    assert found.value == pytest.approx(14 / 18)
    assert found.low < 0.5 < 0.5483 < found.high  # plain Wilson begins at 0.548
    assert found.method == "cluster_wilson"


@given(st.lists(st.floats(0, 1), min_size=2, max_size=60), st.integers(1, 20))
def test_scores_and_their_interval_stay_within_their_range(scores, cases):
    clusters = numbered([i % cases for i in range(len(scores))])
    found = score_estimate(moments_of(scores, clusters))
    if found.low is not None:
        assert 0 <= found.low <= found.value + 1e-9
        assert found.value - 1e-9 <= found.high <= 1


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1e6)), min_size=1, max_size=80))
def test_sums_of_two_halves_are_the_sums_of_the_whole(rows):
    cases = np.array([case for case, _ in rows], dtype=np.intp)
    values = np.array([value for _, value in rows])
    left = cases < 3
    whole = moments_of(values, cases)
    halves = [moments_of(values[side], cases[side]) for side in (left, ~left) if side.any()]
    total = sum(halves[1:], halves[0])
    for name in ("n", "clusters", "u", "v", "uu", "uv", "vv"):
        assert getattr(total, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-9)


def test_equal_values_have_no_spread_whatever_the_rounding():
    found = mean_estimate(moments_of([0.1] * 1_000))
    assert found.low == found.value == found.high


def test_wilson_by_hand():
    # 0 of 300: upper = z^2 / (n + z^2) = 3.8415 / 303.8415
    zero = wilson(0, 300)
    assert (zero.value, zero.low) == (0.0, 0.0)
    assert zero.high == pytest.approx(3.8414588 / 303.8414588)
    # the standard example, 3 of 10: 0.1078 to 0.6032
    assert (wilson(3, 10).low, wilson(3, 10).high) == pytest.approx((0.10779, 0.60322), abs=1e-4)


def test_clustered_shares_cover_where_plain_ones_do_not():
    rng = np.random.default_rng(8)
    clusters = np.repeat(np.arange(60), 6)
    clustered = plain = 0
    for _ in range(500):
        chance = rng.beta(0.5, 0.5, size=60)  # mean 1/2, cases far apart
        hits = (rng.random(360) < chance[clusters]).astype(float)
        own, naive = share_estimate(moments_of(hits, clusters)), share_estimate(moments_of(hits))
        clustered += own.low <= 0.5 <= own.high
        plain += naive.low <= 0.5 <= naive.high
    assert 0.93 <= clustered / 500 <= 0.98
    assert plain / 500 < 0.8


@given(st.integers(1, 3000), st.sampled_from([0.05, 0.5, 0.9, 0.95, 0.999]))
def test_binomial_probabilities_are_scipys(n, q):
    first, below = binomial_below(n, q)
    for k in range(first, first + below.size):
        assert below[k - first] == pytest.approx(binom.cdf(k - 1, n, q), abs=1e-11)


def test_quantiles_are_scipys():
    assert t_quantile(7, 0.975) == pytest.approx(t.ppf(0.975, 7))
    assert normal_quantiles(np.array([0.025, 0.5])) == pytest.approx([-1.959964, 0.0], abs=1e-6)
    assert normal_quantile(0.975) == pytest.approx(1.959964, abs=1e-6)
