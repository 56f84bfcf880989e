"""Mixes that nobody ran: chosen on one half of the cases, judged on the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import DEFAULT_CONFIDENCE, simultaneous_confidence
from harness.pricing.breakdown import ModelRef
from harness.strategies.cells import Cells
from harness.strategies.controls import RandomControl, against_chance, hull, oracle, singles
from harness.strategies.curves import ScoreCurve, recorded_curves
from harness.strategies.judging import Quick, WayFigures, quick, way_figures
from harness.strategies.policies import Policy, Single, World

LEAST_CASES_A_HALF = 20
MOST_UNITS_TO_CHOOSE = 100_000
MOST_SHOWN = 8
"""Mixes that are judged and shown; the best by cost and high tier of all that were looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the recommended strategy has to keep.

    Attributes:
        max_p95_ms: milliseconds.
        min_high_tier: share of graded answers, 0..1.
        max_cost_usd: a request; None is any.
    """

    max_p95_ms: float = 8000.0
    min_high_tier: float = 0.9
    max_cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfMix:
    """One mix that nobody ran, judged on cases that it was not chosen by.

    Attributes:
        control: the random mix at the same cost; None where there are no two models to mix.
    """

    policy: Policy
    figures: WayFigures
    control: RandomControl | None

    @property
    def name(self) -> str:
        """For people."""
        return self.policy.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What came of looking at every mix.

    Attributes:
        looked_at: how many.
        held_out: the shown ones are judged on cases that they were not chosen by; else the intervals are
            widened for all that were looked at.
        cases: judged on.
        confidence: of each shown interval.
        curves: how well recorded scores route between the cheapest and the best model.
        oracle: what no router could pass, over the same cases; None without mixes.
        excluded: answers that stand over no unit because another model lacks the case.
        left_out: sides that are no source, and why.
        best: place among the mixes of the cheapest that kept the limits where it was chosen; None for none.
    """

    mixes: tuple[WhatIfMix, ...]
    looked_at: int
    held_out: bool
    cases: int
    units: int
    confidence: float
    curves: tuple[ScoreCurve, ...]
    oracle: WayFigures | None
    excluded: int
    left_out: tuple[tuple[str, str], ...]
    best: int | None = None


def searched(
    world: World,
    policies: Sequence[Policy],
    limits: Limits,
    *,
    judge_p95: bool = True,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Search:
    """Look at every mix on one half of the cases, and judge the best on the other half.

    With too few cases for two halves, all of them serve both, and every interval holds for all mixes at
    once (Bonferroni).

    Args:
        world: the recorded answers.
        policies: what to look at.
        limits: of the recommendation.
        judge_p95: the latencies can be held against the limit.
        confidence: of the intervals; of all of them together where there is no second half.

    Source: Efron and Hastie, Computer Age Statistical Inference (2016), section 20, on inference after
        selection; data splitting as in Cox (1975).
    """
    choosing, judging, level = two_halves(world, confidence, len(policies))
    held_out = judging is not choosing
    figures = [quick(policy.over(choosing)) for policy in policies]
    chosen, best = _chosen(policies, figures, limits, judge_p95=judge_p95)
    vertices = hull(singles(choosing))
    found = tuple(judged(policies[place], judging, vertices, level) for place in chosen)
    return Search(
        mixes=found,
        looked_at=len(policies),
        held_out=held_out,
        cases=len(np.unique(judging.cells.cases)),
        units=judging.cells.n,
        confidence=level,
        curves=recorded_curves(judging, vertices, confidence=confidence) if found else (),
        oracle=way_figures(oracle(judging), judging.cells.cases, confidence=level) if found else None,
        excluded=sum(source.excluded for source in world.cells.sources),
        left_out=world.cells.left_out,
        best=chosen.index(best) if best is not None else None,
    )


def judged(policy: Policy, world: World, vertices: Sequence[ModelRef], confidence: float) -> WhatIfMix:
    """A mix with its intervals, beside the random split of the vertices at its own cost."""
    way = policy.over(world)
    return WhatIfMix(
        policy=policy,
        figures=way_figures(way, world.cells.cases, confidence=confidence),
        control=against_chance(way, world, vertices, confidence=confidence),
    )


def judging_half(world: World) -> World:
    """The units that mixes are judged on."""
    return two_halves(world, DEFAULT_CONFIDENCE, 1)[1]


def two_halves(world: World, confidence: float, looked_at: int) -> tuple[World, World, float]:
    """Every other case to choose by (so many at most), the others to judge on, and at which confidence.

    Returns:
        With too few cases twice the same, at the confidence that holds for all that are looked at.
    """
    cells = world.cells
    odd = cells.cases % 2 == 1
    n_cases = int(cells.cases.max(initial=-1)) + 1
    if n_cases < 2 * LEAST_CASES_A_HALF:
        return world, world, simultaneous_confidence(confidence, max(1, looked_at))
    places = np.flatnonzero(odd)
    if len(places) > MOST_UNITS_TO_CHOOSE:
        places = places[:: -(-len(places) // MOST_UNITS_TO_CHOOSE)]
    return world.of(places), world.of(~odd), confidence


def _chosen(
    policies: Sequence[Policy], figures: Sequence[Quick], limits: Limits, *, judge_p95: bool
) -> tuple[list[int], int | None]:
    """Places of the mixes to show, cheapest first, and of the cheapest that keeps the limits."""
    usd, p95, high = (np.array([getattr(own, name) for own in figures]) for name in ("usd", "p95_ms", "high"))
    placed = np.isfinite(usd) & np.isfinite(high)
    ran = np.array([isinstance(p, Single) and p.repair in (None, p.draft) for p in policies], dtype=np.bool_)
    fit = placed & (high >= limits.min_high_tier)
    if judge_p95:
        fit &= p95 <= limits.max_p95_ms
    if limits.max_cost_usd is not None:
        fit &= usd <= limits.max_cost_usd
    best = None
    if (fit & ~ran).any():
        candidates = np.flatnonzero(fit & ~ran)
        best = int(candidates[np.argmin(usd[candidates])])
    front = _front(usd, high, np.flatnonzero(placed & ~ran))
    if len(front) > MOST_SHOWN:
        steps = np.linspace(0, len(front) - 1, MOST_SHOWN).round().astype(int)
        front = front[np.unique(steps)]
    shown = {int(place) for place in front} | ({best} if best is not None else set())
    return sorted(shown, key=lambda place: usd[place]), best


def _front(usd: NDArray[np.float64], high: NDArray[np.float64], places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those that no other one beats in cost and high tier, cheapest first."""
    order = places[np.lexsort((-high[places], usd[places]))]
    best_before = (
        np.concatenate(([-np.inf], np.maximum.accumulate(high[order])[:-1])) if len(order) else high[:0]
    )
    return order[high[order] > best_before]


def mix_cells(cells: Cells) -> bool:
    """There are two models or more to mix."""
    return len(cells.sources) > 1 and cells.n > 0
