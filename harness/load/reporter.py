"""Sends a generator's progress through the pipe that the command gave this process, if it gave one."""

import os
from collections.abc import Callable

import gevent
from gevent.os import make_nonblocking, nb_write

from harness.load.answer import Answer
from harness.load.generator import Generator
from harness.load.plan import PROGRESS_ENV
from harness.load.progress import Finished, Report
from harness.records import Request, RequestStatus

INTERVAL_S = 0.2
OVERDUE_MS = 500.0
"""Requests in flight for less are not worth a word; the one who decides knows the limit."""


class Reporter:
    """Gathers finished requests and reports them every `INTERVAL_S`.

    Attributes:
        relay: takes messages instead of the pipe, in a worker on another machine.
    """

    def __init__(self, env: dict[str, str]) -> None:
        text = env.get(PROGRESS_ENV, "")
        self._fd = int(text) if text.isdigit() else None
        self._finished: list[Finished] = []
        self.relay: Callable[[bytes], None] | None = None
        if self._fd is not None:
            make_nonblocking(self._fd)

    def note(self, row: Request, _answer: Answer) -> None:
        """Remember one finished request until the next message."""
        if self._silent or row.seq is None:
            return
        finished = Finished(
            seq=row.seq,
            latency_ms=row.latency_ms or 0.0,
            lateness_ms=row.lateness_ms or 0.0,
            ok=row.status is RequestStatus.OK,
        )
        self._finished.append(finished)

    def run(self, generator: Generator) -> None:
        """Report until killed."""
        while not self._silent:
            gevent.sleep(INTERVAL_S)
            self.send(generator)

    def send(self, generator: Generator, *, ended: bool = False) -> None:
        """One message; a reader that is gone is no reason to stop, the lifeline is."""
        if self._silent:
            return
        recorder = generator.recorder
        tally = recorder.tally
        finished, self._finished = self._finished, []
        report = Report(
            worker=generator.worker,
            sent=tally.sent,
            in_flight=len(generator.in_flight),
            finished=finished,
            overdue=generator.overdue(OVERDUE_MS),
            cost_usd=format(tally.cost_usd, "f"),
            cost_unknown=tally.cost_unknown,
            telemetry_missing=tally.telemetry_missing,
            telemetry_broken=tally.telemetry_broken,
            cap_reached=tally.cap_reached,
            lost_records=recorder.lost_records,
            lost_reason=recorder.lost_reason,
            modes=sorted(tally.modes),
            ended=ended,
        )
        if self.relay is not None:
            self.relay(report.line())
        else:
            self.write(report.line())

    def write(self, line: bytes) -> None:
        """Put a message into the pipe; a master does so for workers on other machines."""
        try:
            while line and self._fd is not None:
                line = line[nb_write(self._fd, line) :]
        except OSError:
            if self._fd is not None:
                os.close(self._fd)
            self._fd = None

    @property
    def _silent(self) -> bool:
        return self._fd is None and self.relay is None
