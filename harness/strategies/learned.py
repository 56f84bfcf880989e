"""A learned router as policies at several thresholds: the best is chosen on one half, judged on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import DEFAULT_CONFIDENCE
from harness.errors import UsageError
from harness.figures.sides import LeftOut, Side, comparable_sides
from harness.orchestration.router import RouterFile
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.records import ProviderMode
from harness.strategies.cells import Cells, Column, case_keys, load_cells
from harness.strategies.controls import RandomControl, against_chance, hull, singles
from harness.strategies.curves import ScoreCurve, score_curve
from harness.strategies.judging import quick
from harness.strategies.learning import CaseFeatures, cross_fitted, fitted, scored, training_of
from harness.strategies.policies import Routed, World
from harness.strategies.search import WhatIfMix, judged, two_halves

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Quantiles of the score that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedReport:
    """A router between two models, judged on cases it was not trained on.

    Attributes:
        mixes: one a threshold, the cheapest first.
        best: place of the one that gained most over chance where it was chosen, or, with a wanted share of
            high tier, of the cheapest that keeps it; None where none does.
        curve: of the scores on the cases judged on.
        file: what was judged, as a service runs it; None where both models answered alike.
        trained, cases: trained on, and judged on.
        without_features: units left out because nothing is known of their case.
    """

    mode: ProviderMode | None
    weak: ModelRef
    strong: ModelRef
    mixes: tuple[WhatIfMix, ...]
    best: int | None
    curve: ScoreCurve
    file: RouterFile | None
    trained: int
    cases: int
    without_features: int
    min_high_tier: float | None
    confidence: float
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    @property
    def recommended(self) -> Routed | None:
        """The policy to run: the chosen threshold, where it beats chance beyond its interval."""
        if self.best is None or self.file is None:
            return None
        mix = self.mixes[self.best]
        beaten = mix.control is not None and mix.control.beaten
        return mix.policy if beaten and isinstance(mix.policy, Routed) else None

    @property
    def sentence(self) -> str:
        """For people."""
        pair = f"{self.weak.model} or {self.strong.model}"
        if self.file is None:
            return f"Nothing to learn: {pair} answered every case alike."
        if self.best is None:
            share = f"{(self.min_high_tier or 0.0) * 100:g}%"
            return f"No threshold between {pair} reached {share} high tier on the cases it was chosen on."
        mix = self.mixes[self.best]
        judged_on = f"judged on {self.cases:,} cases that it was not trained on"
        split = "a random split of the two at the same cost"
        gain = None if mix.control is None else mix.control.gain
        if self.recommended is None or gain is None or gain.low is None or gain.high is None:
            none = f"no advantage of a router between {pair} over {split} is shown"
            return f"Not recommended: {none}, {judged_on}."
        low, high = 100 * gain.low, 100 * gain.high
        return (
            f"Take the router between {pair}: {low:.1f} to {high:.1f} points more high tier than {split}, "
            f"{judged_on} (the best of {len(self.mixes)} thresholds, chosen on the others)."
        )


def learned_report(
    sides: Sequence[Side],
    features: Mapping[str, CaseFeatures],
    book: PriceBook,
    *,
    weak: str | None = None,
    strong: str | None = None,
    min_high_tier: float | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
) -> LearnedReport:
    """Train a router on half of the cases and judge it on the other half.

    Args:
        sides: of any runs in which both models answered the same cases.
        features: by case id.
        book: prices repairs at other models.
        weak: a model's id; None takes the cheapest of those that chance cannot beat.
        strong: likewise; None takes the best.
        min_high_tier: the share to keep, 0..1; None asks for the greatest advantage over chance.
        confidence: of each interval, clustered by case.

    Raises:
        UsageError: fewer than two models, no such model, or no case with features.
    """
    chosen = comparable_sides(sides)
    cells = load_cells(chosen.sides)
    if len(cells.sources) < 2:
        raise UsageError("a router needs two models that answered the same cases, each alone")
    world, known, missing = _with_features(World(cells, book, speed=chosen.speed), chosen.sides, features)
    ends = _ends(world, weak, strong)
    found = learn(world, ends, known, min_high_tier=min_high_tier, confidence=confidence)
    return LearnedReport(
        mode=chosen.mode,
        weak=ends[0],
        strong=ends[1],
        mixes=found.mixes,
        best=found.best,
        curve=found.curve,
        file=found.file,
        trained=found.trained,
        cases=found.cases,
        without_features=missing,
        min_high_tier=min_high_tier,
        confidence=found.confidence,
        left_out=chosen.left_out,
        notes=chosen.cautions,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What `learn` found; attributes as of `LearnedReport`."""

    mixes: tuple[WhatIfMix, ...]
    best: int | None
    curve: ScoreCurve
    file: RouterFile | None
    trained: int
    cases: int
    confidence: float


