"""Many calls priced at once: token counts as columns in, exact money in whole units of 1e-10 USD out.

The same prices and the same rounding as `PriceBook.cost_usd`, to the digit, without a Python object a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.pricing.book import PriceBook
from harness.pricing.catalogue import STANDARD
from harness.pricing.rates import FREE_CARD, MONEY_UNIT_USD, MOST_TOKENS, Rate, RateCard, money_usd

Column = NDArray[np.generic]
"""Whole numbers, one a call. Unknown: a NaN in a column of floats, or masked."""

_Counts = NDArray[np.int64]
_Flags = NDArray[np.bool_]

_UNITS_A_USD = int(1 / MONEY_UNIT_USD)
_MOST_UNITS = 2**63 - 1
_TOKENS_AN_MTOK = 1_000_000
_LIMB_DIGITS, _LIMB, _WHOLE_LIMBS = 6, 10**6, 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROWS_AT_ONCE = 200_000
"""So that a million calls need little more room than their columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageColumns:
    """The tokens of n calls, each column of shape (n,); a column that is None stands for no such tokens.

    As in `Usage`, `input_tokens` is the total and the cache columns are parts of it. A call without both
    totals has unknown usage, and one whose parts exceed their whole too; an unknown part counts as none.
    """

    input_tokens: Column
    output_tokens: Column
    cache_read_tokens: Column | None = None
    cache_write_5m_tokens: Column | None = None
    cache_write_1h_tokens: Column | None = None
    reasoning_tokens: Column | None = None

    def of(self, rows: Any) -> "UsageColumns":
        """Some of the calls: a slice, places or flags."""
        cut: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            column = getattr(self, name)
            cut[name] = None if column is None else column[rows]
        return UsageColumns(**cut)


@dataclass(frozen=True, slots=True)
class CostColumn:
    """The costs of n calls, shape (n,) each: whole units of 1e-10 USD, and whether the cost is known.

    `units` is 0 where the cost is unknown: read it under `known`.
    """

    units: _Counts
    known: _Flags

    def where(self, chosen: _Flags) -> "CostColumn":
        """The costs of some of the calls; `chosen` has shape (n,)."""
        return CostColumn(self.units[chosen], self.known[chosen])

    def total_usd(self) -> Decimal:
        """The exact sum of the known costs; 0 for none."""
        high, low = np.divmod(self.units, _UNITS_A_USD)  # apart, so that no sum leaves 64 bits
        return money_usd(int(high.sum()) + int(low.sum()) * MONEY_UNIT_USD)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The partition of `RateCard.lines`: every token in exactly one column."""

    total_input: _Counts
    kinds: tuple[_Counts, ...]
    known: _Flags

    def take(self, rows: _Counts) -> "_Parts":
        return _Parts(self.total_input[rows], tuple(kind[rows] for kind in self.kinds), self.known[rows])


def cost_column(
    book: PriceBook,
    provider: str,
    model: str,
    usage: UsageColumns,
    started_at: NDArray[np.datetime64],
    *,
    context: str = STANDARD,
    local: bool = False,
) -> CostColumn:
    """What each of many calls of one model costs, as `PriceBook.cost_usd` says for each alone.

    Calls that rest on more than their tokens (`calls.served_terms`) are priced one by one; they are few.

    Args:
        book: prices each call at its own moment.
        provider: as configured and recorded.
        model: the id the calls were made with.
        usage: their tokens.
        started_at: when each was made, UTC, shape (n,); NaT: at no known price.
        context: standard, batch, priority, flex or fast.
        local: free of charge by declaration.

    Returns:
        Costs of shape (n,); unknown where the usage is, where no price is, and above 900 million USD a call,
        which 64 bits cannot hold.
    """
    moments = started_at.astype("datetime64[us]")
    some = [slice(first, first + _ROWS_AT_ONCE) for first in range(0, max(1, len(moments)), _ROWS_AT_ONCE)]
    found = [
        _cost_of(book, provider, model, usage.of(own), moments[own], context=context, local=local)
        for own in some
    ]
    return CostColumn(
        *(np.concatenate([getattr(part, name) for part in found]) for name in ("units", "known"))
    )


def _cost_of(
    book: PriceBook,
    provider: str,
    model: str,
    usage: UsageColumns,
    moments: NDArray[np.datetime64],
    *,
    context: str,
    local: bool,
) -> CostColumn:
    units = np.zeros(len(moments), np.int64)
    known = np.zeros(len(moments), np.bool_)
    parts: _Parts | None = None
    for rows in same_prices(book, provider, model, moments):
        at = _EPOCH + timedelta(microseconds=int(moments[rows[0]].astype(np.int64)))
        quote = book.quote(provider, model, at=at, context=context, local=local)
        if quote is None:
            continue
        if quote.card is FREE_CARD:
            known[rows] = True
            continue
        parts = parts or _parts_of(usage)
        whole = len(rows) == len(moments)
        units[rows], known[rows] = _charged(quote.card, parts if whole else parts.take(rows))
    return CostColumn(units, known)


def card_column(card: RateCard, usage: UsageColumns) -> CostColumn:
    """What each of many calls costs at one card, whenever it was made.

    Args:
        card: one model's prices.
        usage: the calls' tokens.
    """
    return CostColumn(*_charged(card, _parts_of(usage)))


def same_prices(
    book: PriceBook, provider: str, model: str, moments: NDArray[np.datetime64]
) -> Iterator[_Counts]:
    """The rows between each two moments at which the prices may change; rows without a moment in none.

    Args:
        book: tells when.
        provider: as configured and recorded.
        model: the id that is priced.
        moments: when each call was made, UTC, shape (n,).
    """
    dated = np.flatnonzero(~np.isnat(moments))
    dates, times = book.price_changes(provider, model)
    at = moments[dated]
    days = at.astype("datetime64[D]")
    seconds = (at - days).astype("timedelta64[s]").astype(np.int64)
    of_day = np.array([t.hour * 3600 + t.minute * 60 + t.second for t in times], np.int64)
    segment = np.searchsorted(np.array(dates, "datetime64[D]"), days, side="right") * (len(times) + 1)
    segment += np.searchsorted(of_day, seconds, side="right")
    for found in np.flatnonzero(np.bincount(segment)):
        yield dated[segment == found]


def _parts_of(usage: UsageColumns) -> _Parts:
    total, told_input = _whole(usage.input_tokens)
    output, told_output = _whole(usage.output_tokens)
    read, write_5m, write_1h, reasoning = (
        np.zeros_like(total) if part is None else _whole(part)[0]
        for part in (
            usage.cache_read_tokens,
            usage.cache_write_5m_tokens,
            usage.cache_write_1h_tokens,
            usage.reasoning_tokens,
        )
    )
    plain, answer = total - read - write_5m - write_1h, output - reasoning
    kinds = (plain, read, write_5m, write_1h, answer, reasoning)
    known = told_input & told_output
    for kind in kinds:
        known &= kind >= 0
    return _Parts(total, kinds, known)


def _whole(column: Column) -> tuple[_Counts, _Flags]:
    """A column's counts, 0 where unknown, and where they are known."""
    known = ~np.ma.getmaskarray(column)
    values = np.ma.getdata(column)
    if values.dtype.kind == "f":
        known &= np.isfinite(values)
    counts = np.where(known, values, 0).astype(np.int64)
    return counts, known & (counts >= 0) & (counts <= MOST_TOKENS)


