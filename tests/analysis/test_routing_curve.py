"""The cost-quality curve of a router: by hand, chance, and coverage."""

import numpy as np
import pytest

from harness.analysis.routing_curve import routing_curve


def test_a_curve_by_hand():
    # the strong model wins on two of four; the score sends one of them first, the other last
    found = routing_curve(
        np.array([1.0, 0.0, 0.0, 1.0]), np.array([4.0, 3.0, 2.0, 1.0]), np.arange(4), confidence=0.9
    )
    # PGR 0.5, 0.5, 0.5, 1 at shares 0.25 .. 1: area 0.25 * (0.25 + 0.5 + 0.5 + 0.75)
    assert found.apgr.value == pytest.approx(0.5)
    assert found.cpt50.value == 0.25
    assert found.cpt80.value == 1.0
    assert found.improvement.value == pytest.approx(0.0)


def test_who_knows_the_grades_asks_no_more_than_needed():
    gain = np.repeat([1.0, 0.0], [30, 70])
    found = routing_curve(gain, gain, np.arange(100))
    assert found.apgr.value == pytest.approx(1 - 0.3 / 2)
    assert found.cpt80.value == pytest.approx(0.24)


def test_without_a_gap_nothing_is_recovered():
    assert routing_curve(np.zeros(10), np.arange(10.0), np.arange(10)).apgr.value is None
    assert routing_curve(np.empty(0), np.empty(0), np.empty(0, np.intp)).apgr.value is None
    assert routing_curve(np.ones(3), np.arange(3.0), np.zeros(3, np.intp)).apgr.low is None


def test_the_interval_of_a_score_that_knows_nothing_holds_a_half():
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(60):
        gain = rng.choice([-1.0, 0.0, 1.0], 200, p=[0.1, 0.5, 0.4])
        found = routing_curve(gain, rng.random(200), np.arange(200))
        hits += found.apgr.low <= 0.5 <= found.apgr.high
    assert hits >= 53
