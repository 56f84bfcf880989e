"""The rules of the gate, applied to one run, or to one strategy of it."""

from dataclasses import replace

from harness.analysis.estimate import DEFAULT_CONFIDENCE
from harness.figures import figure_named, measure_all
from harness.figures.catalogue.quality import HIGH_OF_ALL
from harness.figures.declaration import Unit
from harness.figures.sides import Side, mode_name
from harness.gate.figure_limit import figure_check
from harness.gate.latency import p95_check
from harness.gate.model import Check, GateLimits, GateReport
from harness.gate.ratios import (
    ERROR_CHECK,
    THROUGHPUT_UNIT,
    cost_check,
    error_check,
    throughput_check,
    tier_check,
)
from harness.gate.regression import regression_checks
from harness.records import GateVerdict, ProviderMode, RunKind, RunStatus

_UNFINISHED = {
    RunStatus.RUNNING: "the run is not finished",
    RunStatus.INTERRUPTED: "the run was interrupted: what was in flight is missing",
    RunStatus.FAILED: "the run failed before its end",
}


def evaluate_gate(
    side: Side, limits: GateLimits, *, baseline: Side | None = None, against: Side | None = None
) -> GateReport:
    """PASS, FAIL or INCONCLUSIVE, with every check that led there.

    Args:
        side: the run to judge, whole or one strategy of it.
        limits: what it must keep to.
        baseline: an earlier run; a significant regression against it is a FAIL.
        against: another strategy; being significantly worse than it is a FAIL.

    FAIL beats INCONCLUSIVE beats PASS; but a run whose own machine was late cannot fail for slowness:
    that may be the machine's. Zero requests, a fixtures-served request, a suspect run, an
    unfinished run, several strategies in one run, compressed time and a required figure that is unknown
    are INCONCLUSIVE, never PASS.
    """
    checks = [_completeness(side)]
    if side.rows.n:
        checks += _limit_checks(side, limits)
    checks.append(_generator(side))
    checks.append(_comparable(side))
    checks.append(_providers(side, limits))
    for other, name in ((baseline, "baseline"), (against, "strategy")):
        if other is not None:
            checks += regression_checks(other, side, limits, name)
    if side.ended.late:
        reasons = side.ended.suspicion or f"this machine was late ({', '.join(side.ended.late)})"
        checks = [_excused(side, check, reasons) for check in checks]
    return GateReport(
        run_id=side.run.run_id,
        run_name=side.run.name,
        provider_mode=side.mode,
        checks=tuple(checks),
        baseline_run_id=baseline.run.run_id if baseline is not None else None,
        strategy=side.rows.selection.strategies[0] if side.rows.selection.strategies else None,
        tags=side.tagged,
    )


def _limit_checks(side: Side, limits: GateLimits) -> list[Check]:
    """The checks of figures against their limits."""
    wanted = [figure_named("error_ratio")]
    if limits.min_rps is not None:
        wanted.append(figure_named("throughput"))
    if limits.max_cost_per_request_usd is not None:
        wanted.append(figure_named("cost_per_request"))
    if limits.min_high_tier_ratio is not None:
        wanted.append(HIGH_OF_ALL)
    wanted += [limit.figure for limit in limits.figures if limit.figure not in wanted]
    found = measure_all(side.rows, wanted, confidence=limits.confidence or DEFAULT_CONFIDENCE)
    checks = [
        p95_check(side.rows, limits, stopped_early=side.run.status is RunStatus.STOPPED_EARLY),
        error_check(side.rows, limits, found["error_ratio"]),
    ]
    if limits.min_rps is not None:
        checks.append(throughput_check(limits.min_rps, found.get("throughput")))
    if limits.max_cost_per_request_usd is not None:
        checks.append(
            cost_check(side.rows, limits, limits.max_cost_per_request_usd, found["cost_per_request"])
        )
    if limits.min_high_tier_ratio is not None:
        checks.append(tier_check(side.rows, limits, limits.min_high_tier_ratio, found[HIGH_OF_ALL.name]))
    checks += [
        figure_check(limit, found.get(limit.figure.name), limits.confidence) for limit in limits.figures
    ]
    return checks


