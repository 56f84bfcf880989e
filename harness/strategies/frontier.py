"""Which strategy to take: cost, p95 and share of high tier of each, the Pareto set, and a plain choice.

The one place that computes it: `harness strategies frontier` and the dashboard show `frontier_report`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, no_estimate
from harness.analysis.frontier import Candidate, Recommendation, Standing, pareto_set, recommend
from harness.figures import figure_named
from harness.figures.measure import Figures, measure_all
from harness.figures.sides import Comparable, LeftOut, Side, comparable_sides
from harness.pricing import PriceBook
from harness.records import ProviderMode, RunKind
from harness.strategies.cells import load_cells
from harness.strategies.mixes import Checkers, mixes
from harness.strategies.policies import Cascade, Policy, Single, World
from harness.strategies.resampling import Units, frontier_shares, mix_units, recorded_units
from harness.strategies.runner_up import RunnerUp, runner_up
from harness.strategies.savings import SideFacts, side_facts
from harness.strategies.search import Limits, Search, WhatIfMix, judging_half, mix_cells, searched
from harness.strategies.sensitivity import CheckerNeeds, checker_needs

WHAT_IF = "what if: "
"""Begins the name of every way that nobody ran."""

SHOWN = ("cost_per_request", "p95_latency", "high_tier", "error_ratio", "cost_per_high_answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One way of answering, its figures and where it stands.

    Attributes:
        side: None for a way that nobody ran.
        unpriced, untimed, ungraded: left out of that figure.
        frontier_share: of resampled case sets in which nothing beats it, 0..1; None is unknown.
    """

    name: str
    side: SideFacts | None
    requests: int
    cases: int
    cost_per_request: Estimate
    p95: Estimate
    high_tier: Estimate
    error_ratio: Estimate
    cost_per_high: Estimate
    unpriced: int
    untimed: int
    ungraded: int
    standing: Standing
    frontier_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierReport:
    """Every comparable way in the order given, and the choice.

    Attributes:
        mode: what answered all of them; None is unknown.
        places: each with its standing; those that nobody ran come last.
        left_out: ways of another mode, kind or clock, and why.
        search: the mixes that were looked at; None where none was asked for, or none is possible.
        checker: what the recommended cascade asks of its checker.
        runner_up: what comes nearest to being taken instead; None where nothing does.
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
    search: Search | None
    checker: CheckerNeeds | None
    runner_up: RunnerUp | None
    cases: tuple[str, ...]
    confidence: float
    notes: tuple[str, ...]

    @property
    def recommended_mix(self) -> Policy | None:
        """The recommended way, where nobody has run it."""
        if self.search is None:
            return None
        names = {f"{WHAT_IF}{mix.name}": mix.policy for mix in self.search.mixes}
        return names.get(self.recommendation.name or "")


def frontier_report(
    sides: Sequence[Side],
    *,
    names: Sequence[str] | None = None,
    limits: Limits | None = None,
    cases: Sequence[str] = (),
    confidence: float = DEFAULT_CONFIDENCE,
    book: PriceBook | None = None,
    checkers: Checkers | None = None,
) -> FrontierReport:
    """Where each way stands, and the cheapest that keeps the limits.

    Args:
        sides: of any runs; of several modes only the best one is judged.
        names: of the sides; None makes the shortest that tell them apart.
        limits: of the recommendation; None takes p95 <= 8 s and >= 90% high tier.
        cases: the patterns that the sides were narrowed to, for the record.
        confidence: of each interval, clustered by case.
        book: prices of mixes; None looks at no mix that nobody ran.
        checkers: of the cascades among them.
    """
    wanted = limits or Limits()
    chosen = comparable_sides(sides, names)
    places, candidates = _measured(chosen, confidence)
    timed = any(own.p95.n and (own.p95.value is not None or own.p95.over_limit) for own in places)
    judged_p95 = timed and chosen.speed == 1.0
    search, world = None, None
    if book is not None:
        search, world = _searched(chosen, book, wanted, checkers, confidence, judge_p95=judged_p95)
    if search is not None:
        mixed = [_mix_place(mix, search) for mix in search.mixes]
        places += [place for place, _ in mixed]
        candidates += [candidate for _, candidate in mixed]
    standings = pareto_set(candidates, latency=timed)
    eligible = candidates if search is None else _eligible(candidates, search)
    choice = recommend(
        eligible,
        max_p95_ms=wanted.max_p95_ms if judged_p95 else None,
        min_quality=wanted.min_high_tier,
        max_cost_usd=wanted.max_cost_usd,
    )
    units = _units(chosen, search, world)
    shares = frontier_shares(units, latency=timed)
    found = tuple(
        replace(place, standing=own, frontier_share=share if own.excluded is None else None)
        for place, own, share in zip(places, standings, shares, strict=True)
    )
    by_name = {place.name: own for place, own in zip(places, units, strict=True)}
    checker = _checker(choice, search, world, eligible, wanted)
    return FrontierReport(
        mode=chosen.mode,
        kind=chosen.kind,
        places=found,
        left_out=chosen.left_out,
        by_latency=timed,
        limits=wanted,
        recommendation=_told(choice, found, wanted, search, checker, speed=chosen.speed, timed=timed),
        search=search,
        checker=checker,
        runner_up=runner_up(eligible, choice.name, wanted, by_name, judge_p95=judged_p95),
        cases=tuple(cases),
        confidence=confidence,
        notes=tuple(_notes(chosen, found, search)),
    )


def _measured(chosen: Comparable, confidence: float) -> tuple[list[Place], list[Candidate]]:
    figures = [figure_named(name) for name in SHOWN]
    places, candidates = [], []
    for name, side in chosen.sides:
        found = measure_all(side.rows, figures, confidence=confidence)
        place = _place(name, side, found, confidence)
        places.append(place)
        way = side.way or side.run.name
        candidates.append(
            Candidate(
                name=name,
                cost_usd=place.cost_per_request,
                p95_ms=place.p95,
                quality=place.high_tier,
                n=place.requests,
                way=way,
            )
        )
    return places, candidates


def _place(name: str, side: Side, found: Figures, confidence: float) -> Place:
    none = no_estimate("none", confidence=confidence)
    cost, p95, high, errors, per_high = (found.get(figure, none) for figure in SHOWN)
    ((cases, answers),) = side.rows.rows(
        """SELECT count(DISTINCT case_id) + count(CASE WHEN case_id IS NULL THEN 1 END),
            count(CASE WHEN status = 'ok' THEN 1 END) FROM counted"""
    )
    return Place(
        name=name,
        side=side_facts(side, name),
        requests=side.rows.n,
        cases=cases,
        cost_per_request=cost,
        p95=p95,
        high_tier=high,
        error_ratio=errors,
        cost_per_high=per_high,
        unpriced=cost.unknown,
        untimed=p95.unknown,
        ungraded=answers - high.n,
        standing=_NOWHERE,
    )


def _mix_place(mix: WhatIfMix, search: Search) -> tuple[Place, Candidate]:
    name, own = f"{WHAT_IF}{mix.name}", mix.figures
    place = Place(
        name=name,
        side=None,
        requests=own.units,
        cases=search.cases,
        cost_per_request=own.cost_per_request,
        p95=own.p95,
        high_tier=own.high_tier,
        error_ratio=own.error_ratio,
        cost_per_high=no_estimate("none", confidence=search.confidence),
        unpriced=own.unpriced,
        untimed=own.untimed,
        ungraded=own.ungraded,
        standing=_NOWHERE,
    )
    candidate = Candidate(
        name=name, cost_usd=own.cost_per_request, p95_ms=own.p95, quality=own.high_tier, n=own.units
    )
    return place, candidate


_NONE = no_estimate("none")
_NOWHERE = Standing(
    candidate=Candidate(name="", cost_usd=_NONE, p95_ms=_NONE, quality=_NONE, n=0), on_frontier=False
)


def _searched(
    chosen: Comparable,
    book: PriceBook,
    limits: Limits,
    checkers: Checkers | None,
    confidence: float,
    *,
    judge_p95: bool,
) -> tuple[Search | None, World | None]:
    cells = load_cells(chosen.sides)
    if not mix_cells(cells):
        return None, None
    world = World(cells, book, speed=chosen.speed)
    recorded = {(source.ref, source.repairer) for source in cells.sources}
    policies = [
        policy
        for policy in mixes(cells, checkers, speed=chosen.speed)
        if not (isinstance(policy, Single) and (policy.draft, policy.repair) in recorded)
    ]
    found = searched(world, policies, limits, judge_p95=judge_p95, confidence=confidence)
    return found, world


def _units(chosen: Comparable, search: Search | None, world: World | None) -> list[Units]:
    """The requests of every place, in the same order."""
    found = [recorded_units(side.rows) for _, side in chosen.sides]
    if search is not None and world is not None:
        judging = judging_half(world)
        found += [mix_units(mix.policy.over(judging), judging.cells) for mix in search.mixes]
    return found


def _eligible(candidates: Sequence[Candidate], search: Search) -> list[Candidate]:
    """What was recorded, and the one mix that was chosen on other cases."""
    recorded = list(candidates[: len(candidates) - len(search.mixes)])
    return recorded if search.best is None else [*recorded, candidates[len(recorded) + search.best]]


def _checker(
    choice: Recommendation,
    search: Search | None,
    world: World | None,
    eligible: Sequence[Candidate],
    limits: Limits,
) -> CheckerNeeds | None:
    if search is None or world is None or search.best is None:
        return None
    mix = search.mixes[search.best]
    if choice.name != f"{WHAT_IF}{mix.name}" or not isinstance(mix.policy, Cascade):
        return None
    next_best = recommend(
        [candidate for candidate in eligible if candidate.name != choice.name],
        max_p95_ms=None,
        min_quality=limits.min_high_tier,
    )
    cost = next((c.cost_usd.value for c in eligible if c.name == next_best.name), None)
    alternative = None if next_best.name is None or cost is None else (next_best.name, cost)
    return checker_needs(mix.policy, world, min_high_tier=limits.min_high_tier, alternative=alternative)


def _told(
    choice: Recommendation,
    places: Sequence[Place],
    limits: Limits,
    search: Search | None,
    checker: CheckerNeeds | None,
    *,
    speed: float,
    timed: bool,
) -> Recommendation:
    """The choice, doubted where a figure it rests on was not judged or is not whole."""
    if not places:
        return replace(choice, sentence="No request to judge by.")
    said = []
    limit = f"p95 <= {limits.max_p95_ms / 1000:g} s"
    if not timed:
        said.append(f"Whether {limit} holds is unknown: no latency was recorded.")
    elif speed != 1.0:
        said.append(
            f"Whether {limit} holds cannot be judged: latencies are emulated at speed x{speed:g}, "
            "not at their own pace."
        )
    if search is not None and choice.name is not None and choice.name.startswith(WHAT_IF):
        mix = next(own for own in search.mixes if f"{WHAT_IF}{own.name}" == choice.name)
        said += _mix_sentences(mix, search)
        if checker is not None and checker.sentence(limits.min_high_tier):
            said.append(checker.sentence(limits.min_high_tier))
    own = next((place for place in places if place.name == choice.name), None)
    if own is not None and own.unpriced:
        requests = "request" if own.unpriced == 1 else "requests"
        said.append(f"The cost of {own.unpriced:,} {requests} of its {own.requests:,} is unknown.")
    if not said:
        return choice
    return replace(choice, certain=False, sentence=" ".join([choice.sentence, *said]))


def _mix_sentences(mix: WhatIfMix, search: Search) -> list[str]:
    """That nobody ran it, how many were looked at, and whether it beats chance."""
    how = (
        f"chosen on one half of the cases and judged on the other ({search.cases:,} cases)"
        if search.held_out
        else f"judged on the same {search.cases:,} cases, with intervals that hold for all of them at once"
    )
    said = [
        "It is a what-if: nobody has run it.",
        f"It is the best of {search.looked_at:,} mixes that were looked at, {how}.",
    ]
    control = mix.control
    if control is None or control.gain.value is None:
        return said
    split = f"a random split between {control.first.model} and {control.second.model} at the same cost"
    if control.beaten and control.gain.low is not None and control.gain.high is not None:
        low, high = 100 * control.gain.low, 100 * control.gain.high
        said.append(f"It reaches {low:.1f} to {high:.1f} points more high tier than {split}.")
    else:
        said.append(f"No advantage over {split} is shown.")
    return said


def _notes(chosen: Comparable, places: Sequence[Place], search: Search | None) -> list[str]:
    notes = list(chosen.cautions)
    for place in places:
        for count, what in (
            (place.unpriced, "of unknown cost"),
            (place.untimed, "without a latency"),
            (place.ungraded, "ungraded"),
        ):
            if count:
                requests = "1 request" if count == 1 else f"{count:,} requests"
                notes.append(f"{place.name}: {requests} {what}, left out of that figure")
    if search is not None:
        notes.append(
            "what if: from recorded drafts and repairs; another repair model is taken to mend as well as the "
            "recorded one, at the pace of its own recorded repairs"
        )
        notes += [f"{name}: no source of mixes: {why}" for name, why in search.left_out]
        if search.excluded:
            notes.append(
                f"what if: {search.excluded:,} answers to cases that not every model answered, left out; "
                f"{search.units:,} units of {search.cases:,} cases judged"
            )
    return notes
