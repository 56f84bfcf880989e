"""How a run is recorded to have ended: its status, and what only the end knows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.analysis.sequential import ArrivalOrderTest
from harness.clock import SYSTEM_CLOCK
from harness.load.live import LiveRun
from harness.load.plan import LoadPlan
from harness.load.punctuality import PartLateness, allowed_ms
from harness.load.saturation import Staircase
from harness.records import BaselineSummary, ProviderMode, RunEnd, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is known when the last process has ended.

    Attributes:
        status: as the watcher saw it.
        asked_to_end: by Ctrl-C or SIGTERM.
        test: the sequential test, if one was watching.
        staircase: the steps, if the shape has any.
        fallback_mode: what answered according to `/healthz`, where telemetry does not say.
        empty_columns: what was foretold before the run.
        parts: how late the processes of an embedded run were; empty where the target is another's.
        too_late: the run was given up because this machine was too busy for it.
    """

    status: RunStatus
    asked_to_end: bool
    test: ArrivalOrderTest | None
    staircase: Staircase | None
    fallback_mode: ProviderMode | None
    empty_columns: list[str]
    parts: Sequence[PartLateness] = ()
    too_late: bool = False


def end_record(load: LoadPlan, live: LiveRun, ending: Ending, *, limit_ms: float) -> RunEnd:
    """The run's end, with counts, suspicion and whatever ended it."""
    late = [part for part in ending.parts if part.over(limit_ms)]
    late_parts = [part.part for part in late]
    if live.sent_late(allowed_ms(limit_ms)):
        late_parts.append("generator")
    reasons = [*(part.sentence(limit_ms) for part in late), *live.suspicions(limit_ms)]
    saturated = ending.staircase is not None and ending.staircase.saturated
    missing = 0 if live.planned is None or load.closed_loop else live.planned - live.finished
    if ending.status is RunStatus.COMPLETED and missing and not saturated:
        reasons.append(f"{missing} arrivals left no record")
    summary = BaselineSummary(
        planned=live.planned,
        sent=live.sent,
        finished=live.finished,
        unfinished=live.sent - live.finished,
        ended_by=_ended_by(ending, live),
        lateness_p99_ms=live.lateness_p99_ms(),
        late=late_parts,
        suspect=bool(reasons),
        suspect_reasons=reasons,
        telemetry_missing=sum(report.telemetry_missing for report in live.reports),
        telemetry_broken=sum(report.telemetry_broken for report in live.reports),
        empty_columns=ending.empty_columns,
        limit_ms=limit_ms,
    )
    more: dict[str, Any] = {
        f"{part.part}_late_{name}": None if part.told is None else getattr(part.told, name)
        for part in ending.parts
        for name in ("p99_ms", "max_ms")
    }
    if ending.test is not None:
        more["sequential"] = asdict(ending.test.outcome)
    if ending.staircase is not None:
        more["sustained_rps"] = ending.staircase.sustained_rps
        more["steps"] = [asdict(step) for step in ending.staircase.steps]
    return RunEnd(
        run_id=load.run_id,
        ended_at=SYSTEM_CLOCK.now(),
        status=_status(load, ending),
        provider_mode=_mode(live, ending),
        summary=summary.model_copy(update=more).as_json(),
    )


def _ended_by(ending: Ending, live: LiveRun) -> str:
    match ending.status:
        case RunStatus.INTERRUPTED if ending.too_late or ending.asked_to_end:
            return "a machine too busy for its rate" if ending.too_late else "a signal to the command"
        case RunStatus.INTERRUPTED:
            return "the death of a generator process"
        case RunStatus.FAILED if live.lost_records:
            return "a disk that took no more records"
        case RunStatus.FAILED:
            return "an error of a generator process"
        case RunStatus.STOPPED_EARLY:
            return "the sequential test"
        case _:
            lost = ending.staircase is not None and ending.staircase.saturated
            return "saturation of the target" if lost else "the schedule's end"


def _status(load: LoadPlan, ending: Ending) -> RunStatus:
    """A schedule that `max_requests` cut short is truncated, however well it went."""
    offered = load.offered_requests()
    cut = offered is not None and load.max_requests is not None and offered > load.max_requests
    return RunStatus.TRUNCATED if cut and ending.status is RunStatus.COMPLETED else ending.status


def _mode(live: LiveRun, ending: Ending) -> ProviderMode | None:
    modes = live.modes
    if not modes:
        return ending.fallback_mode
    return ProviderMode(modes.pop()) if len(modes) == 1 else ProviderMode.MIXED
