"""From what an answer tells about how it was served to the prices it is billed at."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from harness.pricing.catalogue import STANDARD
from harness.records import ServedTerms, is_usual

_SURCHARGES: Mapping[tuple[str, str], Decimal] = {("anthropic", "us"): Decimal("1.1")}
"""What serving at one place costs, over every price of tokens: by provider and `inference_geo`.
Source: https://platform.claude.com/docs/en/about-claude/pricing#data-residency-pricing"""


def served_context(context: str, terms: ServedTerms) -> str:
    """The price context of an answer: the tier it was served on, where it tells another than the usual.

    Args:
        context: asked for, or already read from the answer; anything but standard stands.
        terms: as the answer told them.

    Returns:
        A context of the price book, or the provider's own word, which then has no price.
    """
    speed, tier = _unusual(terms.speed), _unusual(terms.service_tier)
    if context != STANDARD:
        return context if speed is None else f"{context} {speed}"
    if speed is not None and tier not in (None, speed):
        return f"{tier} {speed}"
    return speed or tier or STANDARD


def surcharge_of(provider: str, terms: ServedTerms) -> Decimal | None:
    """What every price of tokens is multiplied by for where the model ran; None where nobody knows.

    Args:
        provider: whose prices are charged, in the price data's own name.
        terms: as the answer told them.
    """
    place = _unusual(terms.inference_geo)
    return Decimal(1) if place is None else _SURCHARGES.get((provider, place))


@lru_cache(maxsize=256)
def _unusual(word: str | None) -> str | None:
    return None if word is None or is_usual(word) else word.strip().lower() or None
