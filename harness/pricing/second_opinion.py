"""Where another source prices a model otherwise than the price book: by kind, at every cliff of either."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.pricing.breakdown import ratio
from harness.pricing.rates import Rate, RateCard

KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDifference:
    """One price, USD per million tokens, that two sources name differently; None: that source has none.

    It is the price of calls whose total input exceeds `above_input_tokens`; 0 is every call from the first.
    `change_ratio` is theirs over ours, minus 1; None where either is unknown or ours is 0.
    """

    kind: str
    above_input_tokens: int
    ours_usd_per_mtok: Decimal | None
    theirs_usd_per_mtok: Decimal | None
    change_ratio: Decimal | None


def price_differences(ours: RateCard, theirs: RateCard) -> Sequence[PriceDifference]:
    """The prices of a model on which two sources disagree; none where they agree.

    A price that only one of them names is a difference for plain input and output, but not for caches: the
    other source may say there that such tokens cost the plain price, or nothing.
    """
    found = []
    for kind in KINDS:
        one, other = getattr(ours, kind), getattr(theirs, kind)
        if kind not in ("input", "output") and (one is None or other is None):
            continue
        for above in _starts(one, other):
            mine, yours = _at(one, above), _at(other, above)
            if mine != yours:
                found.append(_difference(kind, above, mine, yours))
    return found


def _starts(*rates: Rate | None) -> list[int]:
    """The cliffs of either, those a token apart taken as one: `above 199,999` is `from 200,000 on`."""
    starts = sorted({0, *(tier.above_input_tokens for rate in rates if rate for tier in rate.tiers)})
    return [start for start in starts if start + 1 not in starts]


def _at(rate: Rate | None, above_input_tokens: int) -> Decimal | None:
    return rate.at(above_input_tokens + 1) if rate else None


def _difference(kind: str, above: int, mine: Decimal | None, yours: Decimal | None) -> PriceDifference:
    change = ratio(yours, mine)
    return PriceDifference(
        kind=kind,
        above_input_tokens=above,
        ours_usd_per_mtok=mine,
        theirs_usd_per_mtok=yours,
        change_ratio=None if change is None else change - 1,
    )
