"""What is recorded of one unit: its start, its end with every call and grade, or its being cut short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from harness.evaluation.grading import is_graded
from harness.evaluation.pacing.gatekeeper import CaseWait
from harness.evaluation.plan import Unit
from harness.orchestration import PipelineResult
from harness.records import (
    HIGH_TIER_MIN_SCORE,
    UNTIMED_CONTEXTS,
    Call,
    CompletedEvent,
    Content,
    Event,
    FailedEvent,
    Grade,
    LatencySource,
    Request,
    RequestStatus,
    Role,
)
from harness.tasks.base import QualityScore
from harness.tasks.graders import said_row
from harness.telemetry import event_row

STARTED_EVENT = "eval.case.started"
CUT_EVENT = "eval.case.cut"
OVERALL = "quality"
"""Grader name of the weighted score itself; its parts stand under their own names."""

Record = Call | Content | Event | Grade | Request
EventT = TypeVar("EventT", CompletedEvent, FailedEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """Where a unit's records belong."""

    run_id: str
    request_id: str
    unit: Unit
    task: str
    event_stem: str
    environment: str | None
    generation: int

    def started(self, now: datetime, hold_usd: Decimal) -> Event:
        """Written and acknowledged before the first call: after a crash it tells what may be paid twice."""
        return self._event(STARTED_EVENT, now, {"reserved_usd": str(hold_usd)})

    def cut(self, now: datetime, calls: Sequence[Call], why: str) -> list[Record]:
        """A unit that was broken off: what it paid is known, so it is not paid twice unknowingly."""
        return [*calls, self._event(CUT_EVENT, now, {"why": why})]

    def answered(
        self, result: PipelineResult, wait: CaseWait, started_at: datetime
    ) -> tuple[Request, list[Record]]:
        """The request, and all records of the unit with the request last: it is the mark of completion."""
        event, timed = _without_waits(result.event, wait), _is_timed(result.calls)
        if not is_graded(result.quality):
            event = replace(event, quality_score=None, quality_tier=None, score_basis=None)
        request = self._request(event, RequestStatus.OK, started_at, timed=timed)
        told = _told(event, self.run_id, f"{self.event_stem}.completed", timed=timed)
        return request, [*result.calls, *self._grades(result.quality), told, request]

    def failed(
        self, event: FailedEvent, calls: Sequence[Call], wait: CaseWait, started_at: datetime
    ) -> tuple[Request, list[Record]]:
        """The same of a request without an answer."""
        event, timed = _without_waits(event, wait), _is_timed(calls)
        request = self._request(event, event.status, started_at, timed=timed)
        request = replace(
            request,
            http_status=event.http_status,
            error_kind=event.error_kind,
            error_message=event.error_message,
        )
        told = _told(event, self.run_id, f"{self.event_stem}.failed", timed=timed)
        return request, [*calls, told, request]

    def _request(
        self,
        event: CompletedEvent | FailedEvent,
        status: RequestStatus,
        started_at: datetime,
        *,
        timed: bool,
    ) -> Request:
        told = {name: getattr(event, name) for name in _SHARED if hasattr(event, name)}
        if not timed:
            told["stages_ms"] = None
        latency_ms = event.latency_ms if timed else None
        repaired = getattr(event, "repair_source", None) is not None
        return Request(
            run_id=self.run_id,
            request_id=self.request_id,
            status=status,
            seq=self.unit.seq,
            scenario="eval",
            task=self.task,
            case_id=self.unit.case.case_id,
            repeat=self.unit.repeat,
            started_at=started_at,
            latency_ms=latency_ms,
            service_ms=latency_ms,
            server_ms=latency_ms,
            latency_source=LatencySource.CLIENT,
            unpriced=event.cost_usd is None,
            mixed_providers=getattr(event, "mixed_providers", None) if repaired else None,
            **told,
        )

    def _grades(self, quality: QualityScore) -> list[Record]:
        graded = is_graded(quality)
        overall = Grade(
            run_id=self.run_id,
            request_id=self.request_id,
            grader=OVERALL,
            score=quality.score if graded else None,
            passed=quality.score >= HIGH_TIER_MIN_SCORE if graded else None,
            detail={"basis": quality.basis, **quality.detail},
        )
        parts = [
            Grade(
                run_id=self.run_id,
                request_id=self.request_id,
                grader=name,
                score=score,
                passed=score >= HIGH_TIER_MIN_SCORE,
            )
            for name, score in quality.parts.items()
        ]
        said = [said_row(one, run_id=self.run_id, request_id=self.request_id) for one in quality.said]
        return [overall, *parts, *said]

    def _event(self, name: str, now: datetime, more: Mapping[str, Any]) -> Event:
        payload = {
            "strategy": self.unit.strategy.name,
            "case_id": self.unit.case.case_id,
            "repeat": self.unit.repeat,
            "generation": self.generation,
            **more,
        }
        return Event(
            ts=now,
            name=name,
            request_id=self.request_id,
            run_id=self.run_id,
            environment=self.environment,
            payload=payload,
        )


_SHARED = tuple(
    name
    for name in CompletedEvent.__dataclass_fields__
    if name in Request.__dataclass_fields__
    and name not in ("run_id", "request_id", "latency_ms", "mixed_providers")
)
"""Fields that the event and the request's row have in common."""


def _is_timed(calls: Sequence[Call]) -> bool:
    """False when a call behind the request was batched or cached: then its latency is no service's."""
    return all(call.price_context not in UNTIMED_CONTEXTS for call in calls)


def _told(event: CompletedEvent | FailedEvent, run_id: str, name: str, *, timed: bool) -> Event:
    """The event's row; of a request that nobody timed, without its times."""
    row = event_row(event, run_id, name=name)
    return row if timed else replace(row, payload={**row.payload, "latency_ms": None, "stages_ms": None})


def _without_waits(event: EventT, wait: CaseWait) -> EventT:
    """The event's times without what our own gate made the request wait."""
    if not wait.waited_s:
        return event
    stages = dict(event.stages_ms)
    for role, seconds in wait.waited_s.items():
        stage = "repair" if role is Role.REPAIR else "draft"
        if stage in stages:
            stages[stage] = max(0.0, stages[stage] - 1000 * seconds)
    return replace(event, latency_ms=max(0.0, event.latency_ms - wait.total_ms), stages_ms=stages)
