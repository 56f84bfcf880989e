"""What one way of answering saves against another: measured, and what-if at other models' prices.

A side is the requests of one run and one strategy; strategies are never mixed silently.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.combinations import products_of
from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, no_estimate, simultaneous_confidence
from harness.analysis.moments import mean_estimate
from harness.analysis.shift import saving_from
from harness.figures import figure_named
from harness.figures.differences import Pair
from harness.figures.measure import measure_all
from harness.figures.sides import Side, comparability, side_names
from harness.pricing import PriceBook
from harness.pricing.breakdown import CostBreakdown, ModelRef
from harness.records import ProviderMode, RunStatus
from harness.strategies.attempts import Recorded, recorded_attempts
from harness.strategies.clusters import request_clusters
from harness.strategies.repricing import AtModel, Repricing
from harness.strategies.run_cost import breakdown_from

COSTS = ("cost_per_request", "draft_cost_per_request", "repair_cost_per_request")
_USD_A_UNIT = 1e-10
_THOUSAND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """An amount a request, and the same a thousand requests and a month (None without a volume); USD."""

    per_request: Estimate
    per_1000: Estimate
    per_month: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The same recorded tokens, drafts at one model's prices and repairs at another's.

    `saving` is of this cell against what was really paid: positive when the cell is cheaper.
    """

    draft: ModelRef
    repair: ModelRef
    cost_per_request: Estimate
    saving: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFacts:
    """Who a side is.

    Attributes:
        name: tells it from the others.
        label: run and strategy.
        cautions: why its figures are not those of a whole, sound run of our own.
    """

    name: str
    label: str
    run_id: str
    run_name: str
    run_status: RunStatus
    strategy: str | None
    mode: ProviderMode | None
    requests: int
    cautions: tuple[str, ...]


