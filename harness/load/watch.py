"""Watching a run: reports in, decisions out (early stop, interruption, a dead process)."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from harness.analysis.sequential import ArrivalOrderTest, Decision
from harness.load.display import RunDisplay
from harness.load.live import LiveRun
from harness.load.progress import Report
from harness.load.saturation import Staircase
from harness.load.workers import LoadWorkers
from harness.records import RunStatus

POLL_S = 0.1
SHOW_EVERY_S = 0.5
STOP_GRACE_S = 3.0
LATE_AFTER_S = 5.0
"""A machine is called too busy for a run after so long: its first seconds are those of every start."""
LATE_EVERY_S = 2.0


@dataclass
class Interruption:
    """Whether someone asked for the end (Ctrl-C, SIGTERM). The second time ends the children at once."""

    asked: bool = False


@contextmanager
def interruptions(workers: LoadWorkers) -> Iterator[Interruption]:
    """While the run goes on, Ctrl-C asks for an orderly end instead of breaking in anywhere."""
    state = Interruption()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if state.asked:
            for child in workers.children:
                child.signal(signal.SIGKILL)
        state.asked = True

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class RunWatch:
    """Follows one run to its end.

    Args:
        workers: its processes.
        live: takes their reports.
        test: stops the run once it is decided; None lets it run its course.
        staircase: stops the run once the target is saturated.
        too_late: asked now and then; stops the run where this machine is too busy for it.
    """

    def __init__(
        self,
        workers: LoadWorkers,
        live: LiveRun,
        test: ArrivalOrderTest | None,
        staircase: Staircase | None = None,
        too_late: Callable[[], bool] | None = None,
    ) -> None:
        self._workers = workers
        self._live = live
        self._test = test
        self._staircase = staircase
        self._draining = False
        self._ask_too_late = too_late
        self._ask_at_s = time.monotonic() + LATE_AFTER_S
        self.gave_up = False

    def follow(self, display: RunDisplay, interruption: Interruption) -> RunStatus:
        """Until every generator has ended; the status says how."""
        shown_at = 0.0
        while True:
            self._take_reports(POLL_S)
            if time.monotonic() - shown_at >= SHOW_EVERY_S:
                shown_at = time.monotonic()
                display.show(self._live.figures())
            if interruption.asked or self._gives_up():
                return self._end(RunStatus.INTERRUPTED)
            if len(self._live.ended) == self._workers.expected:
                display.show(self._live.figures())
                return self._end(self._status_of_end())
            if self._workers.dead():
                return self._end(self._status_after_death())

    def _gives_up(self) -> bool:
        if self._ask_too_late is None or time.monotonic() < self._ask_at_s:
            return False
        self._ask_at_s = time.monotonic() + LATE_EVERY_S
        self.gave_up = self._ask_too_late()
        return self.gave_up

    def _take_reports(self, timeout_s: float) -> None:
        if self._workers.silent:
            time.sleep(timeout_s)
        for report in self._workers.reports(timeout_s):
            self._live.take(report)
            self._decide(report)

    def _decide(self, report: Report) -> None:
        for judge in (self._test, self._staircase):
            if judge is None:
                continue
            for finished in report.finished:
                judge.finished(finished.seq, finished.latency_ms, ok=finished.ok)
            for seq, age_ms in report.overdue:
                judge.still_in_flight(seq, age_ms)
        decided = self._test is not None and self._test.outcome.decision is not Decision.UNDECIDED
        saturated = self._staircase is not None and self._staircase.saturated
        # what cannot be recorded is not sent, and not paid for
        if (decided or saturated or report.lost_records) and not self._draining:
            self._draining = True
            self._workers.drain()

    def _status_of_end(self) -> RunStatus:
        """A staircase ends where it must; only the sequential test stops a run before its end."""
        if self._live.lost_records:
            return RunStatus.FAILED
        return RunStatus.STOPPED_EARLY if self._draining and self._test is not None else RunStatus.COMPLETED

    def _status_after_death(self) -> RunStatus:
        """A process ended by itself: perhaps its last words are still in the pipe."""
        while not self._workers.silent and not any(c.running for c in self._workers.generators):
            self._take_reports(0.0)
        if len(self._live.ended) == self._workers.expected:
            return self._status_of_end()
        return RunStatus.FAILED if self._workers.complaint() else RunStatus.INTERRUPTED

    def _end(self, status: RunStatus) -> RunStatus:
        """Let the processes close their spools, hear their last reports, end what is left."""
        self._workers.ask_to_end()
        until = time.monotonic() + STOP_GRACE_S
        while time.monotonic() < until and len(self._workers.dead()) < len(self._workers.children):
            self._take_reports(POLL_S)
        while not self._workers.silent and not any(c.running for c in self._workers.generators):
            self._take_reports(0.0)
        self._workers.end(grace_s=0.5)
        return status
