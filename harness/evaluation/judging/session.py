"""Asks the judges about every stored answer, a few at a time; each verdict is durable before it counts."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import BadOutputError, CostGuardError, ProviderError, UnpricedModelError
from harness.evaluation.admission import worst_call_usd
from harness.evaluation.judging.panel import Panel
from harness.evaluation.judging.question import FAILED, Judge, JudgedAnswer, judged_part
from harness.evaluation.judging.state import JUDGE_ANSWERED, JUDGE_CUT, JUDGE_STARTED, JudgingState
from harness.evaluation.live import LiveEvaluation, Stop
from harness.evaluation.pacing.gatekeeper import AdaptiveGate
from harness.evaluation.pacing.workers import work_together
from harness.evaluation.pools import EvaluationPools
from harness.orchestration import Caller
from harness.orchestration.attempt import CallScope, prompt_bytes
from harness.orchestration.ledger import Ledger
from harness.pricing import Budget, PriceBook
from harness.records import (
    HIGH_TIER_MIN_SCORE,
    Call,
    ErrorKind,
    Event,
    Grade,
    Prompt,
    RunStatus,
    new_id,
)
from harness.store import Spool

DEADLINE_S = 180.0
"""Of one question, its retries and its waiting for the gate included."""
ATTEMPT_TIMEOUT_S = 60.0
MAX_WHY_CHARS = 300
EVALUATION = "evaluation"
"""Name of the budget whose refusal ends the session; any other refusal leaves one grade absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeBench:
    """What the judging of a run works with.

    Attributes:
        budget: the evaluation's own: judges and candidates spend from one.
        cost_max_usd: the most that one question may commit.
        alive: whether the providers can answer.
    """

    run_id: str
    panel: Panel
    book: PriceBook
    spool: Spool
    budget: Budget
    cost_max_usd: Decimal
    environment: str | None
    concurrency: int
    pools: EvaluationPools
    gate: AdaptiveGate
    clock: Clock = SYSTEM_CLOCK
    alive: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingEnd:
    """How it ended; `problem` is why it failed, in a sentence."""

    status: RunStatus
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One grade to be given: a judge, an answer, and the baseline's where two are compared."""

    judge: Judge
    answer: JudgedAnswer
    baseline: JudgedAnswer | None


def open_work(panel: Panel, state: JudgingState) -> list[_Work]:
    """Every grade that is still to be given; a pair without a baseline's answer is none."""
    baselines = {
        (answer.case_id, answer.repeat): answer
        for answer in state.answers
        if answer.strategy == panel.baseline
    }
    work = []
    for answer in state.answers:
        for judge in panel.of(answer.strategy):
            baseline = baselines.get((answer.case_id, answer.repeat)) if judge.pairwise else None
            missing = judge.pairwise and baseline is None
            if not missing and (answer.request_id, judge.name) not in state.graded:
                work.append(_Work(judge=judge, answer=answer, baseline=baseline))
    return work


def owed_usd(panel: Panel, state: JudgingState, book: PriceBook, at: datetime) -> Decimal:
    """The most that the questions still to be asked about stored answers should cost."""
    return sum(
        (
            worst_call_usd(work.judge.route, prompt_bytes(prompt), prompt.max_tokens, book, at)
            for work in open_work(panel, state)
            for asked, prompt in work.judge.prompts(work.answer, work.baseline).items()
            if (work.answer.request_id, work.judge.name, asked) not in state.verdicts
        ),
        Decimal(0),
    )


