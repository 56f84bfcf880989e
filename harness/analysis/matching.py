"""Pairs of moments by time alone: only those that nobody else could be part of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEFAULT_WINDOW_MS = (-20.0, 60.0)
"""How long before and after a request's end its line may have been written."""
_MOST_CANDIDATES = 50
"""A moment that could belong to more is ambiguous, whatever is eliminated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMatches:
    """Pairs of a join by time.

    Attributes:
        pairs: places of the moments and of the ends, shape (n, 2).
        apart_ms: moment - end of each pair, shape (n,).
        ambiguous: moments that more than one request could be, or that compete for one.
        alone: moments with no request in the window.
    """

    pairs: NDArray[np.int64]
    apart_ms: NDArray[np.float64]
    ambiguous: int
    alone: int

    def error_ms(self) -> tuple[float, float] | None:
        """The middle and the largest distance, milliseconds; None for no pair."""
        if not len(self.apart_ms):
            return None
        apart = np.abs(self.apart_ms)
        return round(float(np.median(apart)), 3), round(float(apart.max()), 3)


def matched_by_time(
    moments_ns: Sequence[int] | NDArray[np.int64],
    ends_ns: Sequence[int] | NDArray[np.int64],
    window_ms: tuple[float, float] = DEFAULT_WINDOW_MS,
) -> TimeMatches:
    """The pairs that are the only possible ones, one to one.

    A moment with a single end in its window takes it; what that leaves to others is looked at again, until
    nothing changes. Two moments with the same single end are both ambiguous.

    Args:
        moments_ns: when something was written about a request, shape (n,), in any order.
        ends_ns: when the requests ended, shape (m,).
        window_ms: the least and the most that a moment may lie after its request's end.

    Returns:
        Pairs in order of the moments; none for nothing on either side.
    """
    moments, ends = np.asarray(moments_ns, np.int64), np.asarray(ends_ns, np.int64)
    order = np.argsort(ends, kind="stable")
    in_order = ends[order]
    low = np.searchsorted(in_order, moments - round(window_ms[1] * 1e6), side="left")
    high = np.searchsorted(in_order, moments - round(window_ms[0] * 1e6), side="right")
    high = np.maximum(low, high)
    crowded = high - low > _MOST_CANDIDATES
    candidates = [
        set(range(first, last))
        for first, last in zip(low.tolist(), np.where(crowded, low, high).tolist(), strict=True)
    ]
    wanted: dict[int, set[int]] = {}
    for moment, found in enumerate(candidates):
        for end in found:
            wanted.setdefault(end, set()).add(moment)
    alone = int((high == low).sum())
    chosen = _chosen(candidates, wanted)
    pairs = np.array([(moment, order[end]) for moment, end in sorted(chosen.items())], np.int64).reshape(
        -1, 2
    )
    apart = (moments[pairs[:, 0]] - ends[pairs[:, 1]]) / 1e6
    return TimeMatches(pairs=pairs, apart_ms=apart, ambiguous=len(moments) - alone - len(chosen), alone=alone)


def _chosen(candidates: list[set[int]], wanted: dict[int, set[int]]) -> dict[int, int]:
    """Moment -> end, by elimination; both sides change as it goes."""
    chosen: dict[int, int] = {}
    waiting = [moment for moment, found in enumerate(candidates) if len(found) == 1]
    while waiting:
        moment = waiting.pop()
        if moment in chosen or len(candidates[moment]) != 1:
            continue
        (end,) = candidates[moment]
        rivals = [other for other in wanted[end] if other != moment and other not in chosen]
        if any(candidates[other] == {end} for other in rivals):
            continue  # two with nothing else: nobody knows whose it is
        chosen[moment] = end
        for other in rivals:
            candidates[other].discard(end)
            if len(candidates[other]) == 1:
                waiting.append(other)
    return chosen
