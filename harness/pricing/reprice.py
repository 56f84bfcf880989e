"""A past run at other prices: what was recorded beside what it would be, nothing recorded touched."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from harness.pricing.book import DECLARED, PriceBook
from harness.pricing.breakdown import usage_of
from harness.pricing.quote import Priced
from harness.pricing.rates import money_usd
from harness.records import Call, CallOutcome, terms_from


@dataclass(frozen=True, slots=True, kw_only=True)
class RepricedRow:
    """The calls of one role at one model. A total leaves out its unpriced calls and counts them."""

    role: str
    provider: str
    model: str
    calls: int
    old_cost_usd: Decimal
    old_unpriced: int
    new_cost_usd: Decimal
    new_unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepricedRun:
    """Old and new totals. `change_usd` is over the `compared_calls` that both price; None without any."""

    rows: tuple[RepricedRow, ...]
    calls: int
    old_cost_usd: Decimal
    old_unpriced: int
    new_cost_usd: Decimal
    new_unpriced: int
    compared_calls: int
    change_usd: Decimal | None
    old_prices: tuple[str, ...]
    new_prices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    call: Call
    new_usd: Decimal | None
    price: str | None


def reprice_run(calls: Iterable[Call], book: PriceBook, at: datetime | None = None) -> RepricedRun:
    """Price a run's recorded usage again.

    Args:
        calls: the run's calls; those that were refused before they were sent are left out.
        book: the prices to apply, each in the call's own context.
        at: apply the prices of this moment to all; None for each call's own time.

    Returns:
        Totals of old and new cost; calls that either side cannot price are counted, never 0.
    """
    pairs = [_repriced(call, book, at) for call in calls if call.outcome is not CallOutcome.REFUSED]
    both = [(p.call.cost_usd, p.new_usd) for p in pairs]
    changes = [new - old for old, new in both if old is not None and new is not None]
    groups: dict[tuple[str, str, str], list[_Pair]] = {}
    for pair in pairs:
        groups.setdefault((str(pair.call.role), pair.call.provider, pair.call.model), []).append(pair)
    rows = tuple(_row(*key, group) for key, group in sorted(groups.items()))
    return RepricedRun(
        rows=rows,
        calls=len(pairs),
        old_cost_usd=_total(row.old_cost_usd for row in rows),
        old_unpriced=sum(row.old_unpriced for row in rows),
        new_cost_usd=_total(row.new_cost_usd for row in rows),
        new_unpriced=sum(row.new_unpriced for row in rows),
        compared_calls=len(changes),
        change_usd=_total(changes) if changes else None,
        old_prices=_sorted(_price_name(p.call.price_source, p.call.price_version) for p in pairs),
        new_prices=_sorted(p.price for p in pairs),
    )


def priced_again(call: Call, book: PriceBook, at: datetime | None = None) -> Priced:
    """A recorded call at a book's prices: the model that answered, on the terms it answered on.

    Args:
        call: as recorded; what it cost then does not count.
        book: the prices.
        at: the moment whose prices count; None for the call's own.
    """
    return book.price(
        call.provider,
        book.charged_model(call.provider, call.model, call.served_model),
        usage_of(call),
        at=at or call.started_at,
        context=call.price_context,
        terms=terms_from(call.served_terms),
        local=call.price_source == DECLARED,
    )


def _repriced(call: Call, book: PriceBook, at: datetime | None) -> _Pair:
    priced = priced_again(call, book, at)
    return _Pair(call, priced.cost_usd, _price_name(priced.price_source, priced.price_version))


def _row(role: str, provider: str, model: str, pairs: list[_Pair]) -> RepricedRow:
    old = [p.call.cost_usd for p in pairs if p.call.cost_usd is not None]
    new = [p.new_usd for p in pairs if p.new_usd is not None]
    return RepricedRow(
        role=role,
        provider=provider,
        model=model,
        calls=len(pairs),
        old_cost_usd=_total(old),
        old_unpriced=len(pairs) - len(old),
        new_cost_usd=_total(new),
        new_unpriced=len(pairs) - len(new),
    )


def _price_name(source: str | None, version: str | None) -> str | None:
    return " ".join(part for part in (source, version) if part) or None


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return money_usd(sum(amounts, Decimal(0)))


def _sorted(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}))
