"""How a run is shown while it goes on: a bar at a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from harness.load.live import LiveFigures

LINE_EVERY_S = 10.0


class RunDisplay(Protocol):
    """Shows figures as they come."""

    def show(self, figures: LiveFigures) -> None:
        """The state of now."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def run_display(console: Console, planned: int | None) -> RunDisplay:
    """A bar where someone watches, else a line now and then."""
    return _Bar(console, planned) if console.is_terminal else _Lines(console)


def figures_text(figures: LiveFigures) -> str:
    """The live figures in one line; a dash is unknown."""
    quantiles = zip(("p50", "p95", "p99"), (figures.p50_ms, figures.p95_ms, figures.p99_ms), strict=True)
    parts = [f"{name} {_seconds(value)}" for name, value in quantiles]
    ratio = figures.error_ratio
    parts.append("errors -" if ratio is None else f"errors {ratio:.1%}")
    priced = figures.finished - figures.cost_unknown
    spend = f"${figures.spend_usd:.4f}" if priced else "-"
    parts.append(f"spend {spend}" + (f" (+{figures.cost_unknown} unknown)" if figures.cost_unknown else ""))
    parts.append(f"in flight {figures.in_flight}")
    return ", ".join(parts)


def _seconds(value_ms: float | None) -> str:
    return "-" if value_ms is None else f"{value_ms / 1000:.2f} s"


class _Bar:
    def __init__(self, console: Console, planned: int | None) -> None:
        self._progress = Progress(
            TextColumn(
                "{task.completed:.0f} requests"
                if planned is None
                else "{task.completed:.0f}/{task.total:.0f}"
            ),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("run", total=planned, figures="")

    def show(self, figures: LiveFigures) -> None:
        self._progress.update(self._task, completed=figures.finished, figures=figures_text(figures))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = time.monotonic() + LINE_EVERY_S

    def show(self, figures: LiveFigures) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINE_EVERY_S
        of = "" if figures.planned is None else f" of {figures.planned}"
        self._console.print(f"{figures.finished}{of} requests, {figures_text(figures)}", soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
