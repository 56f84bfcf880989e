"""What one way of answering saves against another, by the figures of `harness savings`."""

import os
from collections import defaultdict
from dataclasses import dataclass, replace

from dashboard.queries.latency import GroupLatency, latency_figures
from dashboard.queries.quality import GroupQuality, group_quality
from dashboard.queries.records import scoped_records
from dashboard.scope import Scope
from harness.analysis import Estimate
from harness.analysis.frontier import Candidate
from harness.errors import UnpricedModelError
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.records import Call, Request
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

    `saving` is against the first way; None for that one itself.
    """

    name: str
    figures: SideFigures
    saving: MeasuredSaving | None
    latency: GroupLatency | None
    quality: GroupQuality | None

    def candidate(self) -> Candidate:
        """Its cost, p95 and share of the high tier, for the frontier."""
        cost = self.figures.total.per_request
        unknown = replace(cost, value=None, low=None, high=None, n=0)
        return Candidate(
            name=self.name,
            cost_usd=cost,
            p95_ms=_p95(self.latency, unknown),
            quality=self.quality.high if self.quality else unknown,
            n=self.figures.priced,
        )

    @property
    def per_high_tier_usd(self) -> float | None:
        """What one answer of the high tier costs: mean cost over the share of the high tier."""
        cost = self.figures.total.per_request.value
        share = self.quality.high.value if self.quality else None
        return None if cost is None or not share else cost / share


def _p95(latency: GroupLatency | None, unknown: Estimate) -> Estimate:
    if latency is None:
        return unknown
    figure, bounds = latency.quantiles[1], latency.intervals[1]
    return replace(
        unknown,
        value=figure.value_ms,
        low=bounds.low_ms if bounds else None,
        high=bounds.high_ms if bounds else None,
        n=figure.n,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """All ways, the first one held against.

    Attributes:
        left_out: requests beyond the limit.
        sides_left_out: ways beyond the limit, of the oldest runs.
        unpriced: models asked for that have no price.
    """

    ways: tuple[Way, ...]
    report: SavingsReport | None
    left_out: int
    sides_left_out: int
    unpriced: tuple[str, ...]


def ways(view: Snapshot, scope: Scope, base: str | None, per_month: int, also: tuple[str, ...]) -> Ways:
    """Every run and strategy of the selection, held against one of them.

    Args:
        view: the store.
        scope: which requests.
        base: the name of the way to hold against; None or an unknown name takes the first.
        per_month: requests a month, to project to.
        also: further models for the what-if cells, each `provider/model`.
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
    found = () if report is None else tuple(_ways(view, scope, report, names))
    return Ways(
        ways=found,
        report=report,
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


def side_names(sides: list[SavingsSide]) -> list[str]:
    """The shortest names that tell them apart: the strategy, the run, or both."""
    one_run = len({side.run.run_id for side in sides}) == 1
    strategies = [side.strategy or side.run.name for side in sides]
    runs = [side.run.name for side in sides]
    for names in (strategies,) if one_run else (runs, [side.label for side in sides]):
        if len(set(names)) == len(names):
            return names
    return [f"{side.label} ({side.run.run_id})" for side in sides]


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


def _ways(view: Snapshot, scope: Scope, report: SavingsReport, names: list[str]) -> list[Way]:
    savings: list[MeasuredSaving | None] = [None, *report.savings]
    found = []
    for name, figures, saving in zip(names, report.sides, savings, strict=True):
        own = replace(scope, run_ids=(figures.side.run.run_id,))
        if figures.side.strategy is not None:
            own = replace(own, strategies=(figures.side.strategy,))
        latency = latency_figures(view, own).groups
        quality = group_quality(view, own, "all")
        found.append(
            Way(
                name=name,
                figures=figures,
                saving=saving,
                latency=latency[0] if latency else None,
                quality=quality[0] if quality else None,
            )
        )
    return found
