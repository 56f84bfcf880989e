"""One question to one route: reserve, attempt, settle, record; then again if the policy says so."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from harness.clock import SYSTEM_CLOCK, Clock, ms_from_ns
from harness.errors import CostGuardError, ProviderError, UnpricedModelError
from harness.orchestration.adapters import AdapterPool
from harness.orchestration.attempt import AttemptRecord, CallScope, Source
from harness.orchestration.breaker import Breakers
from harness.orchestration.retry import RetryPolicy
from harness.orchestration.routing import Route
from harness.pricing import PriceBook, Reservation
from harness.pricing.catalogue import STANDARD
from harness.providers.base import LLMAdapter
from harness.records import Call, Completion, ErrorKind, Prompt, new_id

DEFAULT_POLICY = RetryPolicy()
CallNaming = Callable[[Route, Prompt, int], str]
"""The id of a call from its route, its question and the number of the attempt."""


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
        price_context: what attempts are reserved at, and priced at where the answer does not say otherwise.
        breakers: keep from asking providers that keep failing; None always asks.
        call_id_of: names each attempt, so that a later session knows it again; None draws fresh ids.
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
    price_context: str = STANDARD
    call_id_of: CallNaming | None = None
    breakers: Breakers | None = None

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
        record = self._record(adapter, route, prompt, scope, attempt)
        self._check_circuit(route, record)
        reserved_usd = record.worst_case_usd()
        if reserved_usd is None and not self.allow_unpriced:
            self._tell(route, record.refused(None))
            because = self.book.unpriced_because(
                adapter.name, adapter.model, at=self.clock.now(), context=self.price_context
            )
            raise UnpricedModelError(adapter.name, adapter.model, because)
        try:
            reservation = scope.budget.reserve(reserved_usd or Decimal(0))
        except CostGuardError:
            self._tell(route, record.refused(reserved_usd))
            raise
        record.start(reserved_usd)
        timeout_s = max(0.001, min(self.attempt_timeout_s, self._remaining_ms(scope) / 1_000))
        with reservation:  # whatever is not settled below stays booked in full
            try:
                completion = await adapter.generate(prompt, call_id=record.call_id, timeout_s=timeout_s)
            except ProviderError as error:
                self._settle(route, reservation, record.failed(error))
                raise
            except BaseException:  # cancelled, or a defect of ours
                self._settle(route, reservation, record.cancelled())
                raise
            self._settle(route, reservation, record.answered(completion), completion.rate_limits)
        if self.keep_content:
            record.keep_texts(completion)
        return completion

    def _check_circuit(self, route: Route, record: AttemptRecord) -> None:
        if self.breakers is None:
            return
        wait_ms = self.breakers.wait_ms(route.provider, self.clock.monotonic_ns())
        if wait_ms is not None:
            why = f"{route.provider} kept failing; it is not asked for another {wait_ms / 1000:.1f} s"
            error = ProviderError(ErrorKind.CIRCUIT_OPEN, why, retry_after_ms=wait_ms)
            self._tell(route, record.circuit_open(error))
            raise error

    def _record(
        self, adapter: LLMAdapter, route: Route, prompt: Prompt, scope: CallScope, attempt: int
    ) -> AttemptRecord:
        name = self.call_id_of or _fresh_id
        call_id = name(route, prompt, attempt)
        return AttemptRecord(
            self.book, self.clock, adapter, route, prompt, scope, attempt, self.price_context, call_id
        )

    def _settle(
        self, route: Route, reservation: Reservation, call: Call, rate_limits: Mapping[str, str] | None = None
    ) -> None:
        reservation.settle(call.cost_usd)
        self._tell(route, call, rate_limits)

    def _tell(self, route: Route, call: Call, rate_limits: Mapping[str, str] | None = None) -> None:
        if self.breakers is not None:
            self.breakers.seen(route.provider, call, self.clock.monotonic_ns())
        if self.gatekeeper is not None:
            self.gatekeeper.seen(route, call, rate_limits or {})


def _fresh_id(_route: Route, _prompt: Prompt, _attempt: int) -> str:
    return new_id("call")
