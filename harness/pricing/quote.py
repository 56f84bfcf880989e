"""A model's prices at a moment, what a call costs by them, and where they come from."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from harness.pricing import catalogue
from harness.pricing.finding import Found
from harness.pricing.overrides import Overrides, PriceEntry
from harness.pricing.rates import CostLine, RateCard
from harness.records import UnpricedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A model's prices at a moment, and where they come from.

    `source_url` and `start_date` are None where the price data does not say. `moving` names stand for another
    model from time to time: their price is that of `start_date`. `lent_by` is the provider whose prices these
    are, where the one that was called has none of its own; `rule` says how an id was read that is written
    otherwise than the price data writes it.
    """

    card: RateCard
    price_source: str
    price_version: str | None
    priced_as: str | None
    source_url: str | None = None
    start_date: date | None = None
    moving: bool = False
    lent_by: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What one call costs. `cost_usd` is None exactly when `unpriced_reason` says why.

    `lines` is the arithmetic; `problem` says in words what was missing.
    """

    cost_usd: Decimal | None
    unpriced_reason: UnpricedReason | None = None
    price_source: str | None = None
    price_version: str | None = None
    priced_as: str | None = None
    lines: tuple[CostLine, ...] = ()
    problem: str | None = None


def override_quote(overrides: Overrides, entry: PriceEntry, found: Found) -> Quote:
    """The prices of an override's entry."""
    return Quote(
        card=entry.card(),
        price_source=overrides.source,
        price_version=overrides.version,
        priced_as=entry.model,
        source_url=entry.source_url,
        start_date=entry.start_date,
        moving=found.is_moving,
        lent_by=found.charged_by if found.spelling.is_lent else None,
        rule=found.spelling.why,
    )


def listed_quote(found: Found, at: datetime, context: str) -> Quote | None:
    """The price data's own prices; None when it has none for the moment or the context."""
    listed = found.listed
    card = listed.card(at, context) if listed else None
    if listed is None or card is None:
        return None
    lent_by, dated = found.lent_by, catalogue.DATA_DATES.get(catalogue.VERSION)
    urls = listed.lender.pricing_urls
    return Quote(
        card=card,
        price_source=catalogue.SOURCE,
        price_version=f"{catalogue.VERSION} lent by {lent_by}" if lent_by else catalogue.VERSION,
        priced_as=listed.model.id,
        source_url=urls[0] if urls else None,
        start_date=listed.start_date(at) or (dated if found.is_moving else None),
        moving=found.is_moving,
        lent_by=lent_by,
        rule=found.spelling.why,
    )
