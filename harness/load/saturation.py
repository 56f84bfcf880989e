"""A staircase of rates: how far up does the target keep its limit?"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.clock import ms_from_ns

MAX_OVER_RATIO = 0.05
"""A step is lost when more than this share of its requests, and more than one, is over the limit."""


@dataclass(slots=True)
class Step:
    """One step of the staircase."""

    rps: float
    planned: int = 0
    finished: int = 0
    over: int = 0

    @property
    def lost(self) -> bool:
        """More requests are over the limit than a p95 within it allows; more answers cannot change that."""
        return self.over > max(1.0, MAX_OVER_RATIO * self.planned)

    @property
    def held(self) -> bool:
        """Every request is known and the limit is kept."""
        return self.finished == self.planned > 0 and not self.lost


class Staircase:
    """Counts, for each step, the requests over the limit.

    Args:
        schedule_ns: start times of the whole run.
        rates: requests/s of each step, in order.
        step_s: seconds of one step.
        limit_ms: the latency limit from the intended start.
    """

    def __init__(
        self, schedule_ns: Sequence[int], rates: Sequence[float], *, step_s: float, limit_ms: float
    ) -> None:
        self.steps = [Step(rps=rate) for rate in rates]
        self._limit_ms = limit_ms
        self._over: set[int] = set()
        last = len(rates) - 1
        self._step_of = [min(last, int(ms_from_ns(offset) / (step_s * 1000))) for offset in schedule_ns]
        for index in self._step_of:
            self.steps[index].planned += 1

    @property
    def saturated(self) -> bool:
        """True once a step is lost."""
        return any(step.lost for step in self.steps)

    @property
    def sustained_rps(self) -> float | None:
        """The highest rate up to which every step was held; None when not even the first was."""
        best = None
        for step in self.steps:
            if not step.held:
                break
            best = step.rps
        return best

    def finished(self, seq: int, latency_ms: float, *, ok: bool) -> None:
        """Request `seq` ended."""
        self.steps[self._step_of[seq]].finished += 1
        if not ok or latency_ms > self._limit_ms:
            self._note_over(seq)

    def still_in_flight(self, seq: int, age_ms: float) -> None:
        """Request `seq` has been in flight for `age_ms`: over the limit, whenever it ends."""
        if age_ms > self._limit_ms:
            self._note_over(seq)

    def _note_over(self, seq: int) -> None:
        if seq not in self._over:
            self._over.add(seq)
            self.steps[self._step_of[seq]].over += 1
