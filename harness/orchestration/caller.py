"""One question to one route: reserve, attempt, settle, record; then again if the policy says so."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import orjson

from harness.clock import SYSTEM_CLOCK, Clock, ms_from_ns
from harness.errors import CostGuardError, ProviderError, UnpricedModelError
from harness.orchestration.adapters import AdapterPool
from harness.orchestration.ledger import Ledger
from harness.orchestration.retry import RetryPolicy
from harness.orchestration.routing import Route
from harness.pricing import Budget, PriceBook, Priced
from harness.providers.base import LLMAdapter
from harness.records import (
    Call,
    CallOutcome,
    Completion,
    Content,
    ErrorKind,
    Prompt,
    ProviderMode,
    UnpricedReason,
    Usage,
    new_id,
)

DEFAULT_POLICY = RetryPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Provider and model as recorded: `auto` resolved."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScope:
    """What the calls of one request share. `deadline_ns` is on the caller's monotonic clock.

    `stragglers` are calls that lost a race and may still run; the pipeline ends them before it adds up.
    """

    request_id: str
    run_id: str | None
    budget: Budget
    deadline_ns: int
    ledger: Ledger
    stragglers: "set[asyncio.Task[Any]]" = field(default_factory=set)


class Gatekeeper(Protocol):
    """Decides when an attempt may start, and learns how it ended: what adaptive concurrency needs."""

    def admit(self, route: Route) -> AbstractAsyncContextManager[None]:
        """Entered before an attempt reserves and is made, left when it has ended."""
        ...

    def seen(self, route: Route, call: Call, rate_limits: Mapping[str, str]) -> None:
        """Told each attempt's row, and the rate-limit headers of an answered one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Makes calls: the only place where the harness spends money on models.

    Attributes:
        attempt_timeout_s: longest single attempt, seconds.
        allow_unpriced: run calls without a known price; their cost is recorded as unknown.
        keep_content: keep prompts and outputs for the store, which must have been asked to hold them.
        sleep: waits between attempts, seconds.
        gatekeeper: admits attempts and watches them; None admits all at once.
    """

    pool: AdapterPool
    book: PriceBook
    policy: RetryPolicy = DEFAULT_POLICY
    clock: Clock = SYSTEM_CLOCK
    attempt_timeout_s: float = 30.0
    allow_unpriced: bool = False
    keep_content: bool = False
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    gatekeeper: Gatekeeper | None = None

    def source(self, route: Route) -> Source:
        """What the route's calls are recorded as."""
        adapter = self.pool.get(route)
        return Source(provider=adapter.name, model=adapter.model)

    async def ask(self, route: Route, prompt: Prompt, scope: CallScope) -> Completion:
        """The route's answer, after as many attempts as the policy allows.

        Raises:
            ProviderError: the last attempt's failure.
            CostGuardError: an attempt was refused before it was made.
            UnpricedModelError: the model has no price and unpriced calls are not allowed.
        """
        adapter = self.pool.get(route)
        attempt = 1
        while True:
            try:
                if self.gatekeeper is None:
                    return await self._attempt(adapter, route, prompt, scope, attempt)
                async with self.gatekeeper.admit(route):
                    return await self._attempt(adapter, route, prompt, scope, attempt)
            except ProviderError as error:
                delay_ms = self.policy.delay_ms(
                    attempt,
                    error,
                    key=f"{scope.request_id}:{prompt.role}:{route.provider}",
                    remaining_ms=self._remaining_ms(scope),
                )
                if delay_ms is None:
                    raise
            await self.sleep(delay_ms / 1_000)
            attempt += 1

    def _remaining_ms(self, scope: CallScope) -> float:
        return ms_from_ns(scope.deadline_ns - self.clock.monotonic_ns())

    async def _attempt(
        self, adapter: LLMAdapter, route: Route, prompt: Prompt, scope: CallScope, attempt: int
    ) -> Completion:
        record = _Record(self, adapter, route, prompt, scope, attempt)
        reserved_usd = record.worst_case_usd()
        try:
            reservation = scope.budget.reserve(reserved_usd or Decimal(0))
        except CostGuardError:
            record.refused(reserved_usd, None)
            raise
        record.start(reserved_usd)
        timeout_s = max(0.001, min(self.attempt_timeout_s, self._remaining_ms(scope) / 1_000))
        try:
            completion = await adapter.generate(prompt, call_id=record.call_id, timeout_s=timeout_s)
        except ProviderError as error:
            reservation.settle(record.failed(error))
            raise
        except BaseException:
            # Cancelled, or a defect of ours: what was sent may be billed, so it settles at its reservation.
            reservation.settle(record.cancelled())
            raise
        reservation.settle(record.answered(completion))
        return completion


