"""The bundled price data of genai-prices, read strictly: exact names, known contexts, no network.

Only the data is used; its own lookup matches loosely and answers an unknown context, or a context that a
model has no prices for, with the standard price. `UpdatePrices`, which would fetch, is never started.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache

from genai_prices import __version__ as genai_prices_version
from genai_prices.data import providers as genai_providers
from genai_prices.types import (
    ClauseEquals,
    ClauseOr,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from harness.pricing.bedrock import bedrock_name
from harness.pricing.names import forms_of
from harness.pricing.rates import Rate, RateCard, Tier

SOURCE = "genai-prices"
VERSION = genai_prices_version

STANDARD = "standard"
BATCH = "batch"
CACHED = "cached"
"""An answer of our own response cache: nothing is sent, so nothing is charged, whoever gave it once."""
CONTEXTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    STANDARD: (),
    BATCH: ({"processing": "batch"},),
    "priority": ({"service_tier": "priority"},),
    "flex": ({"service_tier": "flex"},),
    "fast": ({"service_tier": "fast"}, {"speed": "fast"}),
}
"""Our price contexts, and what selects them in the data. Any other word is unpriced, never standard."""

DATA_DATES: Mapping[str, date] = {"0.2.3": date(2026, 11, 10)}
"""When each known version of the price data was published: what a price without a start date is dated by."""

_IMAGES_AS_TEXT = frozenset({"google"})
"""Providers that declare one input price for text and images.
Source: https://ai.google.dev/gemini-api/docs/pricing"""

_PER_THOUSAND = -3
_BEDROCK = "aws"


@dataclass(frozen=True, slots=True)
class Listed:
    """A model found in the data, and whose entry it is: the provider's own, or one that lends its prices."""

    provider: Provider
    model: ModelInfo
    lender: Provider

    @property
    def own(self) -> bool:
        """Whether the prices are the provider's own."""
        return self.lender is self.provider

    def start_date(self, at: datetime) -> date | None:
        """Since when the standard prices of a moment have held; None where the data does not say."""
        if isinstance(self.model.prices, ModelPrice):
            return None
        active = [p.constraint for p in self.model.prices if p.constraint is None or p.constraint.active(at)]
        dates = [c.start_date for c in active if isinstance(c, StartDateConstraint)]
        return max(dates, default=None)

    def card(self, at: datetime, context: str) -> RateCard | None:
        """The prices in force at a moment; None when the data has none for then, or for the context."""
        standard = _standard_prices(self.model, at)
        when = CONTEXTS.get(context)
        if standard is None or when is None:
            return None
        images_as_text = self.lender.id in _IMAGES_AS_TEXT
        if context == STANDARD:
            return _standard_card(standard, images_as_text=images_as_text)
        if not self.own:
            return None
        return _variant_card(standard, self._variant_prices(at, when), images_as_text=images_as_text)

    def first_date(self, context: str, *, after: datetime) -> date | None:
        """When a context's prices begin, where that is after a moment; None where they have, or never do."""
        dates = [
            part.constraint.start_date
            for part in self.model.price_variants or ()
            if part.when in CONTEXTS[context] and isinstance(part.constraint, StartDateConstraint)
        ]
        later = [day for day in dates if day > after.astimezone(UTC).date()]
        return min(later) if later and len(later) == len(dates) else None

    def changes(self) -> tuple[set[date], set[time]]:
        """The UTC dates, and UTC times of every day, at which any of the prices may change."""
        conditional = self.model.prices if isinstance(self.model.prices, list) else []
        dates: set[date] = set()
        times: set[time] = set()
        for part in (*conditional, *(self.model.price_variants or ())):
            if isinstance(part.constraint, StartDateConstraint):
                dates.add(part.constraint.start_date)
            elif isinstance(part.constraint, TimeOfDateConstraint):
                times |= {_utc(part.constraint.start_time), _utc(part.constraint.end_time)}
        return dates, times

    def _variant_prices(
        self, at: datetime, when: tuple[Mapping[str, str], ...]
    ) -> dict[str, Decimal | TieredPrices]:
        prices: dict[str, Decimal | TieredPrices] = {}
        for variant in self.model.price_variants or ():
            active = variant.constraint is None or variant.constraint.active(at)
            if active and variant.when in when:
                for key, price in variant.prices.__dict__.items():
                    if price is not None:
                        prices.setdefault(key, price)
        return prices


def find_provider(provider: str) -> Provider | None:
    """The provider of exactly that id; the data's own search would take `my-openai-proxy` for `openai`."""
    return next((p for p in genai_providers if p.id == provider.lower()), None)


def find_listed(provider: str, model: str) -> Listed | None:
    """The data's entry for a model, if the id is one of its names or a dated or `-latest` form of one."""
    owner = find_provider(provider)
    if owner is None:
        return None
    own_id = _ids(owner.id).get(model.lower())
    found = own_id or owner.find_model(model, all_providers=genai_providers)
    if found is None or not _is_named(provider, found, model):
        return None
    lender = next((p for p in genai_providers if any(found is m for m in p.models)), owner)
    return Listed(owner, found, lender)


