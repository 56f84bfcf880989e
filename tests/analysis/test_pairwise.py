"""Win rates: hand-computed oracles, what cannot be estimated, and a judge who likes length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from harness.analysis.pairwise import MIN_CASES, length_adjusted_win_rate, win_rate

NAMES = list("abcdefgh")


def test_a_tie_is_half_a_win_and_the_interval_is_wilsons_at_the_effective_size():
    # mean 0.625; squares sum to 0.6875, so n_eff = 0.234375 / (4/3 * 0.6875 / 16) = 4.09
    found = win_rate([1, 1, 0.5, 0], list("abcd"))
    assert found.value == 0.625
    assert found.low == pytest.approx(0.1178, abs=1e-4)
    assert found.high == pytest.approx(0.9541, abs=1e-4)
    assert found.n == 4


def test_no_pairs_and_one_case_have_no_interval():
    assert win_rate([], []).value is None
    alone = win_rate([1, 0], ["a", "a"])
    assert (alone.value, alone.low, alone.high) == (0.5, None, None)


def test_a_verdict_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="from 0"):
        win_rate([2.0], ["a"])


def test_equal_length_is_read_off_between_the_longer_and_the_shorter():
    # Half of the candidates are longer by 100 and win 3 of 4, half shorter by 100 and win 2 of 4. The two-point
    # fit is exact: a = (logit 3/4 + logit 1/2) / 2; var a = 8/7 (1 / (4 * 3/16) + 1 / (4 * 1/4)) / 4 = 2/3.
    found = length_adjusted_win_rate([1, 1, 1, 0, 1, 1, 0, 0], [100] * 4 + [-100] * 4, NAMES)
    assert found.estimate.value == pytest.approx(0.633975, abs=1e-6)
    assert found.estimate.low == pytest.approx(0.19022, abs=1e-4)  # a -+ 2.446912 sqrt(2/3), through expit
    assert found.estimate.high == pytest.approx(0.92741, abs=1e-4)
    assert found.length_effect == pytest.approx(np.log(3) / 2 / np.tanh(1))
    assert found.note is None


def test_repeats_of_a_case_do_not_narrow_the_interval():
    verdicts, lengths = [1, 1, 1, 0, 1, 1, 0, 0], [100] * 4 + [-100] * 4
    once = length_adjusted_win_rate(verdicts, lengths, NAMES).estimate
    thrice = length_adjusted_win_rate(verdicts * 3, lengths * 3, NAMES * 3).estimate
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))
    assert thrice.n == 24


@pytest.mark.parametrize(
    ("verdicts", "lengths", "why"),
    [
        ([1, 0, 1, 0, 1][: MIN_CASES - 1], [1, 2, 3, 4, 5], f"at least {MIN_CASES}"),
        ([1, 0] * 4, [70] * 8, "differ alike"),
        ([1, 0] * 4, [0] * 8, "differ alike"),
        ([1] * 8, range(8), "all alike"),
        ([0, 0, 0, 0, 1, 1, 1, 1], range(8), "separated by length"),
        ([], [], "0 cases"),
    ],
)
def test_what_cannot_be_estimated_is_none_with_its_reason(verdicts, lengths, why):
    found = length_adjusted_win_rate(verdicts, list(lengths), NAMES[: len(verdicts)])
    assert (found.estimate.value, found.estimate.low, found.estimate.high) == (None, None, None)
    assert why in found.note


def test_a_candidate_that_is_always_longer_is_said_to_be_extrapolated():
    found = length_adjusted_win_rate([1, 1, 0, 1, 1, 0, 1, 0], [10, 20, 30, 40, 50, 60, 70, 80], NAMES)
    assert found.estimate.value is not None
    assert "the candidate is the longer in every pair" in found.note


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.integers(-500, 500)), min_size=6, max_size=30))
def test_swapping_the_sides_mirrors_the_figure(pairs):
    cases = [str(index) for index in range(len(pairs))]
    there = length_adjusted_win_rate([v for v, _ in pairs], [d for _, d in pairs], cases)
    back = length_adjusted_win_rate([1 - v for v, _ in pairs], [-d for _, d in pairs], cases)
    assert (there.estimate.value is None) == (back.estimate.value is None)
    if there.estimate.value is not None:
        assert back.estimate.value == pytest.approx(1 - there.estimate.value, abs=1e-6)
        assert back.estimate.low == pytest.approx(1 - there.estimate.high, abs=1e-6)


def test_a_judge_who_likes_length_is_corrected_and_the_interval_covers():
    """Equal answers, a judge who takes the longer, a candidate that writes more; each pair asked three times."""
    rng, runs, cases = np.random.default_rng(7), 400, 40
    covered, naive, raw, adjusted = 0, 0, [], []
    for _ in range(runs):
        lengths = rng.normal(400, 600, cases)
        wins = (rng.random(cases) < expit(1.5 * np.tanh(lengths / 600))).astype(float)
        names = [str(case) for case in range(cases)] * 3
        verdicts = np.tile(wins, 3)
        found = length_adjusted_win_rate(verdicts, np.tile(lengths, 3), names).estimate
        alone = [str(row) for row in range(3 * cases)]
        narrow = length_adjusted_win_rate(verdicts, np.tile(lengths, 3), alone).estimate
        covered += found.low <= 0.5 <= found.high
        naive += narrow.low <= 0.5 <= narrow.high
        raw.append(win_rate(verdicts, names).value)
        adjusted.append(found.value)
    assert np.mean(raw) > 0.6  # what the plain win rate makes of equal answers
    assert np.mean(adjusted) == pytest.approx(0.5, abs=0.02)
    assert 0.93 <= covered / runs <= 0.99
    assert naive / runs < 0.85
