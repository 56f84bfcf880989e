"""How an evaluation is shown while it goes on: a bar at a terminal, plain lines elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from harness.evaluation import LiveEvaluation

SHOW_EVERY_S = 0.25
LINE_EVERY_S = 5.0


def live_text(live: LiveEvaluation, elapsed_s: float) -> str:
    """Spend, time left and what runs, in one line."""
    of = "" if live.budget_usd is None else f" of ${live.budget_usd}"
    unknown = f" (+{live.unknown} unknown)" if live.unknown else ""
    parts = [f"spent ${live.spent_usd:.4f}{of}{unknown}", f"ETA {_clock(live.eta_s(elapsed_s))}"]
    parts.append(live.batches or f"in flight {live.in_flight}")
    if live.failed:
        parts.append(f"failed {live.failed}")
    if live.backed_off:
        parts.append(f"pushed back {live.backed_off}")
    return ", ".join(parts)


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    return f"{minutes}:{rest:02d}"


@asynccontextmanager
async def shown(live: LiveEvaluation, console: Console, what: str = "cases") -> AsyncIterator[None]:
    """Show the figures for as long as the block runs."""
    task = asyncio.create_task(show_progress(live, console, what))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def show_progress(live: LiveEvaluation, console: Console, what: str = "cases") -> None:
    """Show the figures until cancelled; `what` names the things that are counted."""
    began = time.monotonic()
    if not console.is_terminal:
        await _lines(live, console, began, what)
        return
    progress = Progress(
        TextColumn("{task.completed:.0f}/{task.total:.0f} " + what),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}"),
        console=console,
        transient=True,
    )
    with progress, suppress(asyncio.CancelledError):
        task = progress.add_task("eval", total=live.planned, figures="")
        while True:
            progress.update(task, completed=live.done, figures=live_text(live, time.monotonic() - began))
            await asyncio.sleep(SHOW_EVERY_S)


async def _lines(live: LiveEvaluation, console: Console, began: float, what: str) -> None:
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(LINE_EVERY_S)
            figures = live_text(live, time.monotonic() - began)
            console.print(f"{live.done} of {live.planned} {what}, {figures}", soft_wrap=True)
