# ruff: noqa: S608 - constant SQL, values are bound
"""A recorded run at other prices: what was recorded beside what it would be, nothing recorded touched."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from harness.figures.selection import Rows
from harness.figures.spending import spent_sql
from harness.pricing import PriceBook, money_usd
from harness.pricing.columns import CostColumn
from harness.strategies.attempts import Attempts, recorded_attempts


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
    """Old and new totals. `change_usd` is over the `compared_calls` that both price; None without any.

    Without recorded attempts, the requests' own columns stand for one draft and one repair each.
    """

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


def repriced_run(rows: Rows, book: PriceBook, at: datetime | None = None) -> RepricedRun:
    """Price a selection's recorded usage again.

    Args:
        rows: the requests; calls that were refused before they were sent are left out.
        book: the prices to apply, each on the call's own terms.
        at: apply the prices of this moment to all; None for each call's own time.

    Returns:
        Totals of old and new cost; calls that either side cannot price are counted, never 0.
    """
    attempts = recorded_attempts(rows).attempts
    found: dict[tuple[str, str, str], list[tuple[Attempts, CostColumn]]] = {}
    for own in attempts:
        key = (own.role.value, own.ref.provider, own.ref.model)
        found.setdefault(key, []).append((own, own.at_prices(book, at=at)))
    table = tuple(_row(key, priced) for key, priced in sorted(found.items()))
    compared, change = 0, Decimal(0)
    for own, cost in (pair for priced in found.values() for pair in priced):
        both = own.paid.known & cost.known
        compared += int(both.sum())
        change += _sum(cost, both) - _sum(own.paid, both)
    return RepricedRun(
        rows=table,
        calls=sum(row.calls for row in table),
        old_cost_usd=_total(row.old_cost_usd for row in table),
        old_unpriced=sum(row.old_unpriced for row in table),
        new_cost_usd=_total(row.new_cost_usd for row in table),
        new_unpriced=sum(row.new_unpriced for row in table),
        compared_calls=compared,
        change_usd=money_usd(change) if compared else None,
        old_prices=_recorded_prices(rows),
        new_prices=_applied_prices(attempts, book, at),
    )


def _row(key: tuple[str, str, str], priced: Sequence[tuple[Attempts, CostColumn]]) -> RepricedRow:
    role, provider, model = key
    return RepricedRow(
        role=role,
        provider=provider,
        model=model,
        calls=sum(len(own.request) for own, _ in priced),
        old_cost_usd=_total(own.paid.total_usd() for own, _ in priced),
        old_unpriced=sum(int((~own.paid.known).sum()) for own, _ in priced),
        new_cost_usd=_total(cost.total_usd() for _, cost in priced),
        new_unpriced=sum(int((~cost.known).sum()) for _, cost in priced),
    )


def _sum(cost: CostColumn, rows: np.ndarray) -> Decimal:
    return CostColumn(cost.units[rows], cost.known[rows]).total_usd()


def _total(amounts: Iterator[Decimal]) -> Decimal:
    return money_usd(sum(amounts, Decimal(0)))


def _recorded_prices(rows: Rows) -> tuple[str, ...]:
    found = rows.rows(f"SELECT DISTINCT price_source, price_version FROM ({spent_sql(rows)})")
    return _named(found)


def _applied_prices(attempts: Sequence[Attempts], book: PriceBook, at: datetime | None) -> tuple[str, ...]:
    """The names of all price lists that the attempts' moments fall under."""
    names = []
    for own in attempts:
        for moment in [at] if at is not None else _moments(own, book):
            quote = book.quote(
                own.ref.provider,
                own.charged_as(own.ref, book),
                at=moment,
                context=book.context_of(own.context, own.terms),
                local=own.ref.local,
            )
            if quote is not None:
                names.append((quote.price_source, quote.price_version))
    return _named(names)


def _moments(own: Attempts, book: PriceBook) -> list[datetime]:
    """One moment of each stretch of time in which the model's prices stand still."""
    told = own.at[~np.isnat(own.at)]
    if not len(told):
        return []
    dates, _ = book.price_changes(own.ref.provider, own.charged_as(own.ref, book))
    stretch = np.searchsorted(np.array(dates, "datetime64[D]"), told.astype("datetime64[D]"), side="right")
    firsts = np.unique(stretch, return_index=True)[1]
    return [told[place].astype("datetime64[us]").item().replace(tzinfo=UTC) for place in firsts]


def _named(prices: Sequence[tuple[str | None, str | None]]) -> tuple[str, ...]:
    names = (" ".join(part for part in price if part) for price in prices)
    return tuple(sorted({name for name in names if name}))
