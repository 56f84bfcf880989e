"""A recorded call at a book's prices."""

from datetime import datetime

from harness.pricing.book import DECLARED, PriceBook
from harness.pricing.breakdown import usage_of
from harness.pricing.quote import Priced
from harness.records import Call, terms_from


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
