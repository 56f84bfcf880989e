"""What every clever mix has to beat: chance at the same cost, and what no router could pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, no_estimate
from harness.analysis.moments import mean_estimate
from harness.pricing.breakdown import ModelRef
from harness.strategies.judging import Quick, moments_by_case, quick
from harness.strategies.policies import Way, World


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomControl:
    """Two models between which requests are split by chance.

    Attributes:
        share: of the second one, 0..1.
        gain: high tier of the policy minus that of the split at the policy's own cost; None is unknown.
    """

    first: ModelRef
    second: ModelRef
    share: float
    gain: Estimate

    @property
    def beaten(self) -> bool:
        """The policy is better than chance, beyond its interval."""
        return self.gain.low is not None and self.gain.low > 0


def hull(singles: Mapping[ModelRef, Quick]) -> list[ModelRef]:
    """The models whose random mixes are the best that chance can do, cheapest first: the upper hull."""
    known = [(ref, own) for ref, own in singles.items() if np.isfinite(own.usd) and np.isfinite(own.high)]
    points = sorted(known, key=lambda point: (point[1].usd, -point[1].high))
    found: list[tuple[ModelRef, Quick]] = []
    for ref, own in points:
        if found and own.high <= found[-1][1].high:
            continue
        while len(found) > 1 and _bends_down(found[-2][1], found[-1][1], own):
            found.pop()
        found.append((ref, own))
    return [ref for ref, _ in found]


def _bends_down(a: Quick, b: Quick, c: Quick) -> bool:
    """B lies on or below the line from a to c."""
    return (b.high - a.high) * (c.usd - a.usd) <= (c.high - a.high) * (b.usd - a.usd)


def against_chance(
    way: Way,
    world: World,
    vertices: Sequence[ModelRef],
    *,
    confidence: float = DEFAULT_CONFIDENCE,
) -> RandomControl | None:
    """A policy against the random mix of two models at the policy's own cost.

    The difference is linearised (delta method): its error holds that of both costs and all three grades.

    Args:
        way: of the policy, over the units of the world.
        world: the recorded answers.
        vertices: of `hull`, chosen on other units than these.
        confidence: of the interval, clustered by case.

    Returns:
        None without two models to mix.
    """
    if len(vertices) < 2:
        return None
    ways = [world.answered(world.source(ref), ref) for ref in vertices]
    known = ~np.isnan(way.usd) & ~np.isnan(way.high)
    for own in ways:
        known &= ~np.isnan(own.usd) & ~np.isnan(own.high)
    if not known.any():
        return None
    costs = [float(own.usd[known].mean()) for own in ways]
    cost = float(way.usd[known].mean())
    place = int(np.clip(np.searchsorted(costs, cost) - 1, 0, len(vertices) - 2))
    first, second = ways[place], ways[place + 1]
    width = costs[place + 1] - costs[place]
    share = float(np.clip((cost - costs[place]) / width, 0.0, 1.0)) if width > 0 else 0.0
    mixed = (1.0 - share) * first.high[known] + share * second.high[known]
    gain = way.high[known] - mixed
    if 0.0 < share < 1.0:
        slope = float(second.high[known].mean() - first.high[known].mean()) / width
        spent = (1.0 - share) * first.usd[known] + share * second.usd[known]
        gain = gain - slope * (way.usd[known] - spent)
    sums = moments_by_case(gain, world.cells.cases[known])
    return RandomControl(
        first=vertices[place],
        second=vertices[place + 1],
        share=share,
        gain=mean_estimate(sums, confidence=confidence)
        if sums.n
        else no_estimate("none", confidence=confidence),
    )


def oracle(world: World) -> Way:
    """Each unit goes to the cheapest model that answers it in the high tier, else to the cheapest of all.

    No router that decides before the answers are known can do better at this cost.
    """
    ways = [world.answered(own, own.ref) for own in world.cells.sources]
    usd = np.stack([np.where(np.isnan(own.usd), np.inf, own.usd) for own in ways])
    right = np.stack([np.nan_to_num(own.high) > 0 for own in ways])
    best = np.where(right.any(axis=0), np.where(right, usd, np.inf).argmin(axis=0), usd.argmin(axis=0))

    def taken(name: str) -> NDArray[np.float64]:
        columns = np.stack([getattr(own, name) for own in ways])
        found: NDArray[np.float64] = np.take_along_axis(columns, best[None, :], axis=0)[0]
        return found

    return Way(usd=taken("usd"), ms=taken("ms"), ok=taken("ok"), high=taken("high"))


def singles(world: World) -> dict[ModelRef, Quick]:
    """Each model alone, repairing itself."""
    return {own.ref: quick(world.answered(own, own.ref)) for own in world.cells.sources}