def _is_named(provider: str, found: ModelInfo, model: str) -> bool:
    if not names_of(found).isdisjoint(forms_of(model)):
        return True
    if provider != _BEDROCK:
        return False
    wanted, listed = bedrock_name(model.lower()), bedrock_name(found.id.lower())
    return wanted is not None and listed is not None and wanted.is_priced_as(listed)


@cache
def _ids(provider: str) -> dict[str, ModelInfo]:
    owner = find_provider(provider)
    return {model.id.lower(): model for model in owner.models} if owner else {}


def loose_match(provider: str, model: str) -> str | None:
    """The id that the data's own, loose search finds for a model; None when it finds nothing either."""
    owner = find_provider(provider)
    found = owner.find_model(model, all_providers=genai_providers) if owner else None
    return found.id if found else None


def provider_ids() -> set[str]:
    """Every provider in the data."""
    return {provider.id for provider in genai_providers}


def names_of(model: ModelInfo) -> set[str]:
    """The names the data spells out for a model: its id and what it must equal. A prefix is not a name."""
    names = {model.id.lower(), model.id.lower().removesuffix("-latest")}
    return names | _equals(model.match)


def _equals(clause: MatchLogic) -> set[str]:
    if isinstance(clause, ClauseEquals):
        return {clause.equals.lower()}
    if isinstance(clause, ClauseOr):
        return set().union(*(_equals(part) for part in clause.or_))
    return set()


def _utc(of_day: time) -> time:
    if of_day.tzinfo is None:
        return of_day
    return datetime.combine(date(1970, 1, 1), of_day).astimezone(UTC).time()


def _standard_prices(model: ModelInfo, at: datetime) -> ModelPrice | None:
    if isinstance(model.prices, ModelPrice):
        return model.prices
    active = [p.prices for p in model.prices if p.constraint is None or p.constraint.active(at)]
    return active[-1] if active else None


def _standard_card(prices: ModelPrice, *, images_as_text: bool) -> RateCard:
    get = {key: _rate(value) for key, value in prices.__dict__.items() if value is not None}.get
    plain, output, write = get("input_mtok"), get("output_mtok"), get("cache_write_mtok")
    per_request = prices.__dict__.get("requests_kcount") or Decimal(0)
    per_search = prices.__dict__.get("web_searches_kcount")
    if isinstance(per_request, TieredPrices) or isinstance(per_search, TieredPrices):
        return _unpriced_card()
    return RateCard(
        input=plain,
        output=output,
        cache_read=get("cache_read_mtok") or plain,
        cache_write_5m=get("cache_write_5m_mtok") or write or plain,
        cache_write_1h=get("cache_write_1h_mtok"),
        reasoning=get("output_reasoning_mtok") or output,
        audio_input=get("input_audio_mtok"),
        audio_output=get("output_audio_mtok"),
        image_input=get("input_image_mtok") or (plain if images_as_text else None),
        image_output=get("output_image_mtok"),
        citation=get("output_citation_mtok"),
        per_request_usd=per_request.scaleb(_PER_THOUSAND),
        per_search_usd=None if per_search is None else per_search.scaleb(_PER_THOUSAND),
    )


def _variant_card(
    standard: ModelPrice, variant: dict[str, Decimal | TieredPrices], *, images_as_text: bool
) -> RateCard | None:
    """The card of a context. A kind of token that only the standard prices name has no price in this context.

    A search costs the same in every context: it is no token.
    """
    if not variant:
        return None
    own = ModelPrice(**variant)
    card = _standard_card(own, images_as_text=images_as_text)

    def kept(rate: Rate | None, *keys: str) -> Rate | None:
        lost = any(standard.__dict__.get(key) is not None for key in keys)
        return None if lost and all(key not in variant for key in keys) else rate

    per_request = standard.__dict__.get("requests_kcount")
    if per_request is not None and "requests_kcount" not in variant:
        return None
    return replace(
        card,
        cache_read=kept(card.cache_read, "cache_read_mtok"),
        cache_write_5m=kept(card.cache_write_5m, "cache_write_mtok", "cache_write_5m_mtok"),
        reasoning=kept(card.reasoning, "output_reasoning_mtok"),
        per_search_usd=_standard_card(standard, images_as_text=images_as_text).per_search_usd,
    )


def _unpriced_card() -> RateCard:
    return RateCard(
        input=None, output=None, cache_read=None, cache_write_5m=None, cache_write_1h=None, reasoning=None
    )


def _rate(value: Decimal | TieredPrices) -> Rate:
    if isinstance(value, TieredPrices):
        return Rate(value.base, tuple(Tier(t.start, t.price) for t in value.tiers))
    return Rate(value)
