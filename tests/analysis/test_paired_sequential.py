"""The paired test that may be looked at after every case: its errors, and what it saves."""

import math

import numpy as np
import pytest

from harness.analysis.paired_sequential import paired_verdict

ALPHA = 0.05


def simulated(draw, *, runs=150, n=300, margin=0.0, low=-1.0, high=1.0):
    """Share of runs that say yes, that say no, and the share of pairs not asked."""
    rng = np.random.default_rng(7)
    found = [
        paired_verdict(draw(rng, n), margin=margin, low=low, high=high, alpha=ALPHA) for _ in range(runs)
    ]
    yes, no = (sum(one.holds is holds for one in found) / runs for holds in (True, False))
    return yes, no, 1 - sum(one.pairs for one in found) / (runs * n)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: np.clip(rng.normal(-0.02, 0.1, n), -1, 1),
        lambda rng, n: rng.choice([-1, 0, 1], n, p=[0.12, 0.78, 0.10]),
        lambda rng, n: np.where(rng.random(n) < 0.01, 0.5, -0.025 / 0.99 * 1.0),
    ],
)
def test_at_the_margin_neither_verdict_is_said_more_often_than_alpha(draw):
    yes, no, _ = simulated(draw, margin=-0.02)
    assert yes <= ALPHA + 0.01
    assert no <= ALPHA + 0.01


@pytest.mark.parametrize(("mean", "holds"), [(0.05, True), (-0.12, False)])
def test_a_clear_difference_is_found_with_far_fewer_pairs(mean, holds):
    yes, no, saved = simulated(lambda rng, n: np.clip(rng.normal(mean, 0.15, n), -1, 1), margin=-0.02)
    assert (yes if holds else no) > 0.97
    assert (no if holds else yes) == 0.0
    assert saved > 0.4


def test_costs_need_only_a_bound_known_beforehand():
    def drawn(rng, n):
        strong, cheap = (np.minimum(mean * rng.lognormal(-0.045, 0.3, n), 5 * mean) for mean in (1.0, 0.4))
        return 0.9 * strong - cheap

    yes, no, saved = simulated(drawn, low=-5 * 0.4, high=0.9 * 5)
    assert (yes, no) == (1.0, 0.0)
    assert saved > 0.8


def test_the_evidence_is_the_mixture_by_hand():
    found = paired_verdict([0.5, -0.25], margin=0.0, low=-1.0, high=1.0, alpha=0.05)
    bets = np.geomspace(0.002, 0.98, 40)
    assert found.evidence_for == pytest.approx(math.log(np.mean((1 + bets * 0.5) * (1 - bets * 0.25))))
    assert found.evidence_against == pytest.approx(math.log(np.mean((1 - bets * 0.5) * (1 + bets * 0.25))))
    assert (found.holds, found.pairs) == (None, 2)


def test_nothing_is_said_of_nothing_nor_before_there_are_ten():
    assert paired_verdict([], margin=0.0, low=-1, high=1, alpha=0.05).holds is None
    assert paired_verdict([1.0] * 9, margin=0.0, low=-1, high=1, alpha=0.05).holds is None
    assert paired_verdict([1.0] * 10, margin=0.0, low=-1, high=1, alpha=0.05).holds is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"differences": [2.0]},
        {"differences": [math.nan]},
        {"margin": 1.0},
        {"alpha": 0.0},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    given = {"differences": [0.1], "margin": 0.0, "low": -1.0, "high": 1.0, "alpha": 0.05} | wrong
    with pytest.raises(ValueError, match=r"outside|expected low"):
        paired_verdict(given.pop("differences"), **given)
