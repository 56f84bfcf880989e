"""When requests start: schedules as integer nanosecond offsets, fixed before the first request is sent.

An open loop decides the start times in advance, so that a slow target cannot slow down its own examiner
(coordinated omission). A schedule is a rate curve (what is offered) and a spacing (how evenly):

- `constant`: the k-th arrival stands where the curve's integral reaches k; 1/s for 300 s gives 0, ..., 299 s.
- `poisson`: the integral reaches the sums of unit exponential gaps, drawn from the seed; independent users.

Source: inversion of the integrated rate, Cinlar (1975), Introduction to Stochastic Processes, chapter 4.7.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from harness.errors import UsageError

NS_PER_S = 1_000_000_000
MAX_ARRIVALS = 10_000_000
"""A schedule is held in memory; more than this is a mistyped rate."""


class Spacing(StrEnum):
    """How arrivals are spread along a rate curve."""

    CONSTANT = "constant"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a rate curve: `duration_s` seconds, the rate going linearly from one value to the other.

    Raises:
        UsageError: a duration that is not positive, a negative rate, nan or infinity.
    """

    duration_s: float
    start_rps: float
    end_rps: float

    def __post_init__(self) -> None:
        """Refuse what is not a stretch of time at a rate."""
        if not (math.isfinite(self.duration_s) and self.duration_s > 0):
            raise UsageError(f"a duration must be a positive number of seconds, not {self.duration_s}")
        if not all(math.isfinite(rate) and rate >= 0 for rate in (self.start_rps, self.end_rps)):
            raise UsageError(
                f"a rate must be a number of requests/s >= 0, not {self.start_rps} to {self.end_rps}"
            )

    @property
    def arrivals(self) -> Fraction:
        """The integral of the rate over the segment, exactly."""
        return Fraction(self.duration_s) * (Fraction(self.start_rps) + Fraction(self.end_rps)) / 2


def baseline(rps: float, duration_s: float) -> tuple[Segment, ...]:
    """The same rate throughout; a soak is a long one."""
    return (Segment(duration_s, rps, rps),)


def ramp(start_rps: float, end_rps: float, duration_s: float) -> tuple[Segment, ...]:
    """From one rate to another in a straight line."""
    return (Segment(duration_s, start_rps, end_rps),)


def spike(rps: float, peak_rps: float, duration_s: float, *, spike_share: float = 0.2) -> tuple[Segment, ...]:
    """A steady rate with a rectangular peak in the middle, lasting `spike_share` (0..1) of the duration."""
    if not 0 < spike_share < 1:
        raise UsageError(f"a spike lasts a share between 0 and 1 of the duration, not {spike_share}")
    peak_s = duration_s * spike_share
    calm_s = (duration_s - peak_s) / 2
    return (
        Segment(calm_s, rps, rps),
        Segment(peak_s, peak_rps, peak_rps),
        Segment(calm_s, rps, rps),
    )


def steps(rps: float, peak_rps: float, duration_s: float, *, count: int) -> tuple[Segment, ...]:
    """Equal steps from `rps` up to `peak_rps`, `count` of them: the search for saturation."""
    if count < 2:
        raise UsageError(f"a staircase has at least 2 steps, not {count}")
    rise = (peak_rps - rps) / (count - 1)
    return tuple(Segment(duration_s / count, rps + rise * step, rps + rise * step) for step in range(count))


def schedule_ns(
    curve: Sequence[Segment], *, spacing: Spacing = Spacing.CONSTANT, seed: int = 0, limit: int | None = None
) -> list[int]:
    """Start times of a rate curve.

    Args:
        curve: stretches of rate, in order.
        spacing: even, or Poisson.
        seed: for Poisson; the same seed gives the same schedule on every machine.
        limit: at most so many arrivals.

    Returns:
        Offsets from the run's epoch, integer nanoseconds, ascending; empty when the curve offers less than
        one request.

    Raises:
        UsageError: more than `MAX_ARRIVALS`.
    """
    total = sum((segment.arrivals for segment in curve), Fraction(0))
    if total > MAX_ARRIVALS:
        raise UsageError(f"that is {float(total):.0f} requests; a schedule holds at most {MAX_ARRIVALS}")
    offsets: list[int] = []
    marks = _even_marks() if spacing is Spacing.CONSTANT else _poisson_marks(seed)
    mark = next(marks)
    begin_s, passed = Fraction(0), Fraction(0)
    for segment in curve:
        until = passed + segment.arrivals
        while mark < until:
            if limit is not None and len(offsets) >= limit:
                return offsets
            offsets.append(int((begin_s + _time_of(segment, mark - passed)) * NS_PER_S))
            mark = next(marks)
        passed = until
        begin_s += Fraction(segment.duration_s)
    return offsets


def _even_marks() -> Iterator[Fraction]:
    count = 0
    while True:
        yield Fraction(count)
        count += 1


def _poisson_marks(seed: int) -> Iterator[Fraction]:
    rng = random.Random(seed)  # noqa: S311 - a reproducible schedule, not a secret
    mark = 0.0
    while True:
        mark += rng.expovariate(1.0)
        yield Fraction(mark)


def _time_of(segment: Segment, area: Fraction) -> Fraction:
    """Seconds into the segment at which the integral of its rate reaches `area`."""
    if segment.start_rps == segment.end_rps:
        return area / Fraction(segment.start_rps)
    slope = (segment.end_rps - segment.start_rps) / segment.duration_s
    # the rationalised root: it has no cancellation where the slope is small
    root = math.sqrt(max(0.0, segment.start_rps**2 + 2 * slope * float(area)))
    return Fraction(min(2 * float(area) / (segment.start_rps + root), segment.duration_s) if area else 0.0)


def replay_ns(offsets_ms: Sequence[float]) -> list[int]:
    """A recorded schedule, from its first arrival on.

    Args:
        offsets_ms: start times in milliseconds on any common origin; sorted here.

    Raises:
        UsageError: no arrival, or one that is not a finite number.
    """
    if not offsets_ms:
        raise UsageError("there is no arrival to replay")
    if not all(math.isfinite(offset) for offset in offsets_ms):
        raise UsageError("an arrival to replay is not a finite number of milliseconds")
    ordered = sorted(offsets_ms)
    return [round((offset - ordered[0]) * 1_000_000) for offset in ordered]


def share_of_worker(schedule: Sequence[int], worker: int, workers: int) -> list[tuple[int, int]]:
    """The arrivals of one worker: those whose sequence number is congruent to it.

    Args:
        schedule: the whole run's offsets, nanoseconds.
        worker: 0 .. workers - 1.
        workers: how many share the schedule.

    Returns:
        (sequence number, offset) pairs; over all workers each arrival appears exactly once.
    """
    if not 0 <= worker < workers:
        raise UsageError(f"worker {worker} of {workers}: workers are numbered from 0")
    return [(seq, schedule[seq]) for seq in range(worker, len(schedule), workers)]
