"""The provider's own bill beside ours: which counts, how far they are apart, and what a record can hold."""

from dataclasses import replace
from decimal import Decimal

from harness.pricing.quote import Priced
from harness.pricing.rates import money_usd
from harness.records import UnpricedReason

PROVIDER = "provider"
"""The price source of a call that costs what its provider said, because the provider's entry wants it so."""

MOST_APART_RATIO = Decimal("0.01")
"""How far a provider's bill may be from ours before it is shown as a disagreement."""

_MOST_USD = Decimal("99999999.9999999999")


def provider_bill(told_usd: Decimal) -> Priced:
    """What a call costs by its provider's own word."""
    return recordable(Priced(cost_usd=money_usd(told_usd), price_source=PROVIDER))


def recordable_usd(amount_usd: Decimal | None) -> Decimal | None:
    """An amount in the money unit; None where it is unknown, or more than DECIMAL(18,10) can hold."""
    if amount_usd is None or not amount_usd.is_finite() or not 0 <= amount_usd <= _MOST_USD:
        return None
    return money_usd(amount_usd)


def recordable(priced: Priced) -> Priced:
    """A price that a record can hold: a cost that no table can is no cost that anyone was charged."""
    if priced.cost_usd is None or recordable_usd(priced.cost_usd) is not None:
        return priced
    return replace(
        priced,
        cost_usd=None,
        unpriced_reason=UnpricedReason.USAGE_UNKNOWN,
        problem="more than any call costs",
    )