def learn(
    world: World,
    ends: tuple[ModelRef, ModelRef],
    known: Mapping[int, CaseFeatures],
    *,
    min_high_tier: float | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
) -> Learned:
    """Train, choose and judge over recorded answers.

    Thresholds are chosen by cross-fitted scores on the half trained on; with too few cases for two halves,
    cross-fitted scores of all of them serve, and intervals hold for all thresholds at once.

    Args:
        world: the recorded answers; every case has features.
        ends: the weak and the strong model.
        known: features by case key.
        min_high_tier: as for `learned_report`.
        confidence: likewise.
    """
    weak, strong = ends
    choosing, judging, level = two_halves(world, confidence, len(THRESHOLDS))
    training = training_of(choosing.cells, weak, strong, known)
    file = fitted(training, weak, strong)
    own = _by_unit(choosing.cells, cross_fitted(training, weak, strong))
    if judging is choosing:
        held = own
    else:
        held = _by_unit(judging.cells, scored(file, training_of(judging.cells, weak, strong, known).features))
    by_case = dict(zip(choosing.cells.case_keys.tolist(), own.tolist(), strict=True))
    by_case |= dict(zip(judging.cells.case_keys.tolist(), held.tolist(), strict=True))
    steps = sorted({float(at) for at in np.quantile(own, THRESHOLDS).round(6)}, reverse=True)
    policies = [_policy(ends, by_case, step) for step in steps] if file is not None else []
    vertices = [weak, strong]
    best = _best(policies, choosing, vertices, min_high_tier)
    return Learned(
        mixes=tuple(judged(policy, judging, vertices, level) for policy in policies),
        best=best,
        curve=score_curve(judging, weak, strong, held, label="a learned router", confidence=confidence),
        file=file,
        trained=len(training.features),
        cases=len(np.unique(judging.cells.cases)),
        confidence=level,
    )


def _with_features(
    world: World, sides: Sequence[tuple[str, Side]], features: Mapping[str, CaseFeatures]
) -> tuple[World, dict[int, CaseFeatures], int]:
    """The units whose case is known, what is known of them, and how many others there were."""
    keys = case_keys(sides[0][1].rows.view, list(features))
    known = dict(zip(keys.tolist(), features.values(), strict=True))
    told = np.isin(world.cells.case_keys, keys)
    if not told.any():
        raise UsageError("no case of these runs has features: case ids must be those of the runs")
    return world.of(told), known, int((~told).sum())


def _ends(world: World, weak: str | None, strong: str | None) -> tuple[ModelRef, ModelRef]:
    found = singles(world)
    vertices = hull(found)
    by_name = {ref.model: ref for ref in found} | {str(ref): ref for ref in found}
    for asked in (weak, strong):
        if asked is not None and asked not in by_name:
            raise UsageError(f"'{asked}': not among the models, which are {', '.join(sorted(by_name))}")
    first = by_name[weak] if weak is not None else (vertices or list(found))[0]
    last = by_name[strong] if strong is not None else (vertices or list(found))[-1]
    if first == last:
        raise UsageError(
            f"{first.model} is the cheapest and the best: name the models with --weak and --strong"
        )
    return first, last


def _by_unit(cells: Cells, by_case: Column) -> Column:
    found: Column = by_case[cells.cases]
    return found


def _policy(ends: tuple[ModelRef, ModelRef], by_case: Mapping[int, float], least: float) -> Routed:
    def to_strong(cells: Cells) -> NDArray[np.bool_]:
        return np.array([by_case[key] >= least for key in cells.case_keys.tolist()], dtype=np.bool_)

    return Routed(
        weak=ends[0],
        strong=ends[1],
        label=f"a learned router at {least:.3f}",
        to_strong=to_strong,
        score_at_least=least,
    )


def _best(
    policies: Sequence[Routed],
    choosing: World,
    vertices: Sequence[ModelRef],
    min_high_tier: float | None,
) -> int | None:
    """The cheapest that keeps the share, or the one that gains most over chance, where it is chosen."""
    if not policies:
        return None
    ways = [policy.over(choosing) for policy in policies]
    if min_high_tier is None:
        return int(np.argmax([_gain(against_chance(way, choosing, vertices)) for way in ways]))
    figures = [quick(way) for way in ways]
    keeping = [place for place, own in enumerate(figures) if own.high >= min_high_tier]
    return min(keeping, key=lambda place: figures[place].usd) if keeping else None


def _gain(control: RandomControl | None) -> float:
    if control is None or control.gain.value is None:
        return -np.inf
    return control.gain.value
