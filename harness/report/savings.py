"""What one way of answering saves against another: measured, and what-if at other models' prices.

A side is the requests of one run and one strategy; strategies are never mixed silently. The CLI and the
dashboard both show `savings_report`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from harness.analysis.cluster import clustered_mean
from harness.analysis.difference import Difference
from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.sample import RunFacts, case_of, counted, provider_mode
from harness.analysis.savings import CostOutcome, measured_savings, saving_ratio
from harness.pricing import PriceBook
from harness.pricing.breakdown import CostBreakdown, ModelRef, PricedCall, cost_breakdown
from harness.records import Call, CallOutcome, ProviderMode, Request, Role, RunStatus
from harness.report.run_cost import run_requests

MIN_SHARED_CASES = 10
"""With fewer cases in common than this, two different sets of cases are compared as they are, unpaired."""

_UNFINISHED = {
    RunStatus.TRUNCATED: "TRUNCATED: the budget ended the run before its last case",
    RunStatus.INTERRUPTED: "INTERRUPTED: the run did not reach its last case",
    RunStatus.RUNNING: "STILL RUNNING: figures so far",
    RunStatus.FAILED: "FAILED: the run did not reach its last case",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsSide:
    """The recorded requests of one run and one strategy.

    Attributes:
        strategy: None where the run names none.
        requests: counted ones, warm-ups left out.
    """

    run: RunFacts
    strategy: str | None
    requests: Sequence[Request]
    calls: Sequence[Call]

    @property
    def label(self) -> str:
        """The run's name, and the strategy where there is one."""
        return f"{self.run.name}: {self.strategy}" if self.strategy else self.run.name

    @property
    def mode(self) -> ProviderMode | None:
        """What answered."""
        return provider_mode(self.requests, self.run)

    @property
    def caution(self) -> str | None:
        """Why the figures are not those of a whole run of our own; None when they are."""
        if "imported" in self.run.config:
            return "IMPORTED: outcomes recorded elsewhere, not measured here"
        return _UNFINISHED.get(self.run.status)


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
class SideFigures:
    """What one side cost.

    Attributes:
        priced: requests with a known cost; the others are `unpriced`, left out and counted.
        breakdown: the exact sums, the naive figure, its misstatement and the single-provider alternative.
    """

    side: SavingsSide
    priced: int
    unpriced: int
    cases: int
    total: Volume
    draft: Volume
    repair: Volume
    breakdown: CostBreakdown | None
    what_if: tuple[WhatIf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSaving:
    """What side B saves against side A; positive amounts are savings, negative ones losses.

    Attributes:
        cases_left_out: cases that only one side has, left out so that the rest could be paired.
        warning: what must be said before the figures are believed; None when nothing must.
    """

    a: SavingsSide
    b: SavingsSide
    paired: bool
    total: Volume
    draft: Volume
    repair: Volume
    ratio: Estimate
    unpriced_a: int
    unpriced_b: int
    cases_left_out: int
    warning: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsReport:
    """Every side, and each further side against the first."""

    sides: tuple[SideFigures, ...]
    savings: tuple[MeasuredSaving, ...]
    per_month: int | None
    confidence: float


def savings_sides(
    run: RunFacts, requests: Sequence[Request], calls: Sequence[Call]
) -> tuple[SavingsSide, ...]:
    """The sides of a run: one for each strategy, in the order of the run's configuration, else by name.

    A failed request tells no strategy of its own: in a run of a single strategy it belongs to that one.
    """
    named = {row.strategy for row in requests if row.strategy is not None}
    only = next(iter(named)) if len(named) == 1 else None
    groups: dict[str | None, list[Request]] = {}
    for row in counted(requests):
        groups.setdefault(row.strategy or only, []).append(row)
    listed = [str(name) for name in run.config.get("strategies") or ()]
    place = {name: index for index, name in enumerate(listed)}
    ordered = sorted(groups, key=lambda name: (place.get(name or "", len(place)), name or ""))
    sides = []
    for name in ordered:
        ids = {row.request_id for row in groups[name]}
        own = [call for call in calls if call.request_id in ids]
        sides.append(SavingsSide(run=run, strategy=name, requests=groups[name], calls=own))
    return tuple(sides)


def savings_report(
    sides: Sequence[SavingsSide],
    book: PriceBook,
    *,
    per_month: int | None = None,
    also: Sequence[ModelRef] = (),
    confidence: float = DEFAULT_CONFIDENCE,
) -> SavingsReport:
    """What each side cost, what each further one saves against the first, and what-if prices.

    Args:
        sides: the first is the one to save against.
        book: prices for naive, single-provider and what-if figures, at each call's own time.
        per_month: requests a month, for the monthly figures; None leaves them out.
        also: models for the what-if cells besides those that were used.
        confidence: of each interval.

    Raises:
        UnpricedModelError: a model in `also` has no price.
    """
    for ref in also:
        book.require(ref.provider, ref.model, local=ref.local)
    return SavingsReport(
        sides=tuple(_figures(side, book, per_month, also, confidence) for side in sides),
        savings=tuple(_measured(sides[0], side, per_month, confidence) for side in sides[1:]),
        per_month=per_month,
        confidence=confidence,
    )


def cost_outcomes(requests: Sequence[Request], calls: Sequence[Call]) -> list[CostOutcome]:
    """Draft and repair cost of each counted request: its own columns, else the sum of its attempts.

    A request is unknown when any of its attempts is; judges and refused attempts are no part of it.
    """
    by_request: dict[str, list[Call]] = {}
    for call in calls:
        if call.outcome is not CallOutcome.REFUSED and call.role is not Role.JUDGE:
            by_request.setdefault(call.request_id, []).append(call)
    return [_outcome(row, by_request.get(row.request_id, [])) for row in counted(requests)]


def _outcome(row: Request, calls: Sequence[Call]) -> CostOutcome:
    draft = repair = None
    if row.cost_usd is not None and row.draft_cost_usd is not None:
        draft, repair = row.draft_cost_usd, row.cost_usd - row.draft_cost_usd
    elif calls and all(call.cost_usd is not None for call in calls):
        spent = [(call.role, call.cost_usd) for call in calls if call.cost_usd is not None]
        repair = sum((cost for role, cost in spent if role is Role.REPAIR), Decimal(0))
        draft = sum((cost for role, cost in spent if role is not Role.REPAIR), Decimal(0))
    return CostOutcome(case=case_of(row), draft_usd=draft, repair_usd=repair)


def _figures(
    side: SavingsSide, book: PriceBook, per_month: int | None, also: Sequence[ModelRef], confidence: float
) -> SideFigures:
    outcomes = cost_outcomes(side.requests, side.calls)
    known = [(o.case, o.draft_usd, o.repair_usd) for o in outcomes if o.draft_usd is not None]
    cases = [case for case, _, _ in known]
    drafts = [draft or Decimal(0) for _, draft, _ in known]
    repairs = [repair or Decimal(0) for _, _, repair in known]

    def volume(amounts: Sequence[Decimal]) -> Volume:
        return _volume(
            clustered_mean([float(usd) for usd in amounts], cases, confidence=confidence), per_month
        )

    spent = run_requests(side.requests, side.calls)
    return SideFigures(
        side=side,
        priced=len(known),
        unpriced=len(outcomes) - len(known),
        cases=len(set(cases)),
        total=volume([draft + repair for draft, repair in zip(drafts, repairs, strict=True)]),
        draft=volume(drafts),
        repair=volume(repairs),
        breakdown=cost_breakdown(spent, book, also=also) if spent else None,
        what_if=_what_if(side, book, also, confidence),
    )


def _what_if(
    side: SavingsSide, book: PriceBook, also: Sequence[ModelRef], confidence: float
) -> tuple[WhatIf, ...]:
    """Every draft x repair cell of the models used and asked for, over the fully known requests."""
    by_case = _known_requests(side)
    refs = list(dict.fromkeys([*(c.ref for _, calls in by_case for c in calls), *also]))
    names = [case for case, _ in by_case]
    paid = [sum((c.priced.cost_usd or Decimal(0) for c in calls), Decimal(0)) for _, calls in by_case]
    actual = _grouped(names, paid)
    drafts = {ref: _at_prices(by_case, ref, book, repairs=False) for ref in refs}
    repairs = {ref: _at_prices(by_case, ref, book, repairs=True) for ref in refs}
    cells = []
    for draft, of_draft in drafts.items():
        for repair, of_repair in repairs.items():
            if of_draft is None or of_repair is None:
                continue  # no price for one of the models at some call's time: no cell
            costs = [x + y for x, y in zip(of_draft, of_repair, strict=True)]
            cells.append(
                WhatIf(
                    draft=draft,
                    repair=repair,
                    cost_per_request=clustered_mean([float(c) for c in costs], names, confidence=confidence),
                    saving=saving_ratio(actual, _grouped(names, costs), confidence=confidence),
                )
            )
    return tuple(sorted(cells, key=lambda cell: cell.cost_per_request.value or 0.0))


def _known_requests(side: SavingsSide) -> list[tuple[str, list[PricedCall]]]:
    """(case, calls) of the requests whose every attempt has tokens and a cost."""
    by_request: dict[str, list[Call]] = {}
    for call in side.calls:
        by_request.setdefault(call.request_id, []).append(call)
    found = []
    for row in side.requests:
        found += [(case_of(row), calls) for calls in run_requests([row], by_request.get(row.request_id, []))]
    return [(case, calls) for case, calls in found if _is_known(calls)]


def _is_known(calls: Sequence[PricedCall]) -> bool:
    return bool(calls) and all(c.usage is not None and c.priced.cost_usd is not None for c in calls)


def _at_prices(
    by_case: Sequence[tuple[str, list[PricedCall]]], ref: ModelRef, book: PriceBook, *, repairs: bool
) -> list[Decimal] | None:
    """What each request's drafts (or repairs) would have cost at one model; None without a price."""
    totals = []
    for _, calls in by_case:
        total = Decimal(0)
        for call in calls:
            if (call.role is Role.REPAIR) is not repairs:
                continue
            cost = book.cost_usd(
                ref.provider, ref.model, call.usage, at=call.at, context=call.context, local=ref.local
            )
            if cost is None:
                return None
            total += cost
        totals.append(total)
    return totals


def _grouped(names: Sequence[str], amounts: Sequence[Decimal]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for name, amount in zip(names, amounts, strict=True):
        groups.setdefault(name, []).append(float(amount))
    return groups


def _measured(a: SavingsSide, b: SavingsSide, per_month: int | None, confidence: float) -> MeasuredSaving:
    first, second = cost_outcomes(a.requests, a.calls), cost_outcomes(b.requests, b.calls)
    known_a = {row.case for row in first if row.draft_usd is not None}
    known_b = {row.case for row in second if row.draft_usd is not None}
    shared, left_out = known_a & known_b, 0
    if len(shared) >= MIN_SHARED_CASES and known_a != known_b:
        left_out = len(known_a ^ known_b)
        first = [row for row in first if row.case in shared or row.draft_usd is None]
        second = [row for row in second if row.case in shared or row.draft_usd is None]
    found = measured_savings(first, second, confidence=confidence)
    return MeasuredSaving(
        a=a,
        b=b,
        paired=found.total.paired,
        total=_volume(_saved(found.total), per_month),
        draft=_volume(_saved(found.draft), per_month),
        repair=_volume(_saved(found.repair), per_month),
        ratio=found.saving_ratio,
        unpriced_a=found.excluded_a,
        unpriced_b=found.excluded_b,
        cases_left_out=left_out,
        warning=_warning(a, b),
    )


def _saved(difference: Difference) -> Estimate:
    """A difference of costs (B - A) as what is saved (A - B)."""
    return Estimate(
        value=None if difference.value is None else -difference.value,
        low=None if difference.high is None else -difference.high,
        high=None if difference.low is None else -difference.low,
        confidence=difference.confidence,
        method=difference.method,
        n=difference.n_b,
    )


def _volume(per_request: Estimate, per_month: int | None) -> Volume:
    return Volume(
        per_request=per_request,
        per_1000=_times(per_request, 1000),
        per_month=None if per_month is None else _times(per_request, per_month),
    )


def _times(estimate: Estimate, factor: int) -> Estimate:
    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    return replace(
        estimate, value=scaled(estimate.value), low=scaled(estimate.low), high=scaled(estimate.high)
    )


def _warning(a: SavingsSide, b: SavingsSide) -> str | None:
    said = []
    if a.mode is not b.mode:
        modes = [side.mode.value if side.mode is not None else "unknown" for side in (a, b)]
        said.append(f"A was answered by {modes[0]} providers, B by {modes[1]}")
    said += sorted({side.caution for side in (a, b) if side.caution is not None})
    return "; ".join(said) or None
