"""Differences of two sides: by hand, by published example, and by coverage."""

import math

import numpy as np
import pytest

from harness.analysis.estimate import Estimate
from harness.analysis.moments import mean_estimate, moments_of, wilson
from harness.analysis.shift import (
    Shift,
    holm_decided,
    paired_means,
    recovered,
    saving_between,
    saving_from,
)


def figure(value, low, high):
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="by hand", n=10)


def test_recovered_interval_by_hand():
    # b - a = 4; below: sqrt(3^2 + 4^2) = 5; above: sqrt(12^2 + 5^2) = 13
    found = recovered(figure(10, 5, 14), figure(14, 11, 26)).change
    assert (found.low, found.value, found.high) == (4 - 5, 4, 4 + 13)
    open_ended = recovered(figure(10, 5, None), figure(14, 11, 26)).change
    assert (open_ended.low, open_ended.high) == (None, 17.0)


def test_newcombes_published_example():
    # Newcombe (1998), table II, example (a), 56/70 against 48/80: 0.0524 to 0.3339
    found = recovered(wilson(48, 80), wilson(56, 70)).change
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_paired_t_by_hand():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])
    found = paired_means(moments_of(a), moments_of(b), moments_of(b - a))
    # changes 1, 2, 3: mean 2, s = 1, half width 4.302653 / sqrt(3)
    assert (found.a.value, found.b.value, found.change.value) == (2.0, 4.0, 2.0)
    assert found.change.high - 2 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert found.paired


def test_pairing_sees_what_the_spread_between_cases_hides():
    dear = 0.02 + np.arange(40) * 0.001
    less = dear - 0.0005 - 1e-5 * (np.arange(40) % 2)
    paired = paired_means(moments_of(dear), moments_of(less), moments_of(less - dear))
    apart = recovered(mean_estimate(moments_of(dear)), mean_estimate(moments_of(less)))
    assert paired.significant
    assert not apart.significant


def test_unknown_makes_no_difference_of_zero():
    found = recovered(figure(1.0, 0.5, 1.5), figure(None, None, None)).change
    assert (found.value, found.low, found.high) == (None, None, None)


def test_a_saving_by_hand():
    # means 2 and 1: half is saved; residuals 1 - 2 * 0.5 = 0 and 1 - 2 * 0.5 = 0
    found = saving_from(moments_of([1.0, 1.0], of=[2.0, 2.0]))
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert saving_between(figure(0.0, 0.0, 0.0), figure(1.0, 1.0, 1.0)).value is None
    apart = saving_between(figure(2.0, 1.8, 2.2), figure(1.0, 0.9, 1.1))
    assert (apart.value, apart.high) == (0.5, pytest.approx(0.5 + 0.5 * math.hypot(0.1, 0.1)))


def test_saving_ratio_covers():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        base = rng.gamma(20, 0.001, 40)
        other = base * 0.7 * rng.lognormal(-0.02, 0.2, 40)
        found = saving_from(moments_of(other, of=base))
        hits += found.low <= 0.3 <= found.high
    assert 0.91 <= hits / 400 <= 0.98


def test_holm_gives_each_verdict_the_confidence_that_its_turn_needs():
    def at(confidence):
        z = {0.95: 1.96, 0.975: 2.24, 1 - 0.05 / 3: 2.39}.get(round(confidence, 10), 2.4)
        none = figure(0, 0, 0)
        return [
            Shift(a=none, b=none, change=figure(value, value - z, value + z), paired=False)
            for value in (3.0, 2.3, 1.0)
        ]

    decided = holm_decided(at, 0.95)
    # 3.0 at a third of the error, 2.3 then at a half, 1.0 never
    assert [shift.significant for shift in decided] == [True, True, False]
    assert decided[1].change.low == pytest.approx(2.3 - 2.24)