def side_facts(side: Side, name: str) -> SideFacts:
    """What is left of a side when its snapshot is closed."""
    return SideFacts(
        name=name,
        label=side.label,
        run_id=side.run.run_id,
        run_name=side.run.name,
        run_status=side.run.status,
        strategy=side.strategy,
        mode=side.mode,
        requests=side.rows.n,
        cautions=side.cautions,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFigures:
    """What one side cost.

    Attributes:
        priced: requests with a known cost; the others are `unpriced`, left out and counted.
        breakdown: the exact sums, the naive figure, its misstatement and the single-provider alternative;
            None where nothing was asked.
        what_if: cheapest first.
        no_what_if: why there is none.
    """

    side: SideFacts
    priced: int
    unpriced: int
    cases: int
    total: Volume
    draft: Volume
    repair: Volume
    breakdown: CostBreakdown | None
    what_if: tuple[WhatIf, ...]
    no_what_if: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSaving:
    """What side B saves against side A; positive amounts are savings, negative ones losses.

    Attributes:
        cases_left_out: cases that only one side has, left out so that the rest could be paired.
        refused: why the two cannot be compared, and no figure is known; None where they can.
        warning: what must be said before the figures are believed; None when nothing must.
    """

    a: SideFacts
    b: SideFacts
    paired: bool
    total: Volume
    draft: Volume
    repair: Volume
    ratio: Estimate
    unpriced_a: int
    unpriced_b: int
    cases_left_out: int
    refused: str | None
    warning: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsReport:
    """Every side, and each further side against the first.

    Attributes:
        confidence: of each side's own intervals.
        decided_at: of each saving's, so that all savings hold together with `confidence` (Bonferroni).
    """

    sides: tuple[SideFigures, ...]
    savings: tuple[MeasuredSaving, ...]
    per_month: int | None
    confidence: float
    decided_at: float


def savings_report(
    sides: Sequence[Side],
    book: PriceBook,
    *,
    names: Sequence[str] | None = None,
    per_month: int | None = None,
    also: Sequence[ModelRef] = (),
    confidence: float = DEFAULT_CONFIDENCE,
    what_if: Collection[str] | None = None,
) -> SavingsReport:
    """What each side cost, what each further one saves against the first, and what-if prices.

    Args:
        sides: the first is the one to save against.
        book: prices for naive, single-provider and what-if figures, at each call's own time.
        names: of the sides; None makes the shortest that tell them apart.
        per_month: requests a month, for the monthly figures; None leaves them out.
        also: models for the what-if cells besides those that were used.
        confidence: of each interval of a side, and of all savings together.
        what_if: names of the sides to price otherwise, which takes most of the time; None is all of them.

    Raises:
        UnpricedModelError: a model in `also` has no price.
    """
    for ref in also:
        book.require(ref.provider, ref.model, local=ref.local)
    named = list(zip(names or side_names(sides), sides, strict=True))
    decided_at = simultaneous_confidence(confidence, max(1, len(named) - 1))
    return SavingsReport(
        sides=tuple(
            _figures(
                name,
                side,
                _priced_otherwise(side, book, also, confidence)
                if what_if is None or name in what_if
                else _Otherwise(),
                per_month,
                confidence,
            )
            for name, side in named
        ),
        savings=tuple(
            measured_saving(named[0], other, per_month=per_month, confidence=decided_at)
            for other in named[1:]
        ),
        per_month=per_month,
        confidence=confidence,
        decided_at=decided_at,
    )


def measured_saving(
    first: tuple[str, Side],
    second: tuple[str, Side],
    *,
    per_month: int | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
) -> MeasuredSaving:
    """What the second side saves against the first, case by case where both have the same cases.

    Args:
        first: name and side.
        second: likewise.
        per_month: requests a month, to project to.
        confidence: of each interval.
    """
    (_, a), (_, b) = first, second
    found = comparability(a, b)
    unpriced = [_unpriced(side, confidence) for side in (a, b)]
    none = _volume(no_estimate("none", confidence=confidence), per_month)
    total, draft, repair = none, none, none
    ratio, paired, left_out = no_estimate("none", confidence=confidence), False, 0
    if found.refused is None:
        pair = Pair(a.rows, b.rows, COSTS)
        shifts = pair.shifts(confidence)
        total, draft, repair = (_volume(shift.change.negated(), per_month) for shift in shifts)
        ratio, paired, left_out = pair.saving(confidence), shifts[0].paired, pair.cases[1]
    return MeasuredSaving(
        a=side_facts(a, first[0]),
        b=side_facts(b, second[0]),
        paired=paired,
        total=total,
        draft=draft,
        repair=repair,
        ratio=ratio,
        unpriced_a=unpriced[0],
        unpriced_b=unpriced[1],
        cases_left_out=left_out,
        refused=found.refused,
        warning="; ".join([*([found.refused] if found.refused else []), *found.cautions]) or None,
    )


def _unpriced(side: Side, confidence: float) -> int:
    cost = measure_all(side.rows, [figure_named(COSTS[0])], confidence=confidence).get(COSTS[0])
    return 0 if cost is None else cost.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Otherwise:
    """A side's tokens at other prices."""

    breakdown: CostBreakdown | None = None
    cells: tuple[WhatIf, ...] = ()
    why_none: str | None = None


def _priced_otherwise(side: Side, book: PriceBook, also: Sequence[ModelRef], confidence: float) -> _Otherwise:
    recorded = recorded_attempts(side.rows)
    if not recorded.requests:
        return _Otherwise(why_none="no request tells which models it used")
    repricing = Repricing(recorded, book, request_clusters(side.rows, recorded.keys))
    at_models = repricing.at_each(also)
    cells, why_none = _what_if(recorded, repricing, at_models, confidence)
    return _Otherwise(breakdown=breakdown_from(repricing, at_models, book), cells=cells, why_none=why_none)


def _figures(
    name: str, side: Side, otherwise: _Otherwise, per_month: int | None, confidence: float
) -> SideFigures:
    found = measure_all(side.rows, [figure_named(cost) for cost in COSTS], confidence=confidence)
    total, draft, repair = (found.get(cost, no_estimate("t", confidence=confidence)) for cost in COSTS)
    return SideFigures(
        side=side_facts(side, name),
        priced=total.n,
        unpriced=total.unknown,
        cases=_cases(side),
        total=_volume(total, per_month),
        draft=_volume(draft, per_month),
        repair=_volume(repair, per_month),
        breakdown=otherwise.breakdown,
        what_if=otherwise.cells,
        no_what_if=otherwise.why_none,
    )


def _cases(side: Side) -> int:
    """Cases asked; a request without a case is one of its own."""
    ((told, alone),) = side.rows.rows(
        "SELECT count(DISTINCT case_id), count(CASE WHEN case_id IS NULL THEN 1 END) FROM counted"
    )
    return int(told + alone)


def _what_if(
    recorded: Recorded, repricing: Repricing, at_models: Sequence[AtModel], confidence: float
) -> tuple[tuple[WhatIf, ...], str | None]:
    """Every draft x repair cell over the fully known requests; a role of several models is not re-priced."""
    mixing = recorded.mixing_roles()
    if mixing:
        return (), (
            f"some requests asked several models for one {mixing[0].value}: "
            "at one model's prices they would not have asked so often"
        )
    drafts = [own for own in at_models if own.draft is not None]
    repairs = [own for own in at_models if own.repair is not None]
    columns = [own.draft for own in drafts] + [own.repair for own in repairs] + [repricing.paid]
    exact = [column.astype(np.float64) for column in columns if column is not None]
    products = products_of(exact, repricing.counts)
    if not products.n:
        return (), "no request has a known cost and known tokens"
    paid = {len(exact) - 1: 1.0}
    cells = []
    for d, draft in enumerate(drafts):
        for r, repair in enumerate(repairs):
            both = {d: 1.0, len(drafts) + r: 1.0}
            units = mean_estimate(products.moments(both), confidence=confidence, least=0.0)
            saving = saving_from(products.moments(both, paid), confidence=confidence)
            cells.append(
                WhatIf(
                    draft=draft.ref,
                    repair=repair.ref,
                    cost_per_request=units.scaled(_USD_A_UNIT),
                    saving=saving,
                )
            )
    return tuple(sorted(cells, key=lambda cell: cell.cost_per_request.value or 0.0)), None


def _volume(per_request: Estimate, per_month: int | None) -> Volume:
    return Volume(
        per_request=per_request,
        per_1000=per_request.scaled(_THOUSAND),
        per_month=None if per_month is None else per_request.scaled(per_month),
    )
