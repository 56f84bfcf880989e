"""The pipeline of one request: guard, draft, validate, repair, simple repair, guard, answer."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from harness.clock import ms_from_ns
from harness.errors import (
    BadOutputError,
    CostGuardError,
    PipelineFailedError,
    ProviderError,
    UnpricedModelError,
)
from harness.orchestration.attempt import CallScope
from harness.orchestration.caller import Caller
from harness.orchestration.drafting import Draft, Drafter, read_answer
from harness.orchestration.ledger import Ledger
from harness.orchestration.outcome import PipelineResult, RequestFacts, completed_event, failed_event
from harness.orchestration.progress import Progress, StageClock, StageListener, cancel_all
from harness.orchestration.strategy import Strategy
from harness.pricing import Budget
from harness.records import Call, ErrorKind, FailedEvent, FallbackReason, Role
from harness.tasks.base import Labels, QualityScore, Task

LOG = logging.getLogger("harness.orchestration")
InputT = TypeVar("InputT")
AnswerT = TypeVar("AnswerT")
AbandonListener = Callable[[FailedEvent, list[Call]], None]


@dataclass(frozen=True, slots=True)
class _Final(Generic[AnswerT]):
    """The answer to give, and how it came about; `validated` when it is known to break no rule."""

    answer: AnswerT
    fallback_reason: FallbackReason | None
    repair_ran: bool
    repair_used: bool
    validated: bool = False


class Pipeline(Generic[InputT, AnswerT]):
    """Answers requests of one task by one strategy. Safe for many requests at once.

    Args:
        task: prompts, validation, repair and grading.
        strategy: who drafts, who repairs, by which policy.
        caller: makes the calls; its adapters' lifetime is the owner's.
        cost_max_usd: the most that one request may commit.
        environment: as recorded.
        budget: the run's or evaluation's own budget around it, if any.
        deadline_s: for the whole request, seconds.
        finish_losers: wait for a hedge's losing call, after the latency is taken, so that its cost is known;
            else it is cancelled, and what it was billed stays unknown. Evaluators wait, services do not.
        on_abandoned: told of a request cancelled from outside (its client left, the service stops) or given
            up after a defect, so that what it cost is recorded; called before the exception goes on.
    """

    def __init__(
        self,
        task: Task[InputT, AnswerT],
        strategy: Strategy,
        caller: Caller,
        *,
        cost_max_usd: Decimal,
        environment: str | None = None,
        budget: Budget | None = None,
        deadline_s: float = 55.0,
        finish_losers: bool = False,
        on_abandoned: AbandonListener | None = None,
    ) -> None:
        self.task = task
        self.strategy = strategy
        self.caller = caller
        self.cost_max_usd = cost_max_usd
        self.environment = environment
        self.budget = budget
        self.deadline_s = deadline_s
        self.finish_losers = finish_losers
        self.on_abandoned = on_abandoned

    async def run(
        self,
        task_input: InputT,
        *,
        request_id: str,
        run_id: str | None = None,
        labels: Labels | None = None,
        tags: Mapping[str, str] | None = None,
        drawn_by: str | None = None,
        on_stage: StageListener | None = None,
    ) -> PipelineResult:
        """The answer to one request, with its event and every call behind it.

        Args:
            task_input: from `task.parse_input`.
            request_id: as recorded in calls and event.
            run_id: the run it belongs to, if any.
            labels: of a labelled case, for the score.
            tags: of the request, for a routed strategy.
            drawn_by: what a rule's share is drawn by; None takes the request's id.
            on_stage: told as stages begin; must not block.

        Raises:
            PipelineFailedError: no answer; carries its kind, its calls and the event to record.
        """
        now_ns = self.caller.clock.monotonic_ns()
        scope = CallScope(
            request_id=request_id,
            run_id=run_id,
            budget=Budget("request", self.cost_max_usd, self.budget),
            deadline_ns=now_ns + int(self.deadline_s * 1e9),
            ledger=Ledger(),
        )
        progress = Progress(
            scope=scope,
            strategy=self.strategy,
            tags=tags or {},
            drawn_by=drawn_by or request_id,
            labels=labels,
            on_stage=on_stage,
            started_ns=now_ns,
        )
        try:
            return await self._run(task_input, progress)
        except ProviderError as error:
            kind = ErrorKind(error.kind)
            raise self._failure(progress, kind, str(error), error.retry_after_ms) from error
        except (CostGuardError, UnpricedModelError) as error:
            raise self._failure(progress, ErrorKind.COST_GUARD, str(error), None) from error
        except BadOutputError as error:
            raise self._failure(progress, ErrorKind.BAD_OUTPUT, str(error), None) from error
        except asyncio.CancelledError:
            self._abandon(progress, "the request was abandoned")
            raise
        except Exception as error:
            # A defect of ours propagates; but what the request cost until then is recorded first.
            self._abandon(progress, f"given up after a defect ({type(error).__name__})")
            raise

    def _abandon(self, progress: Progress, message: str) -> None:
        if self.on_abandoned is not None:
            event = self._failed_event(progress, ErrorKind.CANCELLED, message)
            self.on_abandoned(event, list(progress.scope.ledger.calls))

    async def _run(self, task_input: InputT, progress: Progress) -> PipelineResult:
        try:
            draft, final, quality = await self._answer(task_input, progress)
            progress.ended_ns = self.caller.clock.monotonic_ns()
            progress.ended_at = self.caller.clock.now()
            if self.finish_losers and progress.scope.stragglers:
                await asyncio.wait(progress.scope.stragglers)
        finally:
            await cancel_all(progress.scope.stragglers)
        return self._result(draft, final, quality, progress)

    async def _answer(
        self, task_input: InputT, progress: Progress
    ) -> tuple[Draft[AnswerT], _Final[AnswerT], QualityScore]:
        task = self.task
        prompt = task.draft_prompt(task_input)
        strategy = progress.strategy = self.strategy.of_request(progress.drawn_by, prompt.user, progress.tags)
        progress.tell("DRAFTING", {"provider": strategy.draft.provider})
        drafter = Drafter(
            caller=self.caller,
            task=task,
            strategy=strategy,
            score=lambda answer: self._grade(answer, task_input, progress).score,
            on_stage=progress.tell,
        )
        clock = StageClock(self.caller.clock.monotonic_ns, progress.stages_ns)
        with clock.stage("draft"):
            draft = await drafter.draft(prompt, progress.scope)
        progress.tell("VALIDATING", {"violations": len(draft.violations)})
        final = await self._finish(task_input, draft, progress, clock)
        with clock.stage("validate"):
            left = () if final.validated else task.validate(final.answer)
            if left:
                raise BadOutputError(f"the answer still breaks a rule: {left[0].message}")
            quality = self._grade(final.answer, task_input, progress)
        return draft, final, quality

    async def _finish(
        self, task_input: InputT, draft: Draft[AnswerT], progress: Progress, clock: StageClock
    ) -> _Final[AnswerT]:
        """The draft itself when it is good; else repaired by a model; else by rule."""
        if draft.answer is not None and not draft.violations:
            return _Final(draft.answer, None, repair_ran=False, repair_used=False, validated=True)
        if self.task.repair_override is None:
            return self._by_rule(draft, draft.answer, FallbackReason.PARTIAL_FIX, progress)
        route = progress.strategy.repair
        progress.tell("REPAIRING", {"provider": route.provider})
        prompt = self.task.repair_prompt(task_input, draft.answer, draft.violations)
        try:
            with clock.stage("repair"):
                completion = await self.caller.ask(route, prompt, progress.scope)
                repaired = read_answer(self.task, route, completion.text)
        except (ProviderError, CostGuardError, UnpricedModelError) as error:
            return self._by_rule(draft, draft.answer, _reason(error), progress, cause=error)
        if repaired.good and repaired.answer is not None:
            return _Final(repaired.answer, None, repair_ran=True, repair_used=True, validated=True)
        if repaired.answer is None:
            return self._by_rule(draft, draft.answer, FallbackReason.DAG_TRANSFORM_FAILED, progress)
        reason = FallbackReason.PARTIAL_FIX
        return self._by_rule(draft, repaired.answer, reason, progress, repair_used=True)

    def _by_rule(
        self,
        draft: Draft[AnswerT],
        answer: AnswerT | None,
        reason: FallbackReason,
        progress: Progress,
        *,
        repair_used: bool = False,
        cause: Exception | None = None,
    ) -> _Final[AnswerT]:
        """The deterministic repair of last resort."""
        if answer is None:
            if cause is not None:
                raise cause
            raise BadOutputError(draft.violations[0].message)
        progress.tell("SIMPLE_REPAIR", {"fallback_reason": reason})
        repair_ran = bool(progress.scope.ledger.of(Role.REPAIR))
        return _Final(self.task.simple_repair(answer), reason, repair_ran, repair_used)

    def _grade(self, answer: AnswerT, task_input: InputT, progress: Progress) -> QualityScore:
        return self.task.grade(answer, task_input, progress.labels)

    def _result(
        self, draft: Draft[AnswerT], final: _Final[AnswerT], quality: QualityScore, progress: Progress
    ) -> PipelineResult:
        confidence = self.task.confidence(final.answer)
        ledger = progress.scope.ledger
        event = completed_event(
            self._facts(progress),
            ledger,
            draft_role=self.task.draft_role,
            draft_source=self.caller.source(draft.route),
            repair_source=self.caller.source(progress.strategy.repair) if final.repair_ran else None,
            repair_used=final.repair_used,
            quality=quality,
            confidence=confidence,
            fallback_reason=final.fallback_reason,
        )
        self._check_cost(event.cost_usd, ledger)
        payload = self.task.payload(final.answer)
        if overruns := ledger.overruns():
            payload["issues"] = [*payload.get("issues", ()), *overruns]
            LOG.warning("request %s: %s", progress.scope.request_id, "; ".join(overruns))
        payload.update(quality_tier=quality.tier, quality_score=quality.score)
        return PipelineResult(
            answer=final.answer,
            payload=payload,
            event=event,
            calls=list(ledger.calls),
            quality=quality,
            violations=draft.violations,
            contents=tuple(ledger.contents),
        )

    def _check_cost(self, cost_usd: Decimal | None, ledger: Ledger) -> None:
        """The guard after the answer: a cost that is finite, >= 0 and under the cap, or a reason for none.

        Only what a provider billed beyond what was asked of it may be above: it is paid, so it is given.
        """
        if cost_usd is None:
            if all(call.cost_usd is not None or call.unpriced_reason for call in ledger.calls):
                return
            raise BadOutputError("a call has neither a cost nor a reason for having none")
        over = cost_usd > self.cost_max_usd and not ledger.overruns()
        if not cost_usd.is_finite() or cost_usd < 0 or over:
            raise CostGuardError("request", self.cost_max_usd, cost_usd, Decimal(0))

    def _facts(self, progress: Progress) -> RequestFacts:
        clock = self.caller.clock
        return RequestFacts(
            ts=progress.ended_at or clock.now(),
            request_id=progress.scope.request_id,
            run_id=progress.scope.run_id,
            environment=self.environment,
            strategy=self.strategy.name,
            latency_ms=ms_from_ns((progress.ended_ns or clock.monotonic_ns()) - progress.started_ns),
            stages_ms={name: ms_from_ns(spent) for name, spent in progress.stages_ns.items()},
        )

    def _failed_event(self, progress: Progress, kind: ErrorKind, message: str) -> FailedEvent:
        return failed_event(
            self._facts(progress),
            progress.scope.ledger,
            kind=kind,
            message=message,
            draft_role=self.task.draft_role,
        )

    def _failure(
        self, progress: Progress, kind: ErrorKind, message: str, retry_after_ms: float | None
    ) -> PipelineFailedError:
        event = self._failed_event(progress, kind, message)
        return PipelineFailedError(
            kind,
            event.error_message,
            calls=tuple(progress.scope.ledger.calls),
            failed_event=event,
            retry_after_ms=retry_after_ms,
        )


def _reason(error: Exception) -> FallbackReason:
    timed_out = isinstance(error, ProviderError) and error.kind == ErrorKind.TIMEOUT
    return FallbackReason.LLM_TIMEOUT if timed_out else FallbackReason.LLM_API_ERROR
