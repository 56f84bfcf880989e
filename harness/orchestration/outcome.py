"""What a request came to: the answer with its event, or the failure with its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from harness.orchestration.attempt import Source
from harness.orchestration.ledger import Ledger
from harness.records import (
    Call,
    CompletedEvent,
    Content,
    ErrorKind,
    FailedEvent,
    FallbackReason,
    RequestStatus,
    Role,
)
from harness.tasks.base import QualityScore, Violation

MAX_MESSAGE_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineResult:
    """An answered request.

    Attributes:
        answer: the task's own object. payload: its public JSON, with tier and score.
        event: what every sink is told. calls: every attempt, refused ones included.
        violations: the broken rules of the draft, before any repair.
        contents: prompts and outputs of the calls, where the caller was told to keep them.
    """

    answer: Any
    payload: dict[str, Any]
    event: CompletedEvent
    calls: list[Call]
    quality: QualityScore
    violations: Sequence[Violation]
    contents: Sequence[Content] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What is known of a request however it ends."""

    ts: datetime
    request_id: str
    run_id: str | None
    environment: str | None
    strategy: str
    latency_ms: float
    stages_ms: Mapping[str, float]


def completed_event(
    facts: RequestFacts,
    ledger: Ledger,
    *,
    draft_role: Role,
    draft_source: Source,
    repair_source: Source | None,
    repair_used: bool,
    quality: QualityScore,
    confidence: float | None,
    fallback_reason: FallbackReason | None,
) -> CompletedEvent:
    """The event of an answered request, its money summed from the ledger.

    `draft_source` says whose draft was used; `repair_source` who was asked to repair, None when no repair
    call left this process; `repair_used` that its answer was readable: `mixed_providers` compares used
    answers only.
    """
    draft, draft_cost = ledger.tokens(draft_role), ledger.cost_usd(draft_role)
    repair, repair_cost = ledger.tokens(Role.REPAIR), ledger.cost_usd(Role.REPAIR)
    event = CompletedEvent(
        ts=facts.ts,
        request_id=facts.request_id,
        draft_source=draft_source.provider,
        draft_model=draft_source.model,
        draft_cost_usd=draft_cost,
        cost_usd=None if draft_cost is None or repair_cost is None else draft_cost + repair_cost,
        prompt_cache_hit=ledger.prompt_cache_hit(),
        quality_tier=quality.tier,
        quality_score=quality.score,
        score_basis=quality.basis,
        confidence=confidence,
        latency_ms=facts.latency_ms,
        fallback_reason=fallback_reason,
        environment=facts.environment,
        provider_mode=ledger.provider_mode,
        strategy=facts.strategy,
        run_id=facts.run_id,
        stages_ms=facts.stages_ms,
        draft_input_tokens=draft.input_tokens,
        draft_cache_read_tokens=draft.cache_read_tokens,
        draft_cache_write_tokens=draft.cache_write_tokens,
        draft_output_tokens=draft.output_tokens,
    )
    if repair_source is None:
        return event
    return replace(
        event,
        repair_source=repair_source.provider,
        repair_model=repair_source.model,
        repair_cost_usd=repair_cost,
        mixed_providers=repair_source.provider != draft_source.provider if repair_used else None,
        repair_input_tokens=repair.input_tokens,
        repair_cache_read_tokens=repair.cache_read_tokens,
        repair_cache_write_tokens=repair.cache_write_tokens,
        repair_output_tokens=repair.output_tokens,
    )


def failed_event(
    facts: RequestFacts, ledger: Ledger, *, kind: ErrorKind, message: str, draft_role: Role
) -> FailedEvent:
    """The event of a request without an answer; `http_status` is the service's to fill."""
    last = ledger.last_of(draft_role)
    return FailedEvent(
        ts=facts.ts,
        request_id=facts.request_id,
        status=_status(kind),
        http_status=None,
        error_kind=kind,
        error_message=message[:MAX_MESSAGE_CHARS],
        draft_source=last.provider if last else None,
        draft_model=last.model if last else None,
        draft_cost_usd=ledger.cost_usd(draft_role),
        cost_usd=ledger.cost_usd(),
        latency_ms=facts.latency_ms,
        environment=facts.environment,
        provider_mode=ledger.provider_mode,
        strategy=facts.strategy,
        run_id=facts.run_id,
        stages_ms=facts.stages_ms,
    )


def _status(kind: ErrorKind) -> RequestStatus:
    if kind is ErrorKind.COST_GUARD:
        return RequestStatus.REJECTED
    return RequestStatus.TIMEOUT if kind is ErrorKind.TIMEOUT else RequestStatus.ERROR
