"""Draft and repair priced apart, and what the naive method and each single provider would have said.

The naive method charges all tokens at the draft model's price. Cost, naive figure and alternatives are
always taken over the same requests: those whose every call has a known cost. The others are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from harness.pricing.book import PriceBook
from harness.pricing.catalogue import STANDARD
from harness.pricing.quote import Priced
from harness.pricing.rates import money_usd
from harness.records import NO_TERMS, Call, Role, ServedTerms, Usage

_RATIO_DIGITS = Decimal("1e-10")
_DRAFT_ROLES = frozenset({Role.DRAFT, Role.SUGGEST})


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model at a provider; `local` means free of charge by declaration."""

    provider: str
    model: str
    local: bool = False

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCall:
    """One call of a request with its cost; `usage` None when the provider never told it.

    `served_model` is the model that answered, where that is known, and `terms` what else the bill rests on.
    """

    role: Role
    ref: ModelRef
    usage: Usage | None
    priced: Priced
    at: datetime
    context: str = STANDARD
    served_model: str | None = None
    terms: ServedTerms = NO_TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """All calls at one model. `saving_ratio` is what the real mix saves against it (negative: costs more).

    `cost_ratio` is its cost over the real one. None where unknown: no price, or a real cost of 0.
    """

    ref: ModelRef
    cost_usd: Decimal | None
    saving_ratio: Decimal | None
    cost_ratio: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBreakdown:
    """The sums of one request, or of all requests of a run.

    `draft_cost_usd`, `repair_cost_usd` and `cost_usd` are None when they contain a call of unknown cost
    (`repair_cost_usd` also when nothing was repaired); `known_cost_usd` is the sum of the known ones,
    None when there is none.
    `compared_cost_usd` is what the `n_compared` fully known requests cost, and the base of every comparison:
    `saving_ratio` = 1 - compared / single provider, `misstatement_ratio` = naive / compared - 1.
    """

    n_requests: int
    n_compared: int
    draft_cost_usd: Decimal | None
    repair_cost_usd: Decimal | None
    cost_usd: Decimal | None
    known_cost_usd: Decimal | None
    unpriced_calls: int
    compared_cost_usd: Decimal
    naive_cost_usd: Decimal | None
    misstatement_ratio: Decimal | None
    single_provider_cost_usd: Decimal | None
    saving_ratio: Decimal | None
    mixed_providers: bool | None
    alternatives: tuple[Alternative, ...]


def price_call(
    book: PriceBook, role: Role, ref: ModelRef, usage: Usage, *, at: datetime, context: str = STANDARD
) -> PricedCall:
    """A planned call, priced by the book."""
    priced = book.price(ref.provider, ref.model, usage, at=at, context=context, local=ref.local)
    return PricedCall(role=role, ref=ref, usage=usage, priced=priced, at=at, context=context)


def usage_of(call: Call) -> Usage | None:
    """A recorded attempt's tokens; None when the provider never told them."""
    return told_usage(
        call.input_tokens,
        call.output_tokens,
        call.cache_read_tokens,
        (call.cache_write_5m_tokens, call.cache_write_1h_tokens),
        call.reasoning_tokens,
    )


def told_usage(
    input_tokens: int | None,
    output_tokens: int | None,
    cache_read_tokens: int | None,
    cache_write_tokens: tuple[int | None, int | None],
    reasoning_tokens: int | None,
) -> Usage | None:
    """Recorded tokens, cache writes for 5 minutes and for an hour; None without the two totals.

    Raises:
        ValueError: parts that exceed their whole.
    """
    if input_tokens is None or output_tokens is None:
        return None
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cache_read_tokens or 0,
        cache_write_5m_tokens=cache_write_tokens[0] or 0,
        cache_write_1h_tokens=cache_write_tokens[1] or 0,
        reasoning_tokens=reasoning_tokens or 0,
    )


def cost_breakdown(
    requests: Sequence[Sequence[PricedCall]], book: PriceBook, *, also: Sequence[ModelRef] = ()
) -> CostBreakdown:
    """Take the cost of requests apart.

    Args:
        requests: for each request its calls, drafts and repairs, every attempt.
        book: prices the naive figure and the alternatives, at each call's own time and context.
        also: models to compare with besides those that were used.

    Raises:
        UnpricedModelError: a model in `also` has no price.
    """
    for ref in also:
        book.require(ref.provider, ref.model, local=ref.local)
    calls = tuple(call for request in requests for call in request)
    compared = [r for r in requests if r and all(_is_comparable(call) for call in r)]
    drafts = [c for c in calls if c.role in _DRAFT_ROLES]
    repairs = [c for c in calls if c.role is Role.REPAIR]
    refs = dict.fromkeys([*(c.ref for c in [*drafts, *repairs]), *also])
    return breakdown_of(
        n_requests=len(requests),
        n_compared=len(compared),
        draft_cost_usd=_sum_or_none(drafts),
        repair_cost_usd=_sum_or_none(repairs) if repairs else None,
        known_cost_usd=_sum_known(calls) if any(c.priced.cost_usd is not None for c in calls) else None,
        unpriced_calls=sum(call.priced.cost_usd is None for call in calls),
        compared_cost_usd=_sum_known([call for request in compared for call in request]),
        naive_cost_usd=_naive_cost_usd(compared, book),
        at_models={ref: _cost_at_model(ref, compared, book) for ref in refs},
        draft_refs=frozenset(c.ref for c in drafts),
        mixed_providers=_mixed(requests),
    )


