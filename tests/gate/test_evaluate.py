"""The gate's rules, one by one."""

from decimal import Decimal

import numpy as np
import pytest

from harness.errors import UsageError
from harness.figures.sides import whole_side
from harness.gate import GateLimits, evaluate_gate
from harness.records import GateVerdict, ProviderMode, RequestStatus, RunStatus, Tier, dump_json
from tests.judged_rows import JudgedRun, failed, request, view_of

PASS, FAIL, INCONCLUSIVE = GateVerdict.PASS, GateVerdict.FAIL, GateVerdict.INCONCLUSIVE


def verdict(rows, run=None, **limits):
    return evaluate_gate(side(rows, run), GateLimits(**limits))


def side(rows, run=None):
    run = run or JudgedRun()
    view = view_of(rows, (), run)
    return whole_side(view, view.run(run.run_id))


def check(report, name):
    return next(found for found in report.checks if found.name == name)


def even(n, latency_ms=3000.0):
    return [request(seq, latency_ms) for seq in range(n)]


def shuffled(latencies, seed=7):
    order = np.random.default_rng(seed).permutation(np.asarray(latencies))
    return [request(seq, float(latency)) for seq, latency in enumerate(order)]


def test_a_good_run_passes_and_says_emulated():
    report = verdict(even(300))
    assert report.verdict is PASS
    assert report.headline.startswith("PASS (emulated providers)")


def test_p95_of_8010_6_ms_fails_at_8_s():
    report = verdict(shuffled([4000.0] * 284 + [8010.6] * 16))
    found = check(report, "p95_latency")
    assert found.verdict is FAIL
    assert found.value == pytest.approx(8010.6)


def test_exactly_the_limit_passes():
    assert verdict(even(300, 8000.0)).verdict is PASS


def test_fast_failures_cannot_hide_slow_answers():
    # 6% at 9 s, 20% fast 503s: the p95 falls among failures, even where errors are allowed
    rows = shuffled([9000.0] * 18 + [2000.0] * 222)
    rows += [failed(seq) for seq in range(240, 300)]
    report = verdict(rows, max_error_ratio=0.5)
    found = check(report, "p95_latency")
    assert (found.verdict, found.value, found.over_limit) == (FAIL, None, True)
    assert verdict(rows).verdict is FAIL


def test_one_error_beyond_the_allowed_ratio_fails():
    rows = [*even(299), failed(299)]
    assert verdict(rows).verdict is FAIL
    assert verdict(rows, max_error_ratio=1 / 300).verdict is PASS


def test_a_429_is_an_error_and_is_named():
    rows = [*even(299), failed(299, status=RequestStatus.REJECTED, http_status=429)]
    found = check(verdict(rows), "error_ratio")
    assert found.verdict is FAIL
    assert "1 of them 429" in found.sentence


@pytest.mark.parametrize("n", [1, 20, 58])
def test_too_few_requests_are_inconclusive(n):
    report = verdict(even(n))
    assert report.verdict is INCONCLUSIVE
    assert "59 is the least" in report.headline


def test_59_requests_are_enough():
    assert verdict(even(59)).verdict is PASS


def test_few_but_all_slow_requests_fail():
    # 20 of 20 over: the exact 95% lower bound X(17) exceeds the limit
    assert check(verdict(even(20, 9000.0)), "p95_latency").verdict is FAIL
    mixed = shuffled([9000.0] * 3 + [1000.0] * 17)
    assert check(verdict(mixed), "p95_latency").verdict is INCONCLUSIVE


def test_a_single_slow_request_fails_at_95_percent_and_not_at_99():
    # X(1) bounds the p95 from below with exactly 95%: 1 - 0.95
    assert verdict(even(1, 9000.0)).verdict is FAIL
    assert verdict(even(1, 9000.0), confidence=0.99).verdict is INCONCLUSIVE
    assert verdict(even(2, 9000.0), confidence=0.99).verdict is FAIL


