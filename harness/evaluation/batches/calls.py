"""Calls by batch: adapters that wait for a batch, ids that a resumed run knows again, and no pace to keep."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from hashlib import sha256

from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import ProviderError, UsageError
from harness.evaluation.batches.batcher import Batcher
from harness.evaluation.batches.queue import Waiting
from harness.evaluation.batches.record import BatchedCall
from harness.evaluation.pacing.gatekeeper import AdaptiveGate, CaseWait
from harness.evaluation.plan import Unit
from harness.orchestration import AdapterPool, Caller, RetryPolicy, Route, Strategy, StrategyType
from harness.orchestration.attempt import prompt_bytes
from harness.orchestration.caller import CallNaming
from harness.orchestration.retry import RETRIED_KINDS
from harness.pricing import PriceBook
from harness.pricing.catalogue import BATCH
from harness.providers.base import LLMAdapter
from harness.providers.batch import BatchApi, BatchItem
from harness.providers.batch_registry import batch_api, has_batch_api
from harness.providers.reading.excerpts import excerpt
from harness.providers.structured import plain_answer
from harness.records import Call, Completion, ErrorKind, Prompt, dump_json

DEADLINE_S = 14 * 86_400.0
"""Of a case: longer than any number of batches one after the other."""

POLICY = RetryPolicy(kinds=RETRIED_KINDS - {ErrorKind.TIMEOUT})
"""What failed in a batch goes into the next one; what expired had its day."""


class BatchAdapter:
    """One provider and model whose every call waits in a batch; see `LLMAdapter`."""

    def __init__(self, api: BatchApi, owner: "BatchCalling", unit: Unit, request_id: str) -> None:
        self.name, self.model, self.local = api.adapter.name, api.adapter.model, api.adapter.local
        self._api, self._owner, self._unit, self._request_id = api, owner, unit, request_id

    async def generate(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> Completion:  # noqa: ARG002
        """The answer from a batch, however long it takes: a batch keeps its own time."""
        call = BatchedCall(
            call_id=call_id,
            request_id=self._request_id,
            key=self._unit.key,
            role=prompt.role,
            reserved_usd=self._worst_case_usd(prompt) or Decimal(0),
        )
        item = BatchItem(custom_id=call_id, body=self._api.body(prompt))
        waiting = Waiting(call=call, order=self._unit.seq, item=item, api=self._api)
        try:
            return plain_answer(await self._owner.batcher.ask(waiting), prompt)
        except (
            ProviderError
        ) as error:  # the batch's reader does not know what was asked: nothing of it may show
            error.args = (excerpt(str(error), asked=(prompt.system, prompt.user)),)
            raise

    async def aclose(self) -> None:
        """The API is shared: its owner closes it."""

    def _worst_case_usd(self, prompt: Prompt) -> Decimal | None:
        return self._owner.book.worst_case_usd(
            self.name,
            self.model,
            prompt_bytes=prompt_bytes(prompt),
            max_tokens=prompt.max_tokens,
            at=self._owner.clock.now(),
            context=BATCH,
            local=self.local,
        )


class _UnitPool(AdapterPool):
    """The adapters of one unit; connections are shared with all others."""

    def __init__(self, owner: "BatchCalling", unit: Unit, request_id: str) -> None:
        super().__init__()
        self._owner, self._unit, self._request_id = owner, unit, request_id

    def get(self, route: Route) -> LLMAdapter:
        """The batching adapter of a route."""
        return BatchAdapter(self._owner.api(route), self._owner, self._unit, self._request_id)


class BatchCalling:
    """How the units of a batched evaluation make their calls.

    Args:
        batcher: carries them.
        book: prices in the batch context.
        run_id: part of every call's id.
    """

    def __init__(
        self, batcher: Batcher, book: PriceBook, run_id: str, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.batcher, self.book, self.clock = batcher, book, clock
        self._run_id = run_id
        self._apis: dict[tuple[str, str], BatchApi] = {}

    def api(self, route: Route) -> BatchApi:
        """The batches of a route's provider and model, one for all units.

        Raises:
            ConfigError: the provider has none, or its key is missing.
        """
        key = (route.provider, route.model)
        if key not in self._apis:
            route.require_key()
            self._apis[key] = batch_api(route.settings, route.model)
        return self._apis[key]

    def caller(self, unit: Unit, request_id: str) -> Caller:
        """The caller of one unit."""
        return Caller(
            pool=_UnitPool(self, unit, request_id),
            book=self.book,
            policy=POLICY,
            clock=self.clock,
            attempt_timeout_s=DEADLINE_S,
            sleep=_at_once,
            price_context=BATCH,
            call_id_of=self._naming(unit),
        )

    async def aclose(self) -> None:
        """Release every connection."""
        for api in self._apis.values():
            await api.aclose()
        self._apis.clear()

    def _naming(self, unit: Unit) -> CallNaming:
        """Ids from what is asked and by whom, not from when: a resumed run finds its calls in old batches."""
        asked = Counter[tuple[str, ...]]()

        def name(route: Route, prompt: Prompt, attempt: int) -> str:
            what = (prompt.role.value, route.provider, route.model, str(attempt))
            asked[what] += 1
            parts = [self._run_id, *unit.key, *what, asked[what]]
            return f"call-{sha256(dump_json(parts)).hexdigest()[:26]}"

        return name


class OpenGate(AdaptiveGate):
    """A gate that is always open: a batch is paced by its provider."""

    def __init__(self) -> None:
        super().__init__(1)

    @asynccontextmanager
    async def case(self, first: Route) -> AsyncIterator[CaseWait]:  # noqa: ARG002
        """Begin at once."""
        yield CaseWait(None)

    @asynccontextmanager
    async def admit(self, route: Route) -> AsyncIterator[None]:  # noqa: ARG002
        """Start at once."""
        yield

    def seen(self, route: Route, call: Call, rate_limits: Mapping[str, str]) -> None:
        """Nothing is learnt from a batch."""


def check_batchable(strategies: Sequence[Strategy], book: PriceBook, *, clock: Clock = SYSTEM_CLOCK) -> None:
    """Refuse what cannot be batched, or not at a known price.

    Raises:
        UsageError: a strategy that hedges, a provider without a batch API, a model without a batch price.
    """
    for strategy in strategies:
        if strategy.type is StrategyType.HEDGE:
            raise UsageError(
                f"--batch cannot run strategy '{strategy.name}': it hedges against slow answers, and a batch "
                "has no answer time"
            )
        for route in strategy.routes:
            if not has_batch_api(route.settings):
                raise UsageError(f"--batch: provider '{route.provider}' has no batch API here")
            local = route.settings.local
            quote = book.quote(route.provider, route.model, at=clock.now(), context=BATCH, local=local)
            if quote is None or quote.card.input is None or quote.card.output is None:
                raise UsageError(
                    f"--batch: no batch price is known for {route.provider}/{route.model}; put one into the "
                    "file that HARNESS_PRICES names, or run without --batch"
                )


async def _at_once(_seconds: float) -> None:
    """A second attempt waits for the next batch, not for a moment of our choosing."""
