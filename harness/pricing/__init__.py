"""What a call costs: price book, usage to Decimal USD, budgets that reserve the worst case."""

from harness.pricing.book import DECLARED, FRAMING_TOKENS, PriceBook
from harness.pricing.budget import Budget, Reservation
from harness.pricing.quote import Priced, Quote
from harness.pricing.rates import MONEY_UNIT_USD, CostLine, Rate, RateCard, money_usd

__all__ = [
    "DECLARED",
    "FRAMING_TOKENS",
    "MONEY_UNIT_USD",
    "Budget",
    "CostLine",
    "PriceBook",
    "Priced",
    "Quote",
    "Rate",
    "RateCard",
    "Reservation",
    "money_usd",
]