def _charged(card: RateCard, parts: _Parts) -> tuple[_Counts, _Flags]:
    """Units of 1e-10 USD at one card, half to even, and where they are known.

    Prices may have any number of digits, so each is cut into limbs of six: a limb times the most tokens
    fits into 64 bits. The lowest `fraction` limbs stand behind the last unit.
    """
    rates = (
        card.input,
        card.cache_read,
        card.cache_write_5m,
        card.cache_write_1h,
        card.output,
        card.reasoning,
    )
    known = parts.known.copy()
    for kind, rate in zip(parts.kinds, rates, strict=True):
        if rate is None:
            known &= kind == 0
    starts = sorted({tier.above_input_tokens for rate in rates if rate for tier in rate.tiers})
    levels = (0, *(start + 1 for start in starts))
    prices = [[_units_a_token(rate, level) for level in levels] for rate in rates]
    fee = card.per_request_usd * _UNITS_A_USD
    fraction = -(min(_exponent(x) for row in [*prices, [fee]] for x in row) // _LIMB_DIGITS)
    reached = np.searchsorted(np.array(starts, np.int64), parts.total_input) if starts else None
    limbs = [
        np.full(len(known), _limb(fee, place - fraction), np.int64)
        for place in range(fraction + _WHOLE_LIMBS)
    ]
    for kind, row in zip(parts.kinds, prices, strict=True):
        for place in range(len(limbs)):
            price = np.array([_limb(x, place - fraction) for x in row], np.int64)
            if price.any():
                limbs[place] += kind * (price[0] if reached is None else price[reached])
    units, fits = _rounded(limbs, fraction)
    known &= fits
    return np.where(known, units, 0), known


def _rounded(limbs: list[_Counts], fraction: int) -> tuple[_Counts, _Flags]:
    """Whole units from limbs in ascending order, half to even, and where they fit into 64 bits."""
    below: _Counts | None = None  # the highest limb of the fraction, made odd by anything under it
    for place in range(fraction):
        carried, limb = np.divmod(limbs[place], _LIMB)
        limbs[place + 1] += carried
        below = limb * 2 if below is None else limb * 2 + (below != 0)
    low, high = limbs[fraction], limbs[fraction + 1]
    high += low // _LIMB
    fits = high < _MOST_UNITS // _LIMB
    units = np.where(fits, high, 0) * _LIMB + low % _LIMB
    if below is not None:
        units += (below > _LIMB) | ((below == _LIMB) & (units % 2 == 1))
    return units, fits


def _units_a_token(rate: Rate | None, total_input_tokens: int) -> Decimal:
    return rate.at(total_input_tokens) * _UNITS_A_USD / _TOKENS_AN_MTOK if rate else Decimal(0)


def _exponent(price: Decimal) -> int:
    return min(0, int(price.normalize().as_tuple().exponent))


def _limb(price: Decimal, place: int) -> int:
    """Six digits of a price; the highest place holds all that is above, too."""
    shifted = int(price.scaleb(-place * _LIMB_DIGITS))
    return shifted if place == _WHOLE_LIMBS - 1 else shifted % _LIMB
