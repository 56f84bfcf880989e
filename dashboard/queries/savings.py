"""What one way of answering saves against another, by the figures of `harness savings`."""

import os
from dataclasses import dataclass

from dashboard.frame.scope import Scope
from harness.errors import UnpricedModelError
from harness.figures.selection import Rows
from harness.figures.sides import Side, side_names, sides_of
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.store import Snapshot
from harness.strategies.frontier import FrontierReport, Place, frontier_report
from harness.strategies.savings import MeasuredSaving, SideFigures, savings_report
from harness.strategies.search import Limits

MOST_SIDES = 40
"""Ways on one page; of more, those of the latest runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The requests of one run and one strategy: what they cost, how fast and how good they were.

    `saving` is against the first way; None for that one itself. `place` is None for a way that cannot stand
    beside the others (`Ways.frontier` says why).
    """

    name: str
    figures: SideFigures
    saving: MeasuredSaving | None
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """All ways, the first one held against.

    Attributes:
        frontier: where each stands, and which to take; None without requests.
        sides_left_out: ways beyond the limit, of the oldest runs.
    """

    ways: tuple[Way, ...]
    frontier: FrontierReport | None
    sides_left_out: int

    @property
    def requests(self) -> int:
        """Of all ways."""
        return sum(way.figures.side.requests for way in self.ways)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPrices:
    """One way's recorded tokens at other prices.

    Attributes:
        unpriced: models asked for that have no price.
    """

    figures: SideFigures
    unpriced: tuple[str, ...]


def ways(
    view: Snapshot, scope: Scope, base: str | None, per_month: int, *, limits: Limits | None = None
) -> Ways:
    """Every run and strategy of the selection, held against one of them.

    Args:
        view: the store.
        scope: which requests.
        base: the name of the way to hold against; None or an unknown name takes the first.
        per_month: requests a month, to project to.
        limits: of the recommendation.
    """
    sides, left_out = _sides(view, scope)
    if not sides:
        return Ways(ways=(), frontier=None, sides_left_out=left_out)
    names = side_names(sides)
    if base in names:
        place = names.index(base)
        order = [place, *(index for index in range(len(sides)) if index != place)]
        sides, names = [sides[i] for i in order], [names[i] for i in order]
    book = PriceBook.configured(os.environ)
    report = savings_report(sides, book, names=names, per_month=per_month, what_if=())
    frontier = frontier_report(sides, names=names, limits=limits)
    places = {place.name: place for place in frontier.places}
    savings: list[MeasuredSaving | None] = [None, *report.savings]
    return Ways(
        ways=tuple(
            Way(name=name, figures=figures, saving=saving, place=places.get(name))
            for name, figures, saving in zip(names, report.sides, savings, strict=True)
        ),
        frontier=frontier,
        sides_left_out=left_out,
    )


def other_prices(view: Snapshot, scope: Scope, name: str, also: tuple[str, ...]) -> OtherPrices:
    """What the recorded tokens of one way would have cost at other models.

    Args:
        view: the store.
        scope: which requests.
        name: of a way.
        also: further models, each `provider/model`.
    """
    sides, _ = _sides(view, scope)
    book = PriceBook.configured(os.environ)
    refs, unpriced = _priced(book, also)
    place = side_names(sides).index(name)
    report = savings_report([sides[place]], book, names=[name], also=refs)
    return OtherPrices(figures=report.sides[0], unpriced=unpriced)


def mixes(view: Snapshot, scope: Scope, limits: Limits) -> FrontierReport:
    """The frontier with the mixes that nobody ran."""
    sides, _ = _sides(view, scope)
    return frontier_report(sides, limits=limits, book=PriceBook.configured(os.environ))


def _sides(view: Snapshot, scope: Scope) -> tuple[list[Side], int]:
    """The sides of the selected runs, oldest run first, and how many older ones are beyond the limit."""
    found = view.rows(f"SELECT run_id FROM {Rows(view, scope).tally.table}")  # noqa: S608 - our own table
    runs = sorted((view.run(run_id) for (run_id,) in found), key=lambda run: (run.started_at, run.run_id))
    sides: list[Side] = []
    for run in reversed(runs):  # the latest first, so that a store of many runs is not read whole
        if len(sides) >= MOST_SIDES:
            break
        sides = [*sides_of(view, run, selection=scope), *sides]
    kept = sides[-MOST_SIDES:]
    seen = {side.run.run_id for side in kept}
    return kept, len(sides) - len(kept) + sum(run.run_id not in seen for run in runs)


def _priced(book: PriceBook, also: tuple[str, ...]) -> tuple[list[ModelRef], tuple[str, ...]]:
    refs: list[ModelRef] = []
    unpriced: list[str] = []
    for name in also:
        provider, _, model = name.partition("/")
        try:
            book.require(provider, model)
            refs.append(ModelRef(provider, model))
        except UnpricedModelError:
            unpriced.append(name)
    return refs, tuple(unpriced)
