"""Gathers an evaluation's calls into provider batches, hands them over, waits, and gives out the answers.

A batch goes out when every unit under way waits for one: all drafts first, later all repairs.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import BatchError, ProviderError
from harness.evaluation.batches.queue import Pace, Waiting, chunks
from harness.evaluation.batches.record import BatchedCall, BatchLog, RecordedBatch
from harness.evaluation.resume import InDoubt
from harness.providers.batch import BATCH_CONTEXT, BatchApi, BatchItem, Outcome, surely_unpaid
from harness.records import Completion, ErrorKind, Event, new_id
from harness.store import Spool

LOOK_EVERY_S = 0.05
HAND_OVER_S = 60.0
"""How long the end of a run waits for batches on their way to be acknowledged."""
NOT_FOUND = 404
_WORTH_RETRYING = (ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED, ErrorKind.CONNECTION)


@dataclass(slots=True, kw_only=True)
class OpenBatch:
    """A batch at the provider, and whoever waits for it."""

    record: RecordedBatch
    batch_id: str
    api: BatchApi
    since_s: float
    waiting: dict[str, Waiting]
    answered: int | None = None


class Batcher:
    """The batches of one session.

    Args:
        log: makes the durable events.
        spool: where they go.
        adopted: by call id, what earlier sessions handed over and never read.
        on_lost: told of a call whose batch the provider no longer knows: it may be paid twice.
        pace: how batches are followed.
    """

    def __init__(
        self,
        log: BatchLog,
        spool: Spool,
        *,
        adopted: Mapping[str, RecordedBatch],
        on_lost: Callable[[BatchedCall], None] = lambda _call: None,
        pace: Pace | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.lost: list[InDoubt] = []
        self.open: dict[str, OpenBatch] = {}
        self.waiting = 0
        self._log, self._spool, self._clock = log, spool, clock
        self._adopted = dict(adopted)
        self._on_lost = on_lost
        self._pace = pace or Pace()
        self._queue: list[Waiting] = []
        self._sending = 0
        self._handing: set[asyncio.Task[OpenBatch]] = set()
        self._carrying: asyncio.TaskGroup | None = None

    async def ask(self, waiting: Waiting) -> Completion:
        """The answer to one call: from a batch of an earlier session, or from one that is yet to go out.

        Raises:
            ProviderError: how its item ended instead.
        """
        recorded = self._adopted.pop(waiting.call.call_id, None)
        outcome = None if recorded is None else await self._picked_up(recorded, waiting)
        if outcome is None:
            self.waiting += 1
            self._queue.append(waiting)
            outcome = await waiting.future
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    async def run(self, quiet: Callable[[], bool]) -> None:
        """Hand batches over whenever nothing but a batch can bring the run forward; until cancelled.

        Args:
            quiet: whether every unit under way waits here.

        Raises:
            BatchError: a batch cannot be handed over or followed.
            StoreError: an event could not be written.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._carrying = group
                while True:
                    await asyncio.sleep(LOOK_EVERY_S)
                    if self._queue and quiet():
                        queue, self._queue = self._queue, []
                        for chunk in chunks(queue):
                            group.create_task(self._carry(chunk))
        except BaseExceptionGroup as problems:  # one failure ended them all: that one is told
            raise problems.exceptions[0] from problems
        finally:
            await self._handed_over()

    @property
    def at_providers(self) -> int:
        """Batches that are at their providers, or on the way there."""
        return len(self.open) + self._sending

    async def _handed_over(self) -> None:
        """Let what is being handed over be acknowledged: an end in between would leave it in doubt."""
        if self._handing:
            done, late = await asyncio.wait(set(self._handing), timeout=HAND_OVER_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*done, *late, return_exceptions=True)  # the first failure is told already

    async def cancel_open(self) -> list[str]:
        """Ask the providers to stop every open batch; a sentence for each that would not."""
        await self._handed_over()
        problems = []
        for batch in list(self.open.values()):
            try:
                await batch.api.cancel(batch.batch_id)
            except ProviderError as error:
                problems.append(f"batch {batch.batch_id} was not cancelled: {error}")
        return problems

    def text(self, now_s: float | None = None) -> str:
        """The open batches in one line; empty without any."""
        if not self.open:
            return ""
        by_provider = Counter[str]()
        for batch in self.open.values():
            by_provider[batch.record.provider] += len(batch.record.calls)
        parts = ", ".join(f"{name} {count}" for name, count in sorted(by_provider.items()))
        told = [batch.answered for batch in self.open.values() if batch.answered]
        done = f", {sum(told)} answered" if told else ""
        oldest_s = (now_s or time.monotonic()) - min(batch.since_s for batch in self.open.values())
        return f"waiting {oldest_s:.0f} s for {len(self.open)} batches ({parts}{done})"

    async def _picked_up(self, recorded: RecordedBatch, waiting: Waiting) -> Outcome | None:
        """The outcome of an item handed over earlier; None when it has to be asked again."""
        group = self._carrying
        if group is None or recorded.batch_id is None:
            raise RuntimeError("nobody follows batches yet")
        self.waiting += 1
        batch = self.open.get(recorded.batch_id)
        if batch is None:
            batch = self._opened(recorded, recorded.batch_id, waiting.api, {})
            group.create_task(self._follow(batch))
        batch.waiting[waiting.call.call_id] = waiting
        outcome = await waiting.future
        waiting.future = asyncio.get_running_loop().create_future()
        if isinstance(outcome, ProviderError) and outcome.http_status == NOT_FOUND:
            self.lost.append(waiting.call.in_doubt())
            self._on_lost(waiting.call)
            return None
        stopped = isinstance(outcome, ProviderError) and outcome.kind == ErrorKind.CANCELLED
        return None if stopped else outcome  # what was cancelled was not billed

    async def _carry(self, chunk: Sequence[Waiting]) -> None:
        first = chunk[0]
        record = RecordedBatch(
            label=new_id("batch"),
            provider=first.api.adapter.name,
            model=first.api.adapter.model,
            calls=tuple(waiting.call for waiting in chunk),
        )
        handing = asyncio.create_task(self._hand_over(record, chunk))
        self._handing.add(handing)
        handing.add_done_callback(self._handing.discard)
        await self._follow(await asyncio.shield(handing))

    async def _hand_over(self, record: RecordedBatch, chunk: Sequence[Waiting]) -> OpenBatch:
        """Durable, sent, acknowledged, durable again; an end of the run waits until it is through."""
        api = chunk[0].api
        await self._keep(self._log.submitting(record, self._clock.now()))
        self._sending += 1
        try:
            batch_id = await self._submit(record, api, [waiting.item for waiting in chunk])
        finally:
            self._sending -= 1
        batch = self._opened(record, batch_id, api, {waiting.call.call_id: waiting for waiting in chunk})
        await self._keep(self._log.submitted(record, batch_id, self._clock.now()))
        return batch

    def _opened(
        self, record: RecordedBatch, batch_id: str, api: BatchApi, waiters: dict[str, Waiting]
    ) -> OpenBatch:
        batch = OpenBatch(
            record=record, batch_id=batch_id, api=api, since_s=time.monotonic(), waiting=waiters
        )
        self.open[batch_id] = batch
        return batch

    async def _submit(self, record: RecordedBatch, api: BatchApi, items: Sequence[BatchItem]) -> str:
        waits = self._pace.waits()
        for attempt in range(1, self._pace.submit_attempts + 1):
            try:
                return await api.submit(items, label=record.label)
            except ProviderError as error:
                if not surely_unpaid(error):
                    raise BatchError(
                        f"a batch of {len(items)} calls was handed over but not acknowledged ({error}): it "
                        "may be paid; --resume lists it and asks again"
                    ) from error
                if error.kind not in _WORTH_RETRYING or attempt == self._pace.submit_attempts:
                    await self._keep(self._log.refused(record, str(error), self._clock.now()))
                    raise BatchError(f"a batch of {len(items)} calls was not taken: {error}") from error
                asked_s = (error.retry_after_ms or 0.0) / 1000
                await asyncio.sleep(max(next(waits), min(asked_s, self._pace.longest_s)))
        raise RuntimeError("a pace without attempts")

    async def _follow(self, batch: OpenBatch) -> None:
        """Poll until the batch has ended, then give out its results."""
        failures = 0
        for wait_s in self._pace.waits():
            await asyncio.sleep(wait_s)
            try:
                status = await batch.api.status(batch.batch_id)
                batch.answered, failures = status.answered, 0
                if status.ended:
                    asked = [call.call_id for call in batch.record.calls]
                    outcomes = await batch.api.outcomes(batch.batch_id, asked)
                    await self._give_out(batch, outcomes, _left_out(batch))
                    return
            except ProviderError as error:
                if error.http_status == NOT_FOUND:
                    await self._give_out(batch, {}, error)
                    return
                failures += 1
                if error.kind == ErrorKind.AUTH or failures > self._pace.most_failures:
                    raise BatchError(
                        f"batch {batch.batch_id} cannot be followed ({error}); it goes on at the provider, "
                        "and --resume fetches it"
                    ) from error
            if time.monotonic() - batch.since_s > self._pace.give_up_s:
                raise BatchError(
                    f"batch {batch.batch_id} has not ended after {self._pace.give_up_s / 3600:.0f} hours; "
                    "--resume looks for it again"
                )

    async def _give_out(
        self, batch: OpenBatch, outcomes: Mapping[str, Outcome], missing: ProviderError
    ) -> None:
        """Each call its outcome; `missing` to those of which nothing was told."""
        counts = Counter(_word(outcomes.get(call.call_id, missing)) for call in batch.record.calls)
        turnaround_s = time.monotonic() - batch.since_s
        await self._keep(self._log.ended(batch.record, counts, turnaround_s, self._clock.now()))
        del self.open[batch.batch_id]
        for call_id, waiting in batch.waiting.items():
            self.waiting -= 1
            if not waiting.future.done():
                waiting.future.set_result(outcomes.get(call_id, missing))

    async def _keep(self, event: Event) -> None:
        """Write, and wait until it is durable."""
        await asyncio.wrap_future(self._spool.append(event))


def _word(outcome: Outcome) -> str:
    return str(outcome.kind) if isinstance(outcome, ProviderError) else "ok"


def _left_out(batch: OpenBatch) -> ProviderError:
    """The outcome of a call that its batch's results do not mention: it may have been billed."""
    return ProviderError(
        ErrorKind.BAD_OUTPUT,
        f"{batch.record.provider}: the results of batch {batch.batch_id} leave it out",
        price_context=BATCH_CONTEXT,
    )
