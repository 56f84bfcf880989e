"""Runs the units of an evaluation through the pipeline, a few at a time, each recorded before it counts."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import PipelineFailedError
from harness.evaluation.admission import Admission, Hold, worst_case_usd
from harness.evaluation.aftercare import Aftercare
from harness.evaluation.batches.calls import DEADLINE_S as BATCH_DEADLINE_S
from harness.evaluation.batches.calls import BatchCalling, OpenGate
from harness.evaluation.cache import ResponseCache
from harness.evaluation.early import EarlyStop
from harness.evaluation.filing import Filing, Record
from harness.evaluation.grading import GuardedTask
from harness.evaluation.live import LiveEvaluation, Stop
from harness.evaluation.pacing.gatekeeper import AdaptiveGate
from harness.evaluation.pacing.workers import work_together
from harness.evaluation.plan import Key, Unit
from harness.evaluation.pools import EvaluationPools
from harness.orchestration import Caller, Pipeline, PipelineResult
from harness.pricing import Budget, PriceBook
from harness.pricing.catalogue import BATCH, STANDARD
from harness.records import (
    Call,
    CallOutcome,
    ErrorKind,
    FailedEvent,
    ProviderMode,
    Request,
    RequestStatus,
    RunStatus,
)
from harness.store import Spool

DEADLINE_S = 180.0
"""Of one case, waiting for the gate inside it included: longer than the service's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What an evaluation works with.

    Attributes:
        cost_max_usd: the most that one request may commit.
        budget: of the whole evaluation, what earlier sessions spent already booked.
        generations: how often each unit was begun before.
        alive: whether the providers can answer; a case that broke off because they cannot is no result.
        aftercare: the suite's own graders and judges; None when it has none.
        batch: calls go out in provider batches; None makes each at once.
        cache: answers of first repeats come from it where it has them; None asks every time.
        keeps_content: prompts and outputs of answered requests are recorded as text.
        early: ends the run when everything is settled; None goes on to the end.
    """

    run_id: str
    task: GuardedTask
    book: PriceBook
    spool: Spool
    budget: Budget
    cost_max_usd: Decimal
    environment: str | None
    concurrency: int
    pools: EvaluationPools
    generations: Mapping[Key, int] = field(default_factory=dict)
    clock: Clock = SYSTEM_CLOCK
    alive: Callable[[], bool] = lambda: True
    aftercare: Aftercare | None = None
    batch: BatchCalling | None = None
    cache: ResponseCache | None = None
    early: EarlyStop | None = None
    keeps_content: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """How one session ended.

    Attributes:
        wasted_calls: attempts that the provider pushed back (429, 529). sent_calls: all attempts sent.
        problem: why it failed, in a sentence; None when it did not.
    """

    status: RunStatus
    finished: int
    wasted_calls: int
    sent_calls: int
    modes: frozenset[ProviderMode]
    problem: str | None = None


class Runner:
    """One session over the units that are left.

    Args:
        bench: what it works with.
        todo: the units, in order.
        live: told of every finished case.
        stop: asks for an orderly end.
    """

    def __init__(self, bench: Bench, todo: Iterable[Unit], live: LiveEvaluation, stop: Stop) -> None:
        self.gate = (
            OpenGate() if bench.batch is not None else AdaptiveGate(bench.concurrency, clock=bench.clock)
        )
        self._bench = bench
        self._todo = iter(todo)
        self._next: Unit | None = next(self._todo, None)
        self._live = live
        self._stop = stop
        self._admission = Admission(bench.budget)
        self._tasks: dict[int, GuardedTask] = {}
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()
        self._truncated = self._stalled = self._settled = False
        self._problem: str | None = None
        self._sent = self._wasted = 0
        self._modes: set[ProviderMode] = set()
        stop.on_ask(self._freed.set)
        stop.on_ask(self.gate.let_go)

    def set_aside(self, amount_usd: Decimal) -> None:
        """Keep so much of the budget from the cases: earlier answers are still to be judged."""
        self._admission.set_aside(amount_usd)

    async def run(self) -> Session:
        """Until everything is asked, the budget is used up, or an end is asked for.

        Raises:
            StoreError: a record could not be written: nothing goes on unrecorded.
            asyncio.CancelledError: ended at once; what was under way is recorded as cut.
        """
        await work_together(self._bench.concurrency, self._work)
        return Session(
            status=self._status(),
            finished=self._live.finished,
            wasted_calls=self._wasted,
            sent_calls=self._sent,
            modes=frozenset(self._modes),
            problem=self._problem,
        )

    def waits_only_for(self, answers: int) -> bool:
        """Whether so many answers are all that could bring the run forward: no unit can start or go on."""
        begun = self._next is None or self._ending or self._stalled
        return begun and answers == self._admission.under_way

    def _status(self) -> RunStatus:
        if self._problem is not None:
            return RunStatus.FAILED
        if self._next is None:
            return RunStatus.TRUNCATED if self._truncated else RunStatus.COMPLETED
        if self._settled and not self._stop.asked:
            return RunStatus.STOPPED_EARLY
        return RunStatus.TRUNCATED if self._truncated else RunStatus.INTERRUPTED

    async def _work(self) -> None:
        while (taken := await self._take()) is not None:
            unit, hold = taken
            self._live.in_flight = self._admission.under_way
            try:
                await self._ask(unit, hold)
            finally:
                self._admission.release(unit.seq)
                self._live.in_flight = self._admission.under_way
                self._live.window = sum(int(lane.window) for lane in self.gate.lanes.values())
                self._freed.set()

    async def _take(self) -> tuple[Unit, Hold] | None:
        """The next unit, once the budget can carry it; None when nothing more is to be started."""
        async with self._turn:
            while self._next is not None and not self._ending:
                unit = self._next
                self._freed.clear()
                hold = self._admission.admit(unit.seq, self._worst_case_usd(unit))
                if hold is not None:
                    self._next = next(self._todo, None)
                    return unit, hold
                if not self._admission.under_way:
                    self._truncated = True
                    return None
                self._stalled = True
                await self._freed.wait()
                self._stalled = False
            return None

    @property
    def _ending(self) -> bool:
        return self._stop.asked or self._truncated or self._settled or self._problem is not None

    def _worst_case_usd(self, unit: Unit) -> Decimal:
        bench = self._bench
        task = self._tasks[unit.seq] = bench.task.of(unit.case)
        prompt = task.draft_prompt(task.parse_input(unit.case.body))
        repairs = task.repair_override is not None
        context = STANDARD if bench.batch is None else BATCH
        worst = worst_case_usd(
            unit.strategy, prompt, bench.book, bench.clock.now(), repairs=repairs, context=context
        )
        if bench.aftercare is not None:
            worst += bench.aftercare.worst_case_usd(unit, prompt.max_tokens)
        return worst

    async def _ask(self, unit: Unit, hold: Hold) -> None:
        bench = self._bench
        generation = bench.generations.get(unit.key, 0) + 1
        task = self._tasks.pop(unit.seq)
        filing = Filing(
            run_id=bench.run_id,
            request_id=unit.request_id(bench.run_id, generation),
            unit=unit,
            task=bench.task.name,
            event_stem=bench.task.event_stem,
            environment=bench.environment,
            generation=generation,
        )
        async with self.gate.case(unit.strategy.draft) as wait:
            if self._ending:
                self._put_back(unit)
                return
            await self._keep([filing.started(bench.clock.now(), hold.amount_usd)])
            started_at = bench.clock.now()
            pipeline = self._pipeline(task, unit, hold, filing)
            try:
                result = await pipeline.run(
                    task.parse_input(unit.case.body),
                    request_id=filing.request_id,
                    run_id=bench.run_id,
                    labels=unit.case.labels,
                    tags=unit.case.plain_columns,
                    drawn_by=f"{unit.case.case_id}/{unit.repeat}",  # another run draws the same
                )
            except PipelineFailedError as error:
                event, calls = _failure_of(error)
                request, records = filing.failed(event, calls, wait, started_at)
            else:
                calls = result.calls
                request, records = filing.answered(result, wait, started_at)
                records = [*result.contents, *self._cared_for(unit, request, result, records)]
        self._count(calls, request.provider_mode)
        why = self._why_cut(request, calls)
        if why is not None:
            if bench.batch is None:  # a batch's answers are read again when the run is resumed
                await self._keep(filing.cut(bench.clock.now(), calls, why))
            return
        await self._keep(records)
        self._live.take(request)
        if bench.early is not None and bench.early.take(unit, request):
            self._settled = True
            self._freed.set()
        if request.error_kind is ErrorKind.AUTH:
            self._problem = f"{unit.strategy.name}: {request.error_message}"

    def _cared_for(
        self, unit: Unit, request: Request, result: PipelineResult, records: list[Record]
    ) -> list[Record]:
        """The records with those of the suite's own graders; the request stays last."""
        care = self._bench.aftercare
        if care is None:
            return records
        self._admission.set_aside(care.set_aside_usd(unit, result))
        return [*care.records(unit, request.request_id, result), *records]

    def _pipeline(self, task: GuardedTask, unit: Unit, hold: Hold, filing: Filing) -> Pipeline[Any, Any]:
        bench = self._bench
        batch = bench.batch
        caller = (
            Caller(pool=bench.pools.of(unit), book=bench.book, clock=bench.clock, gatekeeper=self.gate)
            if batch is None
            else batch.caller(unit, filing.request_id)
        )
        if bench.keeps_content:
            caller = replace(caller, keep_content=True)
        if bench.cache is not None:
            caller = replace(caller, pool=bench.cache.pool(caller.pool, unit))

        def on_abandoned(_event: FailedEvent, calls: list[Call]) -> None:
            bench.spool.append_many(filing.cut(bench.clock.now(), calls, "the run was ended"))

        return Pipeline(
            task,
            unit.strategy,
            caller,
            cost_max_usd=bench.cost_max_usd,
            environment=bench.environment,
            budget=hold.budget,
            deadline_s=DEADLINE_S if batch is None else BATCH_DEADLINE_S,
            finish_losers=True,
            on_abandoned=on_abandoned if batch is None else None,
        )

    async def _keep(self, records: Sequence[Record]) -> None:
        """Write, and wait until it is durable."""
        await asyncio.wrap_future(self._bench.spool.append_many(records))

    def _put_back(self, unit: Unit) -> None:
        """A unit that was taken but not begun is still to be done; the status must say so."""
        if self._next is None:
            self._next = unit

    def _count(self, calls: Sequence[Call], mode: ProviderMode | None) -> None:
        sent = [call for call in calls if call.outcome is not CallOutcome.REFUSED]
        pushed = sum(call.error_kind in (ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED) for call in sent)
        self._sent += len(sent)
        self._wasted += pushed
        self._live.backed_off += pushed
        if mode is not None:
            self._modes.add(mode)

    def _why_cut(self, request: Request, calls: Sequence[Call]) -> str | None:
        """Why what came of a case says nothing about its strategy; None when it does."""
        if self._was_refused_by_evaluation(calls):
            self._truncated = True
            return "the evaluation's budget was used up"
        if request.status is not RequestStatus.OK and not self._bench.alive():
            self._problem = self._problem or "the emulator has ended"
            return self._problem
        return None

    def _was_refused_by_evaluation(self, calls: Sequence[Call]) -> bool:
        """True when a call was refused that the request's own limit would have allowed."""
        booked = Decimal(0)
        for call in calls:
            needed = call.cost_reserved_usd or Decimal(0)
            if call.outcome is not CallOutcome.REFUSED:
                booked += call.cost_usd if call.cost_usd is not None else needed
            elif call.unpriced_reason is None and booked + needed <= self._bench.cost_max_usd:
                return True
        return False


def _failure_of(error: PipelineFailedError) -> tuple[FailedEvent, list[Call]]:
    if not isinstance(error.failed_event, FailedEvent):
        raise TypeError("a pipeline failed without an event") from error
    return error.failed_event, [call for call in error.calls if isinstance(call, Call)]


def mode_of(modes: Iterable[ProviderMode]) -> ProviderMode | None:
    """The one mode, `mixed` for several, None for none."""
    seen = set(modes)
    return None if not seen else seen.pop() if len(seen) == 1 else ProviderMode.MIXED
