"""Schedules: hand-computed offsets, and properties that hold for any rate."""

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.load.arrivals import (
    Spacing,
    baseline,
    ramp,
    replay_ns,
    schedule_ns,
    share_of_worker,
    spike,
    steps,
)

RATES = st.floats(min_value=0.01, max_value=200, allow_nan=False)


def test_default_baseline_is_300_requests_a_second_apart():
    offsets = schedule_ns(baseline(1, 300))
    assert len(offsets) == 300
    assert offsets[:3] == [0, 1_000_000_000, 2_000_000_000]
    assert offsets[-1] == 299_000_000_000


def test_constant_offsets_do_not_accumulate_rounding():
    offsets = schedule_ns(baseline(3, 1000))
    assert len(offsets) == 3000
    assert offsets[2999] == 2999 * 1_000_000_000 // 3


def test_constant_gaps_are_even():
    offsets = schedule_ns(baseline(20, 60))
    gaps = [after - before for before, after in itertools.pairwise(offsets)]
    assert statistics.pstdev(gaps) / statistics.mean(gaps) < 1e-6


def test_poisson_gaps_are_exponential_and_seeded():
    offsets = schedule_ns(baseline(100, 100), spacing=Spacing.POISSON, seed=7)
    gaps = [after - before for before, after in itertools.pairwise(offsets)]
    assert 0.95 < statistics.pstdev(gaps) / statistics.mean(gaps) < 1.05
    assert abs(len(offsets) - 10_000) < 400  # four standard deviations
    assert offsets == schedule_ns(baseline(100, 100), spacing=Spacing.POISSON, seed=7)
    assert offsets != schedule_ns(baseline(100, 100), spacing=Spacing.POISSON, seed=8)


def test_ramp_by_hand():
    # rate t over 4 s: integral t^2/2, so arrivals 0..7 at sqrt(2k)
    offsets = schedule_ns(ramp(0, 4, 4))
    assert len(offsets) == 8
    assert offsets[2] == pytest.approx(2_000_000_000, abs=2)
    assert offsets[3] == pytest.approx(2_449_489_743, abs=2)


def test_spike_counts_by_stretch():
    offsets = schedule_ns(spike(1, 10, 10, spike_share=0.2))
    inside = [offset for offset in offsets if 4e9 <= offset < 6e9]
    assert len(inside) == 20
    assert len(offsets) == 28


def test_steps_rise():
    offsets = schedule_ns(steps(10, 30, 3, count=3))
    per_second = [sum(second * 1e9 <= o < (second + 1) * 1e9 for o in offsets) for second in range(3)]
    assert per_second == [10, 20, 30]


@given(start=RATES, end=RATES, duration=st.floats(min_value=0.1, max_value=20), seed=st.integers(0, 99))
def test_any_schedule_ascends_inside_its_duration(start, end, duration, seed):
    for spacing in Spacing:
        offsets = schedule_ns(ramp(start, end, duration), spacing=spacing, seed=seed)
        assert offsets == sorted(offsets)
        assert all(0 <= offset <= duration * 1e9 + 1 for offset in offsets)


@given(start=RATES, end=RATES, duration=st.floats(min_value=0.1, max_value=20))
def test_even_schedule_offers_what_the_curve_says(start, end, duration):
    offered = duration * (start + end) / 2
    assert offered - 1e-6 <= len(schedule_ns(ramp(start, end, duration))) <= offered + 1


@given(count=st.integers(1, 500), workers=st.integers(1, 9))
def test_workers_share_every_arrival_exactly_once(count, workers):
    schedule = schedule_ns(baseline(count, 1))
    shares = [share_of_worker(schedule, worker, workers) for worker in range(workers)]
    assert sorted(pair for share in shares for pair in share) == list(enumerate(schedule))
    assert all(seq % workers == worker for worker, share in enumerate(shares) for seq, _ in share)


def test_limit_cuts_the_schedule():
    assert len(schedule_ns(baseline(10, 10), limit=7)) == 7


def test_replay_starts_at_zero_in_order():
    assert replay_ns([2000.5, 1000.0]) == [0, 1_000_500_000]


@pytest.mark.parametrize(
    "broken",
    [
        lambda: baseline(float("nan"), 10),
        lambda: baseline(-1, 10),
        lambda: baseline(1, 0),
        lambda: baseline(1, float("inf")),
        lambda: spike(1, 2, 10, spike_share=1.5),
        lambda: steps(1, 2, 10, count=1),
        lambda: schedule_ns(baseline(1e9, 1e9)),
        lambda: replay_ns([]),
        lambda: replay_ns([float("nan")]),
        lambda: share_of_worker([0], 1, 1),
    ],
)
def test_nonsense_is_refused_in_one_sentence(broken):
    with pytest.raises(UsageError):
        broken()
