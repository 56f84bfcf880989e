"""Cost-quality curves of the scores that were recorded, between the two ends of what chance can do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.estimate import DEFAULT_CONFIDENCE
from harness.analysis.routing_curve import RoutingCurve, routing_curve
from harness.pricing.breakdown import ModelRef
from harness.strategies.cells import Column
from harness.strategies.policies import World


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCurve:
    """How well one score routes between two models.

    Attributes:
        label: what the score is.
        units: whose score and both grades are known.
    """

    weak: ModelRef
    strong: ModelRef
    label: str
    units: int
    curve: RoutingCurve


def score_curve(
    world: World,
    weak: ModelRef,
    strong: ModelRef,
    score: Column,
    *,
    label: str,
    confidence: float = DEFAULT_CONFIDENCE,
) -> ScoreCurve:
    """The curve of any router given as a column.

    Args:
        world: the recorded answers.
        weak: the model that is asked unless the score says otherwise.
        strong: the other.
        score: shape (N,); the higher, the sooner the strong model is asked. Not a number is unknown.
        label: what the score is called.
        confidence: of each interval, by resampled cases.
    """
    gain = world.source(strong).high - world.source(weak).high
    known = ~np.isnan(gain) & ~np.isnan(score)
    return ScoreCurve(
        weak=weak,
        strong=strong,
        label=label,
        units=int(known.sum()),
        curve=routing_curve(gain[known], score[known], world.cells.cases[known], confidence=confidence),
    )


def recorded_curves(
    world: World, vertices: Sequence[ModelRef], *, confidence: float = DEFAULT_CONFIDENCE
) -> tuple[ScoreCurve, ...]:
    """The curves of the weak model's recorded confidence, and of who knows the grades: the bound.

    Args:
        world: the recorded answers.
        vertices: of `controls.hull`; its ends are compared.
        confidence: of each interval.
    """
    if len(vertices) < 2:
        return ()
    weak, strong = vertices[0], vertices[-1]
    told = world.source(weak).confidence
    found = []
    if not np.isnan(told).all():
        label = f"the confidence of {weak.model}"
        found.append(score_curve(world, weak, strong, -told, label=label, confidence=confidence))
    gain = world.source(strong).high - world.source(weak).high
    bound = "the grades themselves (a bound)"
    found.append(score_curve(world, weak, strong, gain, label=bound, confidence=confidence))
    return tuple(found)