def test_a_regression_that_could_not_be_seen_is_no_pass():
    few, many = even(60), even(300)
    for earlier, later, expected in ((few, few, INCONCLUSIVE), (many, many, PASS)):
        judged = [side(rows) for rows in (earlier, later)]
        report = evaluate_gate(judged[1], GateLimits(), baseline=judged[0])
        assert check(report, "p95_latency_vs_baseline").verdict is expected


def test_no_requests_is_inconclusive_and_only_warmups_are_none():
    assert verdict([]).verdict is INCONCLUSIVE
    assert verdict([request(0, 100.0, warmup=True)]).verdict is INCONCLUSIVE


def test_warmups_count_nowhere():
    rows = [request(-1, 60000.0, warmup=True, status=RequestStatus.ERROR), *even(300)]
    report = verdict(rows)
    assert report.verdict is PASS
    assert check(report, "p95_latency").n == 300


def test_a_fixtures_answer_in_either_role_is_inconclusive():
    for column in ("draft_source", "repair_source"):
        rows = [*even(299), request(299, 10.0, **{column: "fixtures"})]
        report = verdict(rows)
        assert report.verdict is INCONCLUSIVE
        assert "fixtures" in report.headline


def test_a_suspect_run_is_inconclusive():
    run = JudgedRun(summary={"suspect": True, "suspect_reasons": ["the generator was 90 ms late"]})
    report = verdict(even(300), run)
    assert report.verdict is INCONCLUSIVE
    assert "90 ms late" in report.headline


LATE = {
    "suspect": True,
    "late": ["emulator"],
    "suspect_reasons": ["the emulator answered late: p99 2,000 ms, at most 3,000 ms"],
}


def test_slowness_on_a_late_machine_is_no_failure_of_the_service():
    report = verdict(even(300, 48_000.0), JudgedRun(summary=LATE), min_rps=1e6)
    assert report.verdict is INCONCLUSIVE
    assert "48,000" in check(report, "p95_latency").sentence
    assert "emulator answered late: p99 2,000 ms" in report.headline
    assert check(report, "throughput").verdict is INCONCLUSIVE


def test_what_a_late_machine_cannot_cause_still_fails():
    late = JudgedRun(summary=LATE)
    timeouts = [*even(299), failed(299, status=RequestStatus.TIMEOUT, http_status=None)]
    assert verdict(timeouts, late).verdict is INCONCLUSIVE
    assert verdict([*even(299), failed(299)], late).verdict is FAIL
    assert verdict(even(300), late, max_cost_per_request_usd=Decimal("0.0000001")).verdict is FAIL


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.INTERRUPTED, RunStatus.FAILED])
def test_an_unfinished_run_never_passes_but_can_fail(status):
    run = JudgedRun(status=status)
    assert verdict(even(300), run).verdict is INCONCLUSIVE
    assert verdict(even(300, 9000.0), run).verdict is FAIL


def test_several_strategies_have_no_p95_of_their_own():
    rows = [request(seq, 3000.0, strategy=("hybrid", "single")[seq % 2]) for seq in range(300)]
    report = verdict(rows)
    assert report.verdict is INCONCLUSIVE
    assert "mixes 2 strategies (hybrid, single)" in report.headline


def test_compressed_time_never_passes_but_can_fail():
    run = JudgedRun(config={"emulator_speed": 10.0})
    assert verdict(even(300), run).verdict is INCONCLUSIVE
    assert verdict(even(300, 9000.0), run).verdict is FAIL


def test_requests_that_never_ended_leave_it_open():
    report = verdict(even(300), JudgedRun(summary={"unfinished": 3}))
    assert report.verdict is INCONCLUSIVE
    assert "3 requests were sent and never recorded" in report.headline


def test_answers_without_a_latency_leave_the_p95_unknown():
    rows = [*even(299), request(299, None)]
    assert check(verdict(rows), "p95_latency").verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("mode", "label"), [(ProviderMode.LIVE, "live"), (ProviderMode.EMULATED, "emulated"), (None, "unknown")]
)
def test_require_live_and_the_label(mode, label):
    rows = [request(seq, 3000.0, provider_mode=mode) for seq in range(300)]
    run = JudgedRun(provider_mode=mode)
    assert f"({label} providers)" in verdict(rows, run).headline
    strict = verdict(rows, run, require_live=True)
    assert strict.verdict is (PASS if mode is ProviderMode.LIVE else INCONCLUSIVE)


