"""What `--batch` adds to an evaluation: its batcher, what Ctrl-C means, and what is told of open batches."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from harness.errors import BatchError, StoreError
from harness.evaluation import LiveEvaluation, Progress, Runner
from harness.evaluation.batches.batcher import Batcher
from harness.evaluation.batches.calls import BatchCalling
from harness.evaluation.batches.record import BatchedCall, BatchLog, RecordedBatch, acknowledged
from harness.pricing import Budget, PriceBook
from harness.store import Spool

SHOW_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchBench:
    """What a batched session works with, beside what every evaluation does.

    Attributes:
        earlier: the batches of earlier sessions.
        keeps_open: the providers outlive this process, so that their batches do too.
        cancels: Ctrl-C cancels the open batches.
    """

    run_id: str
    environment: str | None
    book: PriceBook
    budget: Budget
    spool: Spool
    console: Console
    earlier: tuple[RecordedBatch, ...]
    keeps_open: bool
    cancels: bool

    def calling(self) -> BatchCalling:
        """How this session's units make their calls."""
        batcher = Batcher(
            BatchLog(run_id=self.run_id, environment=self.environment),
            self.spool,
            adopted=acknowledged(self.earlier),
            on_lost=self._lost,
        )
        return BatchCalling(batcher, self.book, self.run_id)

    def _lost(self, call: BatchedCall) -> None:
        """A batch is gone: what it may have cost counts, and its calls are asked again."""
        self.budget.spend(call.reserved_usd)
        strategy, case_id, repeat = call.key
        self.console.print(
            Text(
                f"possibly paid twice: {strategy}, {case_id}, repeat {repeat}: its batch is gone; up to "
                f"${call.reserved_usd} counts against the budget",
                "yellow",
            )
        )


async def drive(calling: BatchCalling, runner: Runner, live: LiveEvaluation) -> str | None:
    """Carry the runner's batches until cancelled; a sentence when they cannot be carried on."""
    batcher = calling.batcher
    showing = asyncio.create_task(_show(batcher, live))
    try:
        await batcher.run(lambda: runner.waits_only_for(batcher.waiting))
    except (BatchError, StoreError) as error:
        return str(error)
    finally:
        showing.cancel()
    return None


def on_interrupt(
    batcher: Batcher, bench: BatchBench, leave: Callable[[], object]
) -> Callable[[], "asyncio.Task[None] | None"]:
    """What Ctrl-C does: leave the batches to `--resume`, or cancel them first; a second one just leaves."""
    begun: list[asyncio.Task[None]] = []

    def interrupted() -> "asyncio.Task[None] | None":
        if begun or not bench.cancels or not batcher.open:
            bench.console.print(Text(_leaving(batcher, bench), "yellow"), soft_wrap=True)
            leave()
            return None
        begun.append(asyncio.create_task(_cancel(batcher, bench, leave)))
        return begun[0]

    return interrupted


def either_way(
    cases_done: Callable[[], bool], after: Callable[[], object], before: Callable[[], object]
) -> Callable[[], object]:
    """What Ctrl-C does before and after the last case is done: judges are asked without batches."""
    return lambda: after() if cases_done() else before()


def announce_batches(console: Console, earlier: Sequence[RecordedBatch], progress: Progress) -> None:
    """Say that answers come when they come, and what earlier sessions left at the providers."""
    console.print(
        "batches: at the providers' batch prices; answers take minutes to 24 hours, their latency is unknown",
        soft_wrap=True,
    )
    waiting = [
        batch
        for batch in earlier
        if batch.batch_id is not None and any(call.key not in progress.finished for call in batch.calls)
    ]
    if waiting:
        calls = sum(len(batch.calls) for batch in waiting)
        console.print(f"picking up {len(waiting)} batches handed over earlier ({calls:,} calls)")


def _leaving(batcher: Batcher, bench: BatchBench) -> str:
    count = batcher.at_providers
    if not count:
        return "ending: no batch is open"
    if not bench.keeps_open:
        return f"ending: the emulator's {count} open batches end with it"
    return (
        f"ending: {count} batches go on at their providers and are billed; --resume fetches them, and "
        "--cancel-batches would have stopped them"
    )


async def _cancel(batcher: Batcher, bench: BatchBench, leave: Callable[[], object]) -> None:
    count = len(batcher.open)
    bench.console.print(f"cancelling {count} open batches; again to leave at once", style="yellow")
    for problem in await batcher.cancel_open():
        bench.console.print(Text(problem, "yellow"), soft_wrap=True)
    bench.console.print(
        "cancelled: what was answered before is billed; --resume fetches it",
        style="yellow",
        soft_wrap=True,
    )
    leave()


async def _show(batcher: Batcher, live: LiveEvaluation) -> None:
    with suppress(asyncio.CancelledError):
        while True:
            live.batches = batcher.text()
            await asyncio.sleep(SHOW_EVERY_S)
