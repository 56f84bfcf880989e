"""How late a process was at what it meant to do by the clock: the sign of a machine that is too busy."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from harness.clock import SYSTEM_CLOCK, Clock, ms_from_ns

KEPT_TICKS = 36_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How late the moments of a stretch of time were.

    Attributes:
        n: moments that were meant.
        p99_ms, max_ms: milliseconds after the meant moment; None where n is 0.
    """

    n: int
    p99_ms: float | None
    max_ms: float | None


def lateness_of(late_ms: Iterable[float]) -> Lateness:
    """Sum up; an early moment counts as punctual, and the p99 of few moments is nearly the latest."""
    ordered = sorted(max(0.0, value) for value in late_ms)
    if not ordered:
        return Lateness(n=0, p99_ms=None, max_ms=None)
    p99_ms = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Lateness(n=len(ordered), p99_ms=p99_ms, max_ms=ordered[-1])


class LoopLag:
    """How late an event loop wakes a task that rests for the same time again and again.

    One that sleeps through several moments was late at each of them: whoever came meanwhile waited, so that
    every moment missed is counted (as in Tene's correction for coordinated omission).

    Args:
        every_ms: how long the task rests, milliseconds.
        clock: whose moments they are.
    """

    def __init__(self, every_ms: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self._every_ms = every_ms
        self._clock = clock
        self._rested_ns: int | None = None
        self._ticks: deque[tuple[int, float]] = deque(maxlen=KEPT_TICKS)

    def woke(self) -> None:
        """The task runs again."""
        if self._rested_ns is None:
            return
        now_ns = self._clock.monotonic_ns()
        late_ms = max(0.0, ms_from_ns(now_ns - self._rested_ns) - self._every_ms)
        self._ticks.append((now_ns, late_ms))
        while (late_ms := late_ms - self._every_ms) > 0:
            self._ticks.append((now_ns, late_ms))

    def rests(self) -> None:
        """The task goes to sleep."""
        self._rested_ns = self._clock.monotonic_ns()

    def within(self, seconds: float) -> Lateness:
        """The moments of so many last seconds."""
        since_ns = self._clock.monotonic_ns() - int(seconds * 1e9)
        return lateness_of(late_ms for at_ns, late_ms in self._ticks if at_ns >= since_ns)