def breakdown_of(
    *,
    n_requests: int,
    n_compared: int,
    draft_cost_usd: Decimal | None,
    repair_cost_usd: Decimal | None,
    known_cost_usd: Decimal | None,
    unpriced_calls: int,
    compared_cost_usd: Decimal,
    naive_cost_usd: Decimal | None,
    at_models: Mapping[ModelRef, Decimal | None],
    draft_refs: frozenset[ModelRef],
    mixed_providers: bool | None,
) -> CostBreakdown:
    """The ratios to sums that somebody added up.

    Args:
        n_requests: all.
        n_compared: those fully known, the base of every comparison.
        draft_cost_usd: of all drafts; None when one is unknown.
        repair_cost_usd: of all repairs; None when one is unknown, or there is none.
        known_cost_usd: of all calls with a cost; None without any.
        unpriced_calls: the others.
        compared_cost_usd: of the compared requests.
        naive_cost_usd: of the compared requests, all tokens at the draft's price.
        at_models: of the compared requests, all calls at each model; None without a price.
        draft_refs: the models that drafted.
        mixed_providers: as in `CostBreakdown`.
    """
    alternatives = tuple(_alternative(ref, cost, compared_cost_usd) for ref, cost in at_models.items())
    single = next((a for a in alternatives if draft_refs == {a.ref}), None)
    return CostBreakdown(
        n_requests=n_requests,
        n_compared=n_compared,
        draft_cost_usd=draft_cost_usd,
        repair_cost_usd=repair_cost_usd,
        cost_usd=None if unpriced_calls else known_cost_usd,
        known_cost_usd=known_cost_usd,
        unpriced_calls=unpriced_calls,
        compared_cost_usd=compared_cost_usd,
        naive_cost_usd=naive_cost_usd,
        misstatement_ratio=_minus_one(ratio(naive_cost_usd, compared_cost_usd)),
        single_provider_cost_usd=single.cost_usd if single else None,
        saving_ratio=single.saving_ratio if single else None,
        mixed_providers=mixed_providers,
        alternatives=alternatives,
    )


def ratio(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """The quotient to ten decimal places, without trailing zeros; None when either is unknown or by 0."""
    if part is None or not whole:
        return None
    with localcontext(prec=60):
        return Decimal(format((part / whole).quantize(_RATIO_DIGITS).normalize(), "f"))


def _alternative(ref: ModelRef, cost_usd: Decimal | None, compared_cost_usd: Decimal) -> Alternative:
    saved = _minus_one(ratio(compared_cost_usd, cost_usd))
    return Alternative(
        ref=ref,
        cost_usd=cost_usd,
        saving_ratio=None if saved is None else -saved,
        cost_ratio=ratio(cost_usd, compared_cost_usd),
    )


def _cost_at_model(
    ref: ModelRef, compared: Sequence[Sequence[PricedCall]], book: PriceBook
) -> Decimal | None:
    return _total([_cost_at(ref, call, call.usage, book) for request in compared for call in request])


def _naive_cost_usd(compared: Sequence[Sequence[PricedCall]], book: PriceBook) -> Decimal | None:
    costs = []
    for request in compared:
        draft = next((c for c in request if c.role in _DRAFT_ROLES), None)
        usage = _added([c.usage for c in request if c.usage])
        costs.append(_cost_at(draft.ref, draft, usage, book) if draft else None)
    return _total(costs)


def _total(costs: Sequence[Decimal | None]) -> Decimal | None:
    known = [cost for cost in costs if cost is not None]
    return money_usd(sum(known, Decimal(0))) if costs and len(known) == len(costs) else None


def _cost_at(ref: ModelRef, like: PricedCall, usage: Usage | None, book: PriceBook) -> Decimal | None:
    """A call's tokens at a model's price: at its own, on the terms that it was served on."""
    is_own = ref == like.ref
    served = like.served_model if is_own else None
    return book.cost_usd(
        ref.provider,
        book.charged_model(ref.provider, ref.model, served),
        usage,
        at=like.at,
        context=like.context,
        terms=like.terms if ref.provider == like.ref.provider else like.terms.elsewhere(),
        local=ref.local,
    )


def _added(usages: Sequence[Usage]) -> Usage:
    return Usage(
        input_tokens=sum(u.input_tokens for u in usages),
        output_tokens=sum(u.output_tokens for u in usages),
        cache_read_tokens=sum(u.cache_read_tokens for u in usages),
        cache_write_5m_tokens=sum(u.cache_write_5m_tokens for u in usages),
        cache_write_1h_tokens=sum(u.cache_write_1h_tokens for u in usages),
        reasoning_tokens=sum(u.reasoning_tokens for u in usages),
    )


def _mixed(requests: Sequence[Sequence[PricedCall]]) -> bool | None:
    """True when some request repaired elsewhere than it drafted, by each role's last call."""
    pairs = []
    for request in requests:
        drafted = [c.ref.provider for c in request if c.role in _DRAFT_ROLES]
        repaired = [c.ref.provider for c in request if c.role is Role.REPAIR]
        if drafted and repaired:
            pairs.append((drafted[-1], repaired[-1]))
    return any(draft != repair for draft, repair in pairs) if pairs else None


def _is_comparable(call: PricedCall) -> bool:
    return call.priced.cost_usd is not None and call.usage is not None


def _sum_known(calls: Sequence[PricedCall]) -> Decimal:
    return money_usd(sum((c.priced.cost_usd for c in calls if c.priced.cost_usd is not None), Decimal(0)))


def _sum_or_none(calls: Sequence[PricedCall]) -> Decimal | None:
    return None if any(c.priced.cost_usd is None for c in calls) else _sum_known(calls)


def _minus_one(value: Decimal | None) -> Decimal | None:
    return None if value is None else value - 1
