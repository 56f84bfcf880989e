"""The staircase, by hand."""

from harness.load.plan import LoadPlan
from harness.load.saturation import Staircase

PLAN = LoadPlan(
    run_id="r",
    name="n",
    target="t",
    store_dir="s",
    cases_path="c",
    shape="steps",
    rps=10,
    peak_rps=30,
    duration_s=30,
    step_count=3,
)


def staircase():
    return Staircase(PLAN.schedule_ns(), PLAN.step_rates(), step_s=10, limit_ms=1000)


def finish(stairs, seqs, latency_ms, *, ok=True):
    for seq in seqs:
        stairs.finished(seq, latency_ms, ok=ok)


def test_steps_know_their_arrivals():
    assert [(step.rps, step.planned) for step in staircase().steps] == [(10, 100), (20, 200), (30, 300)]


def test_rate_is_sustained_while_every_step_is_held():
    stairs = staircase()
    assert stairs.sustained_rps is None
    finish(stairs, range(100), 900.0)
    assert stairs.sustained_rps == 10
    finish(stairs, range(100, 299), 900.0)
    assert stairs.sustained_rps == 10  # one answer is still missing
    finish(stairs, [299], 1100.0)
    assert stairs.sustained_rps == 20
    assert not stairs.saturated


def test_more_than_a_twentieth_over_the_limit_is_saturation():
    stairs = staircase()
    finish(stairs, range(5), 1100.0)
    assert not stairs.saturated
    finish(stairs, [5], 1.0, ok=False)
    assert stairs.saturated


def test_slow_request_in_flight_counts_once_and_in_time():
    stairs = staircase()
    for _ in range(3):
        for seq in range(6):
            stairs.still_in_flight(seq, 999.0)
    assert not stairs.saturated
    for seq in range(6):
        stairs.still_in_flight(seq, 1500.0)
    finish(stairs, range(6), 2000.0)
    assert stairs.steps[0].over == 6
