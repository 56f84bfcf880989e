"""How a first answer is got: one route, then others as the strategy's policy says.

Each policy turns routes into a `Draft`; the validator's and the grader's word is part of it, because a
cascade escalates on them and a hedge waits for a good one.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from harness.errors import BadOutputError, CostGuardError, ProviderError, UnpricedModelError
from harness.orchestration.attempt import CallScope
from harness.orchestration.caller import Caller
from harness.orchestration.routing import Route
from harness.orchestration.strategy import Strategy, StrategyType
from harness.records import ErrorKind, Prompt
from harness.tasks.base import Task, Violation

AnswerT = TypeVar("AnswerT")

UNREADABLE_KINDS = frozenset({ErrorKind.TRUNCATED, ErrorKind.BAD_OUTPUT, ErrorKind.UNKNOWN_FINISH})
"""Failures where a model did answer: the repair route may still make something of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Generic[AnswerT]):
    """A route's answer. `answer` None: the model answered something unreadable, `violations` says so."""

    route: Route
    answer: AnswerT | None
    violations: Sequence[Violation]

    @property
    def good(self) -> bool:
        """Readable and without a broken rule."""
        return self.answer is not None and not self.violations


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafter:
    """Asks routes for a draft by the strategy's policy.

    Attributes:
        score: grades a readable answer 0..1, for the cascade.
        on_stage: told when another route is asked.
    """

    caller: Caller
    task: Task[Any, Any]
    strategy: Strategy
    score: Callable[[Any], float]
    on_stage: Callable[[str, dict[str, Any]], None]

    async def draft(self, prompt: Prompt, scope: CallScope) -> Draft[Any]:
        """The draft to go on with.

        Raises:
            ProviderError: every route of the policy failed; the first failure that decided.
            CostGuardError, UnpricedModelError: the guard refused before any route answered.
        """
        match self.strategy.type:
            case StrategyType.FALLBACK:
                return await self._fallback(prompt, scope)
            case StrategyType.CASCADE:
                return await self._cascade(prompt, scope)
            case StrategyType.HEDGE:
                return await self._hedge(prompt, scope)
            case StrategyType.BEST_OF:
                return await self._best_of(prompt, scope)
            case StrategyType.SINGLE | StrategyType.HYBRID | StrategyType.ROUTED:
                return await self._ask(self.strategy.draft, prompt, scope)

    async def _ask(self, route: Route, prompt: Prompt, scope: CallScope) -> Draft[Any]:
        try:
            completion = await self.caller.ask(route, prompt, scope)
        except ProviderError as error:
            if error.kind not in UNREADABLE_KINDS:
                raise
            return _unreadable(route, str(error))
        return read_answer(self.task, route, completion.text)

    async def _fallback(self, prompt: Prompt, scope: CallScope) -> Draft[Any]:
        routes = (self.strategy.draft, *self.strategy.fallbacks)
        for route in routes[:-1]:
            try:
                return await self._ask(route, prompt, scope)
            except ProviderError as error:
                self.on_stage("FALLBACK", {"from": route.provider, "error_kind": error.kind})
        return await self._ask(routes[-1], prompt, scope)

    async def _cascade(self, prompt: Prompt, scope: CallScope) -> Draft[Any]:
        cheap: Draft[Any] | None = None
        better = self.strategy.escalate_to or self.strategy.draft
        try:
            cheap = await self._ask(self.strategy.draft, prompt, scope)
        except ProviderError as error:
            self.on_stage("ESCALATING", {"error_kind": error.kind})
            return await self._ask(better, prompt, scope)
        if self._will_do(cheap):
            return cheap
        self.on_stage("ESCALATING", {"violations": len(cheap.violations)})
        try:
            escalated = await self._ask(better, prompt, scope)
        except (ProviderError, CostGuardError, UnpricedModelError):
            if cheap.answer is None:
                raise
            return cheap
        return escalated if escalated.answer is not None or cheap.answer is None else cheap

    def _will_do(self, draft: Draft[Any]) -> bool:
        if not draft.good or self.score(draft.answer) < self.strategy.escalate_below_score:
            return False
        least = self.strategy.escalate_below_confidence
        if least is None:
            return True
        sure = self.task.confidence(draft.answer)
        return sure is not None and sure >= least

    async def _best_of(self, prompt: Prompt, scope: CallScope) -> Draft[Any]:
        routes = (self.strategy.draft, *self.strategy.others)
        asked = [asyncio.create_task(self._ask(route, prompt, scope)) for route in routes]
        scope.stragglers.update(asked)
        found = await asyncio.gather(*asked, return_exceptions=True)
        drafts = [draft for draft in found if isinstance(draft, Draft)]
        if not drafts:
            return await asked[0]  # raises the first route's failure
        return max(drafts, key=self._worth)  # the first of equals

    def _worth(self, draft: Draft[Any]) -> tuple[bool, bool, float]:
        if draft.answer is None:
            return False, False, 0.0
        by_score = self.strategy.pick_by == "score"
        worth = self.score(draft.answer) if by_score else self.task.confidence(draft.answer) or 0.0
        return True, draft.good, worth

    async def _hedge(self, prompt: Prompt, scope: CallScope) -> Draft[Any]:
        hedge = self.strategy.hedge or self.strategy.draft
        first = asyncio.create_task(self._ask(self.strategy.draft, prompt, scope))
        scope.stragglers.add(first)
        await asyncio.wait({first}, timeout=self.strategy.hedge_after_ms / 1_000)
        if first.done() and first.exception() is None and first.result().good:
            return first.result()
        self.on_stage("HEDGING", {"provider": hedge.provider})
        second = asyncio.create_task(self._ask(hedge, prompt, scope))
        scope.stragglers.add(second)
        return await _first_good({first, second}, first)


def read_answer(task: Task[Any, Any], route: Route, text: str) -> Draft[Any]:
    """A route's text as a draft: parsed, stabilised, validated."""
    try:
        answer = task.parse(text)
    except BadOutputError as error:
        return _unreadable(route, str(error))
    return Draft(route=route, answer=answer, violations=task.validate(answer))


def _unreadable(route: Route, why: str) -> Draft[Any]:
    return Draft(route=route, answer=None, violations=[Violation(code="unreadable", message=why)])


async def _first_good(
    tasks: set["asyncio.Task[Draft[Any]]"], first: "asyncio.Task[Draft[Any]]"
) -> Draft[Any]:
    """The first good draft; else the best there is, readable before not; else the first route's failure."""
    pending = set(tasks)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.exception() is None and task.result().good:
                return task.result()
    drafts = [task.result() for task in tasks if task.exception() is None]
    readable = sorted((d for d in drafts if d.answer is not None), key=lambda d: len(d.violations))
    if readable or drafts:
        return (readable or drafts)[0]
    return first.result()