@dataclass(slots=True)
class _Record:
    """The `calls` row of one attempt in the making."""

    _caller: Caller
    _adapter: LLMAdapter
    _route: Route
    _prompt: Prompt
    _scope: CallScope
    _attempt: int

    call_id: str = field(default_factory=lambda: new_id("call"), init=False)
    _started_at: datetime = field(init=False)
    _started_ns: int = field(init=False)
    _reserved_usd: Decimal | None = field(init=False)

    def __post_init__(self) -> None:
        self.start(None)

    def worst_case_usd(self) -> Decimal | None:
        """The most this attempt can cost; None only when unpriced calls are allowed."""
        worst = self._caller.book.worst_case_usd(
            self._adapter.name,
            self._adapter.model,
            prompt_bytes=prompt_bytes(self._prompt),
            max_tokens=self._prompt.max_tokens,
            at=self._started_at,
            local=self._adapter.local,
        )
        if worst is None and not self._caller.allow_unpriced:
            self.refused(None, UnpricedReason.UNPRICED)
            raise UnpricedModelError(self._adapter.name, self._adapter.model)
        return worst

    def start(self, reserved_usd: Decimal | None) -> None:
        self._reserved_usd = reserved_usd
        self._started_at = self._caller.clock.now()
        self._started_ns = self._caller.clock.monotonic_ns()

    def refused(self, needed_usd: Decimal | None, unpriced: UnpricedReason | None) -> None:
        """Nothing was sent: no token, no cost; an unpriced model's cost stays unknown all the same."""
        self._reserved_usd = needed_usd
        priced = Priced(cost_usd=None if unpriced else Decimal(0), unpriced_reason=unpriced)
        self._keep(CallOutcome.REFUSED, None, priced, error_kind=ErrorKind.COST_GUARD)

    def answered(self, completion: Completion) -> Decimal | None:
        mode = self._mode(emulated=completion.emulated)
        priced = self._price(completion.usage)
        self._keep(CallOutcome.OK, completion.usage, priced, completion=completion, mode=mode)
        if self._caller.keep_content:
            self._keep_text("prompt", f"{self._prompt.system}\n\n{self._prompt.user}")
            self._keep_text("output", completion.text)
        return priced.cost_usd

    def failed(self, error: ProviderError) -> Decimal | None:
        usage = error.usage if isinstance(error.usage, Usage) else None
        priced = self._price(usage)
        mode = None if error.emulated is None else self._mode(emulated=error.emulated)
        self._keep(CallOutcome.ERROR, usage, priced, error=error, error_kind=ErrorKind(error.kind), mode=mode)
        return priced.cost_usd

    def cancelled(self) -> Decimal | None:
        priced = self._price(None)
        self._keep(CallOutcome.ERROR, None, priced, error_kind=ErrorKind.CANCELLED)
        return priced.cost_usd

    def _mode(self, *, emulated: bool) -> ProviderMode:
        if self._route.is_fixtures:
            return ProviderMode.FIXTURES
        return ProviderMode.EMULATED if emulated else ProviderMode.LIVE

    def _keep_text(self, kind: str, text: str) -> None:
        content = Content(
            run_id=self._scope.run_id,
            request_id=self._scope.request_id,
            call_id=self.call_id,
            kind=kind,
            ts=self._started_at,
            text=text,
        )
        self._scope.ledger.contents.append(content)

    def _price(self, usage: Usage | None) -> Priced:
        return self._caller.book.price(
            self._adapter.name, self._adapter.model, usage, at=self._started_at, local=self._adapter.local
        )

    def _keep(
        self,
        outcome: CallOutcome,
        usage: Usage | None,
        priced: Priced,
        *,
        completion: Completion | None = None,
        error: ProviderError | None = None,
        error_kind: ErrorKind | None = None,
        mode: ProviderMode | None = None,
    ) -> None:
        ended_ns = self._caller.clock.monotonic_ns()
        answer = completion or error
        ttft_ns = answer.ttft_ns if answer else None
        call = Call(
            run_id=self._scope.run_id,
            request_id=self._scope.request_id,
            call_id=self.call_id,
            role=self._prompt.role,
            attempt=self._attempt,
            provider=self._adapter.name,
            model=self._adapter.model,
            started_at=self._started_at,
            latency_ms=ms_from_ns(ended_ns - self._started_ns),
            outcome=outcome,
            provider_request_id=answer.provider_request_id if answer else None,
            ttft_ms=None if ttft_ns is None else ms_from_ns(ttft_ns),
            input_tokens=usage.input_tokens if usage else None,
            cache_read_tokens=usage.cache_read_tokens if usage else None,
            cache_write_5m_tokens=usage.cache_write_5m_tokens if usage else None,
            cache_write_1h_tokens=usage.cache_write_1h_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            reasoning_tokens=usage.reasoning_tokens if usage else None,
            error_kind=error_kind,
            http_status=error.http_status if error else (200 if completion else None),
            retry_after_ms=error.retry_after_ms if error else None,
            stop_reason=answer.stop_reason if answer else None,
            cost_usd=priced.cost_usd,
            cost_reserved_usd=self._reserved_usd,
            unpriced_reason=priced.unpriced_reason,
            price_source=priced.price_source,
            price_version=priced.price_version,
            priced_as=priced.priced_as,
        )
        self._scope.ledger.add(call, mode)
        if self._caller.gatekeeper is not None:
            self._caller.gatekeeper.seen(self._route, call, completion.rate_limits if completion else {})


def prompt_bytes(prompt: Prompt) -> int:
    """UTF-8 bytes of all that is sent, an upper bound on its tokens (the price book adds the framing)."""
    schema = orjson.dumps(prompt.output_schema) if prompt.output_schema is not None else b""
    return len(prompt.system.encode()) + len(prompt.user.encode()) + len(schema) + len(prompt.schema_name)
