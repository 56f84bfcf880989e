"""Which strategy to take: cost, p95 and share of high tier of each, the Pareto set, and a plain choice.

The one place that computes it: `harness strategies frontier` and the dashboard show `frontier_report`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analysis.frontier import Candidate, Recommendation, Standing, pareto_set, recommend
from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate
from harness.records import ProviderMode, RunKind, Tier
from harness.report import wording
from harness.report.comparable import LeftOut, NamedSide, cautions, comparable_sides
from harness.report.evaluation import QuantileFigure, StrategyFigures, strategy_figures
from harness.report.replay import REPLAY_ASSUMPTION, Replay, replayed_cascades
from harness.report.savings import SavingsSide

DEFAULT_MAX_P95_MS = 8000.0
DEFAULT_MIN_HIGH_TIER = 0.9
WHAT_IF = "what if: "
"""Begins the name of every way that nobody ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the recommended strategy has to keep.

    Attributes:
        max_p95_ms: milliseconds.
        min_high_tier: share of graded answers, 0..1.
    """

    max_p95_ms: float = DEFAULT_MAX_P95_MS
    min_high_tier: float = DEFAULT_MIN_HIGH_TIER


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One way of answering, its figures and where it stands."""

    name: str
    side: SavingsSide
    figures: StrategyFigures
    standing: Standing

    @property
    def untimed(self) -> int:
        """Answers without a latency on the run's clock, left out of the p95."""
        return self.figures.requests - self.figures.p95.n

    @property
    def ungraded(self) -> int:
        """Answers without a tier, left out of the share of high tier."""
        return self.figures.ok - self.figures.graded


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierReport:
    """Every comparable way in the order given, and the choice.

    Attributes:
        mode: what answered all of them; None is unknown.
        places: each with its standing.
        left_out: ways of another mode, kind or clock, and why.
        replays: cascades of the ways, replayed from their outcomes; what-if, never placed among them unasked.
        by_latency: the p95 counts; False where no way has any latency.
        notes: what must be said beside the figures.
    """

    mode: ProviderMode | None
    kind: RunKind | None
    places: tuple[Place, ...]
    left_out: tuple[LeftOut, ...]
    by_latency: bool
    limits: Limits
    recommendation: Recommendation
    replays: tuple[Replay, ...]
    cases: tuple[str, ...]
    confidence: float
    notes: tuple[str, ...]


def frontier_report(
    sides: Sequence[SavingsSide],
    *,
    names: Sequence[str] | None = None,
    limits: Limits | None = None,
    cases: Sequence[str] = (),
    confidence: float = DEFAULT_CONFIDENCE,
    replay: bool = False,
) -> FrontierReport:
    """Where each way stands, and the cheapest that keeps the limits.

    Args:
        sides: of any runs; of several modes only the best one is judged.
        names: of the sides; None makes the shortest that tell them apart.
        limits: of the recommendation; None takes p95 <= 8 s and >= 90% high tier.
        cases: patterns of case ids to look at; empty takes all.
        confidence: of each interval, clustered by case.
        replay: let cascades that nobody ran stand among the others, replayed from the recorded outcomes.
    """
    wanted = limits or Limits()
    chosen = comparable_sides(sides, names=names, cases=cases)
    replays = replayed_cascades(chosen.sides, confidence=confidence) if replay else ()
    if replays:
        whatifs = tuple(NamedSide(name=f"{WHAT_IF}{found.name}", side=found.side) for found in replays)
        chosen = replace(chosen, sides=chosen.sides + whatifs)
    figures = [strategy_figures(found.side, confidence=confidence) for found in chosen.sides]
    timed = any(found.p95.n - _failures(found) > 0 for found in figures)
    candidates = [
        _candidate(found.name, own, confidence) for found, own in zip(chosen.sides, figures, strict=True)
    ]
    standings = pareto_set(candidates, latency=timed)
    places = tuple(
        Place(name=found.name, side=found.side, figures=own, standing=standing)
        for found, own, standing in zip(chosen.sides, figures, standings, strict=True)
    )
    judged = wanted.max_p95_ms if timed and chosen.speed == 1.0 else None
    choice = recommend(candidates, max_p95_ms=judged, min_quality=wanted.min_high_tier)
    return FrontierReport(
        mode=chosen.mode,
        kind=chosen.kind,
        places=places,
        left_out=chosen.left_out,
        by_latency=timed,
        limits=wanted,
        replays=replays,
        recommendation=_told(choice, places, wanted, speed=chosen.speed, timed=timed),
        cases=tuple(cases),
        confidence=confidence,
        notes=tuple(_notes(chosen.sides, places, replays)),
    )


def _failures(figures: StrategyFigures) -> int:
    return figures.requests - figures.ok


def _candidate(name: str, figures: StrategyFigures, confidence: float) -> Candidate:
    return Candidate(
        name=name,
        cost_usd=figures.cost_per_request,
        p95_ms=_estimate(figures.p95, confidence),
        quality=figures.tiers[Tier.HIGH],
        n=figures.requests,
    )


def _estimate(found: QuantileFigure, confidence: float) -> Estimate:
    return Estimate(
        value=found.value_ms,
        low=found.low_ms,
        high=found.high_ms,
        confidence=confidence,
        method="order_statistic_clustered",
        n=found.n,
    )


def _told(
    choice: Recommendation, places: Sequence[Place], limits: Limits, *, speed: float, timed: bool
) -> Recommendation:
    """The choice, doubted where a figure it rests on was not judged or is not whole."""
    said = []
    if not places:
        return replace(choice, sentence="No request to judge by.")
    limit = f"p95 <= {limits.max_p95_ms / 1000:g} s"
    if not timed:
        said.append(f"Whether {limit} holds is unknown: no latency was recorded.")
    elif speed != 1.0:
        said.append(
            f"Whether {limit} holds cannot be judged: latencies are emulated at speed x{speed:g}, "
            "not at their own pace."
        )
    if choice.name is not None and choice.name.startswith(WHAT_IF):
        said.append("It is a what-if: nobody has run it.")
    own = next((place for place in places if place.name == choice.name), None)
    if own is not None and own.figures.unpriced:
        count = wording.count(own.figures.unpriced, "request")
        said.append(f"The cost of {count} of its {own.figures.requests:,} is unknown.")
    if not said:
        return choice
    return replace(choice, certain=False, sentence=" ".join([choice.sentence, *said]))


def _notes(sides: Sequence[NamedSide], places: Sequence[Place], replays: Sequence[Replay]) -> list[str]:
    notes = cautions(sides)
    for place in places:
        for count, what in (
            (place.figures.unpriced, "of unknown cost"),
            (place.untimed, "without a latency"),
            (place.ungraded, "ungraded"),
        ):
            if count:
                notes.append(
                    f"{place.name}: {wording.count(count, 'request')} {what}, left out of that figure"
                )
    if replays:
        notes.append(f"what if: cascades replayed from recorded answers; {REPLAY_ASSUMPTION}")
    notes += [
        f"{found.name}: {wording.count(found.excluded, 'answer')} without a partner, excluded"
        for found in replays
        if found.excluded
    ]
    return notes
