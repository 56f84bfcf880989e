"""The latency of a model as an exact quantile function, so that tests know the truth."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from harness.errors import UsageError

_NORMAL = NormalDist()
TAIL = 0.0005
"""Draws are clamped to [TAIL, 1 - TAIL]: the slowest request of a model is a finite, known figure."""


@dataclass(frozen=True, slots=True)
class LatencyCurve:
    """A monotone quantile function through given points: ln(latency) is piecewise linear in the normal score.

    Between two points (p, ms) the curve is log-normal; the first and last pieces are extended outwards, down
    to `TAIL` and up to 1 - `TAIL`. One point alone is a constant latency.

    Attributes:
        points: (p, latency in ms), p strictly increasing in (0, 1), latencies > 0 and not decreasing.
    """

    points: tuple[tuple[float, float], ...]
    _knots: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        """Check the points and turn them into knots (normal score, ln ms)."""
        if not self.points:
            raise UsageError("a latency curve needs at least one point, such as {'0.5': 3000}")
        for p, ms in self.points:
            if not 0 < p < 1 or not 0 < ms < math.inf:
                raise UsageError(f"latency point {p}: {ms} needs a quantile inside 0..1 and milliseconds > 0")
        for (p0, ms0), (p1, ms1) in zip(self.points, self.points[1:], strict=False):
            if p1 <= p0 or ms1 < ms0:
                raise UsageError("latency points must rise: later quantiles cannot be faster")
        knots = tuple((_NORMAL.inv_cdf(p), math.log(ms)) for p, ms in self.points)
        object.__setattr__(self, "_knots", knots)

    @classmethod
    def through(cls, points: Mapping[str, float]) -> "LatencyCurve":
        """The curve through `{"0.5": 3000, "0.95": 6000}`; keys are quantiles, values milliseconds."""
        try:
            parsed = sorted((float(p), float(ms)) for p, ms in points.items())
        except (TypeError, ValueError) as error:
            raise UsageError(f"latency points must be numbers: {error}") from error
        return cls(tuple(parsed))

    def quantile_ms(self, p: float) -> float:
        """The latency below which a share p of requests fall, milliseconds; p is clamped to the tails."""
        z = _NORMAL.inv_cdf(min(max(p, TAIL), 1 - TAIL))
        if len(self._knots) == 1:
            return math.exp(self._knots[0][1])
        (z0, y0), (z1, y1) = self._piece(z)
        return math.exp(y0 + (y1 - y0) * (z - z0) / (z1 - z0))

    def share_below(self, ms: float) -> float:
        """The inverse: the share of requests at or below `ms`, 0..1 exactly at and beyond the tails."""
        if ms >= self.quantile_ms(1):
            return 1.0
        if ms < self.quantile_ms(0):
            return 0.0
        low, high = TAIL, 1 - TAIL
        for _ in range(60):
            middle = (low + high) / 2
            if self.quantile_ms(middle) <= ms:
                low = middle
            else:
                high = middle
        return low

    def _piece(self, z: float) -> tuple[tuple[float, float], tuple[float, float]]:
        for left, right in zip(self._knots, self._knots[1:], strict=False):
            if z <= right[0]:
                return left, right
        return self._knots[-2], self._knots[-1]
