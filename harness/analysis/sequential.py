"""Is the share of slow requests below or above 5%? Ask after every request, and stop when it is known.

Two test martingales bet against the two answers. Each is a mixture of likelihood ratios, so it may be looked
at after every request: the chance that it ever reaches 1 / alpha while its null is true is at most alpha.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEFAULT_ALPHA = 0.05
DEFAULT_MAX_RATIO = 0.05

_MARGIN = 0.82
"""Ville's bound is all but reached when the true share is the allowed one: a little more evidence than
1 / alpha is asked for, so that the rate of wrong decisions stays clear of alpha."""

LEAST_REQUESTS = 10
"""No decision before: the first slow answers of a cold start are no verdict on a service."""

_BELOW_BETS = ((0.0085, 0.92), (0.03, 0.08))
"""Shares bet on (at a limit of 5%) and their weights, for "fewer exceed than allowed"."""

_ABOVE_BETS = ((0.09, 0.15), (0.15, 0.30), (0.25, 0.35), (0.60, 0.20))
"""The same for "more exceed than allowed"; tuned on the simulations of docs/proof/statistics.md."""


class Decision(StrEnum):
    """What the test says so far."""

    UNDECIDED = "undecided"
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialOutcome:
    """Where the test stands.

    Attributes:
        decision: `below`: the share is under the allowed one; `above`: over it.
        n: requests it took, or seen so far when undecided.
        exceeded: how many of those n were over the limit.
        alpha: chance of each wrong decision, at most.
    """

    decision: Decision
    n: int
    exceeded: int
    alpha: float


class SequentialTest:
    """The running test; feed it one request at a time, in arrival order, and stop when it decides.

    Args:
        max_ratio: the allowed share of requests over the limit: 1 - q of the gated percentile.
        alpha: error bound of each of the two decisions.

    The claim holds while, given all that came before, each request exceeds with a chance on one side of
    `max_ratio`; a target whose chance wanders across it has no single answer to find.

    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting (JRSS B 2024);
        the mixture goes back to Robbins (1970), the bound to Ville (1939).
    """

    def __init__(self, *, max_ratio: float = DEFAULT_MAX_RATIO, alpha: float = DEFAULT_ALPHA) -> None:
        if not 0.0 < max_ratio < 1.0 or not 0.0 < alpha < 1.0:
            raise ValueError(f"max_ratio and alpha must be between 0 and 1, not {max_ratio}, {alpha}")
        self._threshold = math.log(1.0 / (_MARGIN * alpha))
        self._alpha = alpha
        self._below = _Mixture(_scaled_below(max_ratio), max_ratio)
        self._above = _Mixture(_scaled_above(max_ratio), max_ratio)
        self._decision = Decision.UNDECIDED
        self._n = 0
        self._exceeded = 0

    @property
    def outcome(self) -> SequentialOutcome:
        """Where the test stands; once decided it no longer moves."""
        return SequentialOutcome(
            decision=self._decision, n=self._n, exceeded=self._exceeded, alpha=self._alpha
        )

    def observe(self, exceeded: bool) -> Decision:  # noqa: FBT001 - the one observation there is
        """Take in the next request in arrival order: did it exceed the limit, or fail?"""
        if self._decision is not Decision.UNDECIDED:
            return self._decision
        self._n += 1
        self._exceeded += exceeded
        below, above = self._below.bet(exceeded), self._above.bet(exceeded)
        if self._n < LEAST_REQUESTS:
            return self._decision
        if below >= self._threshold:
            self._decision = Decision.BELOW
        elif above >= self._threshold:
            self._decision = Decision.ABOVE
        return self._decision

    def decide_all(self, exceeded: NDArray[np.int64]) -> SequentialOutcome:
        """The outcome of a fresh test on a whole sequence, given its running count of exceedances."""
        late_enough = np.arange(1, exceeded.size + 1) >= LEAST_REQUESTS
        crossed = {
            decision: np.flatnonzero((mixture.path(exceeded) >= self._threshold) & late_enough)
            for decision, mixture in ((Decision.BELOW, self._below), (Decision.ABOVE, self._above))
        }
        decided = {decision: int(places[0]) + 1 for decision, places in crossed.items() if places.size}
        decision = min(decided, key=decided.__getitem__, default=Decision.UNDECIDED)
        n = decided.get(decision, int(exceeded.size))
        return SequentialOutcome(
            decision=decision, n=n, exceeded=int(exceeded[n - 1]) if n else 0, alpha=self._alpha
        )


class _Mixture:
    """Log of a weighted mean of likelihood ratios against the limiting share."""

    def __init__(self, bets: Sequence[tuple[float, float]], null: float) -> None:
        self._start = [math.log(weight) for _, weight in bets]
        self._hit = [math.log(share / null) for share, _ in bets]
        self._miss = [math.log((1.0 - share) / (1.0 - null)) for share, _ in bets]
        self._n = 0
        self._exceeded = 0

    def bet(self, exceeded: bool) -> float:  # noqa: FBT001
        """The log evidence after one more request."""
        self._n += 1
        self._exceeded += exceeded
        logs = [
            start + self._exceeded * hit + (self._n - self._exceeded) * miss
            for start, hit, miss in zip(self._start, self._hit, self._miss, strict=True)
        ]
        top = max(logs)
        return top + math.log(sum(math.exp(log - top) for log in logs))

    def path(self, exceeded: NDArray[np.int64]) -> NDArray[np.float64]:
        """The log evidence after each request, from the running count of exceedances."""
        passed = np.arange(1, exceeded.size + 1) - exceeded
        logs = [
            start + exceeded * hit + passed * miss
            for start, hit, miss in zip(self._start, self._hit, self._miss, strict=True)
        ]
        joined: NDArray[np.float64] = np.logaddexp.reduce(np.array(logs), axis=0)
        return joined


def _scaled_below(max_ratio: float) -> list[tuple[float, float]]:
    return [(share / DEFAULT_MAX_RATIO * max_ratio, weight) for share, weight in _BELOW_BETS]


def _scaled_above(max_ratio: float) -> list[tuple[float, float]]:
    """Odds scale with the allowed odds, so that every bet stays between the limit and 1."""
    factor = (max_ratio / (1 - max_ratio)) / (DEFAULT_MAX_RATIO / (1 - DEFAULT_MAX_RATIO))
    odds = [(share / (1 - share) * factor, weight) for share, weight in _ABOVE_BETS]
    return [(value / (1 + value), weight) for value, weight in odds]


def decide_sequence(
    exceeded: ArrayLike, *, max_ratio: float = DEFAULT_MAX_RATIO, alpha: float = DEFAULT_ALPHA
) -> SequentialOutcome:
    """The outcome of a `SequentialTest` on requests in arrival order, all at once.

    Args:
        exceeded: per request in arrival order: over the limit, or failed; shape (n,).
        max_ratio: allowed share, 0..1.
        alpha: error bound of each decision.
    """
    test = SequentialTest(max_ratio=max_ratio, alpha=alpha)
    return test.decide_all(np.cumsum(np.asarray(exceeded, dtype=bool)))


class ArrivalOrderTest:
    """Feeds a `SequentialTest` from a live run: in arrival order, and never waiting for the slow.

    Requests finish in any order. Taking them as they finish would favour the fast (survivor bias), so the
    next request in arrival order is taken when it has finished, or as exceeded once it has been in flight
    for longer than the limit.

    Args:
        limit_ms: the latency limit, milliseconds.
        max_ratio: allowed share over the limit.
        alpha: error bound of each decision.
    """

    def __init__(
        self, limit_ms: float, *, max_ratio: float = DEFAULT_MAX_RATIO, alpha: float = DEFAULT_ALPHA
    ) -> None:
        self._limit_ms = limit_ms
        self._test = SequentialTest(max_ratio=max_ratio, alpha=alpha)
        self._finished: dict[int, bool] = {}
        self._next = 0

    @property
    def outcome(self) -> SequentialOutcome:
        """Where the test stands."""
        return self._test.outcome

    def finished(self, seq: int, latency_ms: float | None, *, ok: bool = True) -> Decision:
        """Request `seq` (0-based arrival number) ended after `latency_ms` from its intended start."""
        if seq >= self._next:
            self._finished[seq] = not ok or latency_ms is None or latency_ms > self._limit_ms
        return self._advance()

    def still_in_flight(self, seq: int, age_ms: float) -> Decision:
        """Request `seq` has been in flight for `age_ms` since its intended start."""
        if age_ms > self._limit_ms and seq >= self._next:
            self._finished.setdefault(seq, True)
        return self._advance()

    def _advance(self) -> Decision:
        while self._next in self._finished:
            self._test.observe(self._finished.pop(self._next))
            self._next += 1
        return self._test.outcome.decision