def test_throughput():
    assert check(verdict(even(300), min_rps=0.99), "throughput").verdict is PASS
    assert check(verdict(even(300), min_rps=2.0), "throughput").verdict is FAIL


def test_cost_limit_and_unknown_cost():
    assert verdict(even(300), max_cost_per_request_usd=Decimal("0.024")).verdict is PASS
    assert verdict(even(300), max_cost_per_request_usd=Decimal("0.0239")).verdict is FAIL
    rows = [*even(299), request(299, 3000.0, cost_usd=None)]
    assert verdict(rows, max_cost_per_request_usd=Decimal("0.03")).verdict is INCONCLUSIVE
    # the known part alone is already too dear: unknown costs can only add
    assert verdict(rows, max_cost_per_request_usd=Decimal("0.02")).verdict is FAIL


def test_high_tier_share():
    rows = [request(s, 3000.0, quality_tier=Tier.HIGH if s < 270 else Tier.LOW) for s in range(300)]
    assert verdict(rows, min_high_tier_ratio=0.9).verdict is PASS
    assert verdict(rows, min_high_tier_ratio=0.91).verdict is FAIL
    ungraded = [request(s, 3000.0, quality_tier=Tier.HIGH if s < 270 else None) for s in range(300)]
    assert verdict(ungraded, min_high_tier_ratio=0.95).verdict is INCONCLUSIVE
    assert (
        verdict(
            ungraded[:100] + [failed(s) for s in range(100, 300)],
            min_high_tier_ratio=0.9,
            max_error_ratio=1.0,
        ).verdict
        is FAIL
    )


def test_confidence_lets_the_bounds_decide():
    # true share over the limit 4%: the point estimate passes, 95% bounds cannot tell
    rows = shuffled([9000.0] * 12 + [3000.0] * 288)
    assert verdict(rows).verdict is PASS
    assert verdict(rows, confidence=0.95).verdict is INCONCLUSIVE
    assert verdict(even(300), confidence=0.95).verdict is PASS
    assert verdict(shuffled([9000.0] * 60 + [3000.0] * 240), confidence=0.95).verdict is FAIL


def test_a_stopped_run_is_judged_by_its_sequential_test():
    run = JudgedRun(status=RunStatus.STOPPED_EARLY)
    assert verdict(even(80), run).verdict is PASS
    assert verdict(even(10, 9000.0), run).verdict is FAIL
    assert verdict(even(40), run).verdict is INCONCLUSIVE


def test_json_carries_no_infinity():
    rows = [*even(30), *[failed(seq) for seq in range(30, 300)]]
    text = dump_json(verdict(rows).as_json()).decode()
    assert "inf" not in text.lower().replace("info", "")
    assert '"over_limit":true' in text


def test_one_answer_that_does_not_say_makes_live_unknown():
    rows = [request(seq, 3000.0, provider_mode=ProviderMode.LIVE if seq else None) for seq in range(300)]
    unknown = verdict(rows, JudgedRun(provider_mode=None), require_live=True)
    assert unknown.verdict is INCONCLUSIVE
    assert "(unknown providers)" in unknown.headline
    # the target's health page said live: that stands for what an answer leaves out
    assert verdict(rows, JudgedRun(provider_mode=ProviderMode.LIVE), require_live=True).verdict is PASS


def test_server_side_latency_is_named():
    rows = [request(seq, None, server_ms=3000.0) for seq in range(300)]
    found = check(verdict(rows), "p95_latency")
    assert found.verdict is PASS
    assert "server side" in found.sentence


@pytest.mark.parametrize("latency", [float("nan"), float("inf")])
def test_a_limit_that_is_no_number_is_refused(latency):
    with pytest.raises(UsageError, match="must be a number"):
        GateLimits(max_p95_ms=latency)
