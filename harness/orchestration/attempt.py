"""The record of one attempt: worst case before, price and outcome after, one `calls` row in every case."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from harness.clock import Clock, ms_from_ns
from harness.errors import ProviderError
from harness.orchestration.ledger import Ledger
from harness.orchestration.routing import Route
from harness.pricing import Budget, PriceBook, Priced
from harness.pricing.bills import provider_bill, recordable, recordable_usd
from harness.pricing.catalogue import STANDARD
from harness.providers.base import COST_BY_PROVIDER, LLMAdapter
from harness.records import (
    NO_TERMS,
    UNTIMED_CONTEXTS,
    Call,
    CallOutcome,
    Completion,
    Content,
    ErrorKind,
    Prompt,
    ProviderMode,
    ServedTerms,
    UnpricedReason,
    Usage,
    new_id,
)


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


@dataclass(slots=True)
class AttemptRecord:
    """The `calls` row of one attempt in the making; every ending adds it to the ledger and returns it."""

    _book: PriceBook
    _clock: Clock
    _adapter: LLMAdapter
    _route: Route
    _prompt: Prompt
    _scope: CallScope
    _attempt: int
    _context: str = STANDARD
    call_id: str = field(default_factory=lambda: new_id("call"))

    _started_at: datetime = field(init=False)
    _started_ns: int = field(init=False)
    _reserved_usd: Decimal | None = field(init=False)

    def __post_init__(self) -> None:
        self.start(None)

    def worst_case_usd(self) -> Decimal | None:
        """The most this attempt can cost; None when the model has no price."""
        return self._book.worst_case_usd(
            self._adapter.name,
            self._adapter.model,
            prompt_bytes=prompt_bytes(self._prompt),
            max_tokens=self._prompt.max_tokens,
            at=self._started_at,
            context=self._context,
            local=self._adapter.local,
        )

    def start(self, reserved_usd: Decimal | None) -> None:
        """The attempt begins now, with so much reserved for it."""
        self._reserved_usd = reserved_usd
        self._started_at = self._clock.now()
        self._started_ns = self._clock.monotonic_ns()

    def refused(self, needed_usd: Decimal | None) -> Call:
        """Nothing was sent: no token, no cost; an unpriced model's (None) stays unknown all the same."""
        self._reserved_usd = needed_usd
        if needed_usd is None:
            priced = Priced(cost_usd=None, unpriced_reason=UnpricedReason.UNPRICED)
        else:
            priced = Priced(cost_usd=Decimal(0))
        return self._keep(CallOutcome.REFUSED, None, priced, error_kind=ErrorKind.COST_GUARD)

    def circuit_open(self, error: ProviderError) -> Call:
        """The provider kept failing, so nothing was sent: no token, no cost."""
        kind = ErrorKind(error.kind)
        return self._keep(
            CallOutcome.REFUSED, None, Priced(cost_usd=Decimal(0)), error=error, error_kind=kind
        )

    def answered(self, completion: Completion) -> Call:
        """The provider answered."""
        mode = self._mode(emulated=completion.emulated)
        priced = self._price(completion.usage, completion)
        return self._keep(CallOutcome.OK, completion.usage, priced, completion=completion, mode=mode)

    def keep_texts(self, completion: Completion) -> None:
        """Keep prompt and output with the request."""
        self._keep_text("prompt", "\n\n".join(text for text in self._prompt.texts if text))
        self._keep_text("output", completion.text)

    def failed(self, error: ProviderError) -> Call:
        """The provider did not answer, or not usably."""
        usage = error.usage if isinstance(error.usage, Usage) else None
        priced = self._price(usage, error)
        mode = None if error.emulated is None else self._mode(emulated=error.emulated)
        kind = ErrorKind(error.kind)
        return self._keep(CallOutcome.ERROR, usage, priced, error=error, error_kind=kind, mode=mode)

    def cancelled(self) -> Call:
        """We gave up; what was sent may be billed."""
        return self._keep(CallOutcome.ERROR, None, self._price(None), error_kind=ErrorKind.CANCELLED)

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

    def _price(self, usage: Usage | None, answer: Completion | ProviderError | None = None) -> Priced:
        """What the attempt cost: the model that answered, on the terms it answered on."""
        if answer is None:
            return self._at_price_of(self._adapter.model, usage, self._context, NO_TERMS)
        own_usd = answer.provider_cost_usd
        if self._route.settings.cost == COST_BY_PROVIDER and own_usd is not None and not self._adapter.local:
            return provider_bill(own_usd)
        model = self._book.charged_model(self._adapter.name, self._adapter.model, answer.served_model)
        return self._at_price_of(model, usage, answer.price_context, _terms_of(answer))

    def _at_price_of(self, model: str, usage: Usage | None, context: str, terms: ServedTerms) -> Priced:
        priced = self._book.price(
            self._adapter.name,
            model,
            usage,
            at=self._started_at,
            context=context,
            terms=terms,
            local=self._adapter.local,
            itemised=False,
        )
        return recordable(priced)

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
    ) -> Call:
        ended_ns = self._clock.monotonic_ns()
        answer = completion or error
        ttft_ns, first_answer_ns = (answer.ttft_ns, answer.first_answer_ns) if answer else (None, None)
        terms = _terms_of(answer) if answer else NO_TERMS
        context = answer.price_context if answer else self._context
        timed = context not in UNTIMED_CONTEXTS
        call = Call(
            run_id=self._scope.run_id,
            request_id=self._scope.request_id,
            call_id=self.call_id,
            role=self._prompt.role,
            attempt=self._attempt,
            provider=self._adapter.name,
            model=self._adapter.model,
            started_at=self._started_at,
            latency_ms=ms_from_ns(ended_ns - self._started_ns) if timed else None,
            outcome=outcome,
            provider_request_id=answer.provider_request_id if answer else None,
            ttft_ms=None if ttft_ns is None else ms_from_ns(ttft_ns),
            first_answer_ms=None if first_answer_ns is None else ms_from_ns(first_answer_ns),
            usage_remark="; ".join(answer.usage_remarks) or None if answer else None,
            input_tokens=usage.input_tokens if usage else None,
            cache_read_tokens=usage.cache_read_tokens if usage else None,
            cache_write_5m_tokens=usage.cache_write_5m_tokens if usage else None,
            cache_write_1h_tokens=usage.cache_write_1h_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            reasoning_tokens=usage.reasoning_tokens if usage else None,
            price_context=self._book.context_of(context, terms),
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
            served_model=answer.served_model if answer else None,
            finish_reason=answer.stop_reason if answer else None,
            provider_cost_usd=recordable_usd(answer.provider_cost_usd) if answer else None,
            served_terms=terms.material() or None,
        )
        self._scope.ledger.add(call, mode)
        return call


def prompt_bytes(prompt: Prompt) -> int:
    """UTF-8 bytes of all that is sent, an upper bound on its tokens (the price book adds the framing)."""
    schema = orjson.dumps(prompt.output_schema) if prompt.output_schema is not None else b""
    said = sum(len(text.encode()) for text in prompt.texts)
    return said + len(schema) + len(prompt.schema_name)


def _terms_of(answer: Completion | ProviderError) -> ServedTerms:
    return answer.terms if isinstance(answer.terms, ServedTerms) else NO_TERMS
