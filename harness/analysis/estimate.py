"""A figure with its interval and what it rests on: the one shape in which every number travels."""

from dataclasses import dataclass, replace
from enum import StrEnum

DEFAULT_CONFIDENCE = 0.95


class Sides(StrEnum):
    """Which bounds an interval has; one-sided bounds spend the whole error on one side."""

    BOTH = "both"
    LOWER = "lower"
    UPPER = "upper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure, its interval and what it rests on; None is unknown.

    Attributes:
        value: in the figure's own unit.
        low: lower bound; None is no bound on that side.
        high: upper bound.
        confidence: nominal, 0..1.
        method: how the interval was made (docs/figures.md).
        n: rows that the value rests on.
        unknown: rows that should have told a value and did not; left out, and said.
        over_limit: the value lies among failures: above every limit, and so None.
        low_over_limit: even the lower bound lies among failures.
        high_over_limit: the upper bound lies among failures.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    method: str
    n: int
    unknown: int = 0
    over_limit: bool = False
    low_over_limit: bool = False
    high_over_limit: bool = False

    def lies_above(self, limit: float) -> bool:
        """True when the whole interval is above the limit."""
        return self.low_over_limit or (self.low is not None and self.low > limit)

    def lies_within(self, limit: float) -> bool:
        """True when the whole interval is at or below the limit."""
        return self.high is not None and self.high <= limit

    def scaled(self, factor: float) -> "Estimate":
        """The figure and its bounds times a positive factor: a request's cost as a month's."""
        return replace(
            self,
            value=None if self.value is None else self.value * factor,
            low=None if self.low is None else self.low * factor,
            high=None if self.high is None else self.high * factor,
        )

    def negated(self) -> "Estimate":
        """The figure with the other sign: a difference of costs as a saving."""
        return replace(
            self,
            value=None if self.value is None else -self.value,
            low=None if self.high is None else -self.high,
            high=None if self.low is None else -self.low,
        )


def no_estimate(
    method: str, *, n: int = 0, unknown: int = 0, confidence: float = DEFAULT_CONFIDENCE
) -> Estimate:
    """What an empty sample gives: no value, no interval."""
    return Estimate(
        value=None, low=None, high=None, confidence=confidence, method=method, n=n, unknown=unknown
    )


def simultaneous_confidence(confidence: float, figures: int) -> float:
    """What each of several intervals needs, so that all of them hold together with the confidence.

    Source: Bonferroni; holds whatever the dependence between the figures.
    """
    if figures < 1:
        raise ValueError(f"{figures} figures have no confidence to share")
    return 1.0 - (1.0 - confidence) / figures
