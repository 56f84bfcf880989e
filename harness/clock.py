"""Time as an argument: durations from a monotonic clock, wall time only as a label.

Production code takes a `Clock`; tests hand in one they can turn by hand.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the harness asks of time."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on a clock that never goes back; only differences mean anything."""
        ...

    def now(self) -> datetime:
        """The wall clock, aware, in UTC; a label, never the base of a duration."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clocks."""

    def monotonic_ns(self) -> int:
        """Nanoseconds from `time.perf_counter_ns`."""
        return time.perf_counter_ns()

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


SYSTEM_CLOCK = SystemClock()


def ms_from_ns(duration_ns: int) -> float:
    """Milliseconds, as stored in `*_ms` columns, from integer nanoseconds."""
    return duration_ns / 1_000_000
