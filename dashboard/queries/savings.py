"""What one way of answering saves against another, by the figures of `harness savings`."""

import os
from collections import defaultdict
from dataclasses import dataclass

from dashboard.frame.scope import Scope
from dashboard.queries.records import scoped_records
from harness.errors import UnpricedModelError
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.records import Call, Request
from harness.report.comparable import comparable_sides, side_names
from harness.report.frontier import FrontierReport, Limits, Place, frontier_report
from harness.report.replay import Replay, replayed_cascades
from harness.report.savings import (
    MeasuredSaving,
    SavingsReport,
    SavingsSide,
    SideFigures,
    savings_report,
    savings_sides,
)
from harness.store import Snapshot

MOST_REQUESTS = 10_000
"""Requests compared one by one at most; of more, the latest so many."""

MOST_SIDES = 12


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
        replays: what cascades of two of them would have come to.
        left_out: requests beyond the limit.
        sides_left_out: ways beyond the limit, of the oldest runs.
        unpriced: models asked for that have no price.
    """

    ways: tuple[Way, ...]
    report: SavingsReport | None
    frontier: FrontierReport | None
    replays: tuple[Replay, ...]
    left_out: int
    sides_left_out: int
    unpriced: tuple[str, ...]


def ways(
    view: Snapshot,
    scope: Scope,
    base: str | None,
    per_month: int,
    also: tuple[str, ...],
    *,
    limits: Limits | None = None,
) -> Ways:
    """Every run and strategy of the selection, held against one of them.

    Args:
        view: the store.
        scope: which requests.
        base: the name of the way to hold against; None or an unknown name takes the first.
        per_month: requests a month, to project to.
        also: further models for the what-if cells, each `provider/model`.
        limits: of the recommendation.
    """
    records = scoped_records(view, scope, limit=MOST_REQUESTS)
    sides = _sides(view, records.requests, records.calls)
    shown = sides[-MOST_SIDES:]
    names = side_names(shown)
    if base in names:
        place = names.index(base)
        order = [place, *(index for index in range(len(shown)) if index != place)]
        shown, names = [shown[i] for i in order], [names[i] for i in order]
    book = PriceBook.configured(os.environ)
    refs, unpriced = _priced(book, also)
    report = savings_report(shown, book, per_month=per_month, also=refs) if shown else None
    frontier = frontier_report(shown, names=names, limits=limits) if shown else None
    return Ways(
        ways=() if report is None or frontier is None else tuple(_ways(report, frontier, names)),
        report=report,
        frontier=frontier,
        replays=replayed_cascades(comparable_sides(shown, names=names).sides),
        left_out=records.left_out,
        sides_left_out=len(sides) - len(shown),
        unpriced=unpriced,
    )


def _sides(view: Snapshot, requests: tuple[Request, ...], calls: tuple[Call, ...]) -> list[SavingsSide]:
    """The sides of the selected runs, oldest run first."""
    rows: dict[str, list[Request]] = defaultdict(list)
    for row in requests:
        rows[row.run_id].append(row)
    attempts: dict[str | None, list[Call]] = defaultdict(list)
    for call in calls:
        attempts[call.run_id].append(call)
    runs = sorted((view.run(run_id) for run_id in rows), key=lambda run: (run.started_at, run.run_id))
    return [side for run in runs for side in savings_sides(run, rows[run.run_id], attempts[run.run_id])]


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


def _ways(report: SavingsReport, frontier: FrontierReport, names: list[str]) -> list[Way]:
    savings: list[MeasuredSaving | None] = [None, *report.savings]
    places = {place.name: place for place in frontier.places}
    return [
        Way(name=name, figures=figures, saving=saving, place=places.get(name))
        for name, figures, saving in zip(names, report.sides, savings, strict=True)
    ]