class JudgingSession:
    """One session over the grades that are still to be given.

    Args:
        bench: what it works with.
        state: how far earlier sessions came.
        live: told of every grade.
        stop: asks for an orderly end.
    """

    def __init__(self, bench: JudgeBench, state: JudgingState, live: LiveEvaluation, stop: Stop) -> None:
        self._bench = bench
        self._known = state.verdicts
        self._todo: Iterator[_Work] = iter(open_work(bench.panel, state))
        self._live = live
        self._stop = stop
        self._left = False
        self._truncated = False
        self._problem: str | None = None

    async def run(self) -> JudgingEnd:
        """Until every grade is given, the budget is used up, or an end is asked for.

        Raises:
            StoreError: a record could not be written.
            asyncio.CancelledError: ended at once; what was under way is recorded as cut.
        """
        await work_together(self._bench.concurrency, self._work)
        if self._problem is not None:
            return JudgingEnd(status=RunStatus.FAILED, problem=self._problem)
        if self._truncated:
            return JudgingEnd(status=RunStatus.TRUNCATED)
        left = self._left or next(self._todo, None) is not None
        return JudgingEnd(status=RunStatus.INTERRUPTED if left else RunStatus.COMPLETED)

    @property
    def _ending(self) -> bool:
        return self._stop.asked or self._truncated or self._problem is not None

    async def _work(self) -> None:
        while not self._ending and (work := next(self._todo, None)) is not None:
            self._live.in_flight += 1
            try:
                if not await self._judge(work):
                    self._left = True
            finally:
                self._live.in_flight -= 1

    async def _judge(self, work: _Work) -> bool:
        """Give one grade; False when it was left for another session."""
        verdicts: dict[str, Mapping[str, Any]] = {}
        for asked, prompt in work.judge.prompts(work.answer, work.baseline).items():
            known = self._known.get((work.answer.request_id, work.judge.name, asked))
            verdict = known if known is not None else await self._verdict(work, asked, prompt)
            if verdict is None:
                return False
            verdicts[asked] = verdict
            if FAILED in verdict:
                break
        part = judged_part(work.judge, verdicts, work.answer, work.baseline)
        grade = Grade(
            run_id=self._bench.run_id,
            request_id=work.answer.request_id,
            grader=work.judge.name,
            score=part.score,
            passed=None if part.score is None else part.score >= HIGH_TIER_MIN_SCORE,
            detail=part.detail,
        )
        await self._keep([grade])
        self._live.finished += 1
        self._live.failed += part.score is None
        return True

    async def _verdict(self, work: _Work, asked: str, prompt: Prompt) -> Mapping[str, Any] | None:
        """The judge's verdict on one question, or why there is none; None when it was broken off."""
        if self._ending:
            return None
        question = _Question(bench=self._bench, work=work, asked=asked, prompt=prompt)
        await self._keep([question.event(JUDGE_STARTED, {"reserved_usd": str(question.worst_usd)})])
        try:
            verdict = await question.answer()
        except asyncio.CancelledError:
            with suppress(Exception):  # it is on its way out; the event only saves a doubt
                self._bench.spool.append_many(question.cut("the run was ended"))
            raise
        except (ProviderError, CostGuardError, UnpricedModelError, BadOutputError) as error:
            why = self._why_cut(error)
            if why is not None:
                await self._keep(question.cut(why))
                return None
            verdict = {FAILED: _why_failed(error)}
        self._count(question.scope.ledger)
        await self._keep(question.ended(verdict))
        return verdict

    def _why_cut(self, error: Exception) -> str | None:
        """Why a failure says nothing about the answer or its judge; None when it does."""
        if isinstance(error, CostGuardError) and error.budget == EVALUATION:
            self._truncated = True
            return "the evaluation's budget was used up"
        if isinstance(error, ProviderError) and error.kind == ErrorKind.AUTH:
            self._problem = f"judge: {error}"
            return self._problem
        if isinstance(error, ProviderError) and not self._bench.alive():
            self._problem = self._problem or "the emulator has ended"
            return self._problem
        return None

    def _count(self, ledger: Ledger) -> None:
        pushed = (ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED)
        self._live.backed_off += sum(call.error_kind in pushed for call in ledger.calls)
        cost_usd = ledger.cost_usd()
        if cost_usd is None:
            self._live.unknown += 1
        else:
            self._live.spent_usd += cost_usd

    async def _keep(self, records: Sequence[Call | Event | Grade]) -> None:
        """Write, and wait until it is durable."""
        await asyncio.wrap_future(self._bench.spool.append_many(records))


class _Question:
    """One question to a judge: its calls, and what is recorded of them."""

    def __init__(self, *, bench: JudgeBench, work: _Work, asked: str, prompt: Prompt) -> None:
        self._bench = bench
        self._work = work
        self._asked = asked
        self._prompt = prompt
        self._id = new_id("judgement")
        route, now = work.judge.route, bench.clock.now()
        self.worst_usd = worst_call_usd(route, prompt_bytes(prompt), prompt.max_tokens, bench.book, now)
        self.scope = CallScope(
            request_id=work.answer.request_id,
            run_id=bench.run_id,
            budget=Budget("judgement", bench.cost_max_usd, bench.budget),
            deadline_ns=bench.clock.monotonic_ns() + int(DEADLINE_S * 1e9),
            ledger=Ledger(),
        )

    async def answer(self) -> dict[str, Any]:
        """The judge's verdict; raises what the call or its reading raises."""
        bench, answer = self._bench, self._work.answer
        caller = Caller(
            pool=bench.pools.drawing(f"judge/{answer.strategy}/{answer.repeat}"),
            book=bench.book,
            clock=bench.clock,
            attempt_timeout_s=ATTEMPT_TIMEOUT_S,
            gatekeeper=bench.gate,
        )
        completion = await caller.ask(self._work.judge.route, self._prompt, self.scope)
        return self._work.judge.read(completion.text)

    def ended(self, verdict: Mapping[str, Any]) -> list[Call | Event]:
        """Its calls, and last the verdict: the mark of completion."""
        return [*self.scope.ledger.calls, self.event(JUDGE_ANSWERED, {"verdict": dict(verdict)})]

    def cut(self, why: str) -> list[Call | Event]:
        """What it paid until it was broken off."""
        return [*self.scope.ledger.calls, self.event(JUDGE_CUT, {"why": why[:MAX_WHY_CHARS]})]

    def event(self, name: str, more: Mapping[str, Any]) -> Event:
        """A happening of this question."""
        answer = self._work.answer
        payload = {
            "judgement_id": self._id,
            "grader": self._work.judge.name,
            "asked": self._asked,
            "strategy": answer.strategy,
            "case_id": answer.case_id,
            "repeat": answer.repeat,
            **more,
        }
        return Event(
            ts=self._bench.clock.now(),
            name=name,
            request_id=answer.request_id,
            run_id=self._bench.run_id,
            environment=self._bench.environment,
            payload=payload,
        )


def _why_failed(error: Exception) -> str:
    """The kind of the failure and what was said of it."""
    if isinstance(error, ProviderError):
        return f"{error.kind}: {error}"[:MAX_WHY_CHARS]
    kind = ErrorKind.BAD_OUTPUT if isinstance(error, BadOutputError) else ErrorKind.COST_GUARD
    return f"{kind.value}: {error}"[:MAX_WHY_CHARS]
