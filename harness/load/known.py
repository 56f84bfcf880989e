"""A latency that is known in advance, with or without a stall: what the harness measures itself against."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

MODERATE_POINTS = ((0.0, 150.0), (0.5, 300.0), (0.9, 520.0), (0.95, 640.0), (0.99, 900.0), (1.0, 1200.0))
"""Quantile function of the calibration target: (share, milliseconds), linear between the points."""


def latency_ms(request_id: str, points: Sequence[tuple[float, float]], *, seed: int = 0) -> float:
    """The latency of a request, drawn from its id alone, so that everybody can work it out.

    Args:
        request_id: as sent.
        points: a quantile function: ascending shares from 0 to 1 with their milliseconds.
        seed: of the draw.
    """
    digest = sha256(f"{seed}:{request_id}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    index = min(bisect_right([point[0] for point in points], share), len(points) - 1)
    (low, low_ms), (high, high_ms) = points[index - 1], points[index]
    return low_ms + (share - low) / (high - low) * (high_ms - low_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A stretch in which the target does nothing. Nanoseconds on the wall clock."""

    start_ns: int
    end_ns: int

    def answer_ns(self, arrival_ns: int, own_ms: float) -> int:
        """When a request that arrives at `arrival_ns` and takes `own_ms` is answered.

        One that arrives in the stall begins at its end; one that would be answered in it is answered at its
        end.
        """
        own_ns = round(own_ms * 1e6)
        if self.start_ns <= arrival_ns < self.end_ns:
            return self.end_ns + own_ns
        answer = arrival_ns + own_ns
        return self.end_ns if self.start_ns <= answer < self.end_ns else answer


NO_STALL = Stall(start_ns=0, end_ns=0)


def true_latency_ms(scheduled_ns: int, own_ms: float, stall: Stall = NO_STALL) -> float:
    """What a user who starts at `scheduled_ns` (wall clock) waits, milliseconds."""
    return (stall.answer_ns(scheduled_ns, own_ms) - scheduled_ns) / 1e6