def _completeness(side: Side) -> Check:
    n = side.rows.n
    if n == 0:
        return Check(
            name="requests",
            verdict=GateVerdict.INCONCLUSIVE,
            sentence=_nothing(side),
            value=0,
            unit="requests",
            n=0,
        )
    run = side.run
    problem = _UNFINISHED.get(run.status)
    unfinished = side.ended.unfinished or 0
    if problem is None and unfinished > 0:
        problem = f"{unfinished} requests were sent and never recorded: the slowest may be missing"
    return Check(
        name="requests",
        verdict=GateVerdict.INCONCLUSIVE if problem else GateVerdict.PASS,
        sentence=problem or f"{n} requests, run {run.status.value.replace('_', ' ')}",
        value=n,
        unit="requests",
        n=n,
    )


def _nothing(side: Side) -> str:
    """Why there is nothing to judge; another tool's aggregates are told, and judge nothing."""
    if side.told is None or not side.told.figures:
        return "the run has no requests"
    p95 = next((one for one in side.told.figures if one.name.startswith("p95") and one.group is None), None)
    of = f", p95 {p95.shown} ms over {p95.of} ({p95.grain}) among them" if p95 else ""
    return f"{side.told.tool} told aggregates alone{of}: there is no request to judge"


def _generator(side: Side) -> Check:
    suspicion = side.ended.suspicion
    return Check(
        name="load_generator",
        verdict=GateVerdict.INCONCLUSIVE if suspicion else GateVerdict.PASS,
        sentence=suspicion or "no sign that this machine was the bottleneck",
    )


def _excused(side: Side, check: Check, reasons: str) -> Check:
    """A failure that a busy machine can have caused is not known to be one."""
    slow = check.unit in (Unit.MS, THROUGHPUT_UNIT) or (check.name == ERROR_CHECK and _all_timeouts(side))
    if check.verdict is not GateVerdict.FAIL or not slow:
        return check
    return replace(check, verdict=GateVerdict.INCONCLUSIVE, sentence=f"{check.sentence}; but {reasons}")


def _all_timeouts(side: Side) -> bool:
    ((others,),) = side.rows.rows(
        "SELECT count(*) FROM counted WHERE status <> 'ok' AND status <> 'timeout' "
        "AND error_kind IS DISTINCT FROM 'timeout'"
    )
    return not others


def _comparable(side: Side) -> Check:
    """One way of answering, at its own pace: anything else has no p95 of its own."""
    strategies = side.strategies
    problem = None
    if len(strategies) > 1:
        problem = (
            f"the run mixes {len(strategies)} strategies ({', '.join(strategies)}): judge one at a time "
            "with --strategy"
        )
    elif side.speed != 1.0:
        problem = f"latencies are emulated at speed x{side.speed:g}, not at their own pace"
    return Check(
        name="comparability",
        verdict=GateVerdict.INCONCLUSIVE if problem else GateVerdict.PASS,
        sentence=problem or f"one way of answering, at its own pace{_since_send(side)}",
    )


def _since_send(side: Side) -> str:
    """A load tool without a schedule starts its clock at the send: a stall hides what was not sent."""
    if side.run.kind is not RunKind.BASELINE or side.latency_begins == "schedule":
        return ""
    return "; latencies begin at the send, so that what a stall held back is not in them"


def _providers(side: Side, limits: GateLimits) -> Check:
    ((served,),) = side.rows.rows(
        """SELECT count(*) FROM counted
        WHERE provider_mode = 'fixtures' OR draft_source = 'fixtures' OR repair_source = 'fixtures'"""
    )
    n, label = side.rows.n, mode_name(side.mode)
    verdict, sentence = GateVerdict.PASS, f"answered by {label} providers"
    if served or side.mode is ProviderMode.FIXTURES:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"fixtures, not a model, served {served or 'some'} of {n} requests"
    elif limits.require_live and side.mode is not ProviderMode.LIVE:
        verdict = GateVerdict.INCONCLUSIVE
        sentence = f"live providers are required, and these are {label}"
    return Check(name="providers", verdict=verdict, sentence=sentence, n=n)
