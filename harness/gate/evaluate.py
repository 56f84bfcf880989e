"""The rules of the gate, applied to one run."""

from harness.analysis.sample import counted, latency_sample
from harness.gate.latency import p95_check
from harness.gate.model import Check, GateInput, GateLimits, GateReport
from harness.gate.ratios import cost_check, error_check, throughput_check, tier_check
from harness.gate.regression import regression_checks
from harness.records import GateVerdict, ProviderMode, RunStatus

_UNFINISHED = {
    RunStatus.RUNNING: "the run is not finished",
    RunStatus.INTERRUPTED: "the run was interrupted: what was in flight is missing",
    RunStatus.FAILED: "the run failed before its end",
}


def evaluate_gate(run: GateInput, limits: GateLimits, *, baseline: GateInput | None = None) -> GateReport:
    """PASS, FAIL or INCONCLUSIVE, with every check that led there.

    Args:
        run: the run to judge.
        limits: what it must keep to.
        baseline: an earlier run; a significant regression against it is a FAIL.

    FAIL beats INCONCLUSIVE beats PASS. Zero requests, a fixtures-served request, a suspect run, an
    unfinished run, several strategies in one run, compressed time and a required figure that is unknown
    are INCONCLUSIVE, never PASS.
    """
    checks = [_completeness(run)]
    if counted(run.requests):
        stopped_early = run.status is RunStatus.STOPPED_EARLY
        checks.append(p95_check(latency_sample(run.requests), limits, stopped_early=stopped_early))
        checks.append(error_check(run, limits))
        if limits.min_rps is not None:
            checks.append(throughput_check(run, limits.min_rps))
        if limits.max_cost_per_request_usd is not None:
            checks.append(cost_check(run, limits.max_cost_per_request_usd))
        if limits.min_high_tier_ratio is not None:
            checks.append(tier_check(run, limits, limits.min_high_tier_ratio))
    checks.append(_generator(run))
    checks.append(_comparable(run))
    checks.append(_providers(run, limits))
    if baseline is not None:
        checks += regression_checks(baseline, run, limits)
    return GateReport(
        run_id=run.run_id,
        run_name=run.name,
        provider_mode=run.provider_mode,
        checks=tuple(checks),
        baseline_run_id=baseline.run_id if baseline is not None else None,
    )


def _completeness(run: GateInput) -> Check:
    n = len(counted(run.requests))
    if n == 0:
        return Check(
            name="requests",
            verdict=GateVerdict.INCONCLUSIVE,
            sentence="the run has no requests",
            value=0,
            unit="requests",
            n=0,
        )
    problem = _UNFINISHED.get(run.status)
    if problem is None and run.unfinished > 0:
        problem = f"{run.unfinished} requests were sent and never recorded: the slowest may be missing"
    return Check(
        name="requests",
        verdict=GateVerdict.INCONCLUSIVE if problem else GateVerdict.PASS,
        sentence=problem or f"{n} requests, run {run.status.value.replace('_', ' ')}",
        value=n,
        unit="requests",
        n=n,
    )


def _generator(run: GateInput) -> Check:
    suspect = bool(run.suspect_reasons)
    return Check(
        name="load_generator",
        verdict=GateVerdict.INCONCLUSIVE if suspect else GateVerdict.PASS,
        sentence="; ".join(run.suspect_reasons)
        if suspect
        else "no sign that the generator was the bottleneck",
    )


def _comparable(run: GateInput) -> Check:
    """One way of answering, at its own pace: anything else has no p95 of its own."""
    strategies = sorted({row.strategy for row in counted(run.requests) if row.strategy is not None})
    problem = None
    if len(strategies) > 1:
        problem = f"the run mixes {len(strategies)} strategies ({', '.join(strategies)}): judge one at a time"
    elif run.emulator_speed != 1.0:
        problem = f"latencies are emulated at speed x{run.emulator_speed:g}, not at their own pace"
    return Check(
        name="comparability",
        verdict=GateVerdict.INCONCLUSIVE if problem else GateVerdict.PASS,
        sentence=problem or "one way of answering, at its own pace",
    )


def _providers(run: GateInput, limits: GateLimits) -> Check:
    rows = counted(run.requests)
    served = sum(
        row.provider_mode is ProviderMode.FIXTURES or "fixtures" in (row.draft_source, row.repair_source)
        for row in rows
    )
    label = run.provider_mode.value if run.provider_mode is not None else "unknown"
    verdict, sentence = GateVerdict.PASS, f"answered by {label} providers"
    if served or run.provider_mode is ProviderMode.FIXTURES:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"fixtures, not a model, served {served or 'some'} of {len(rows)} requests"
    elif limits.require_live and run.provider_mode is not ProviderMode.LIVE:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"live providers are required, and these are {label}"
    return Check(name="providers", verdict=verdict, sentence=sentence, n=len(rows))
