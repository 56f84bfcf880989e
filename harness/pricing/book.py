"""The price book: provider, model and usage in, exact USD out, or a plain statement that it is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from harness.clock import SYSTEM_CLOCK
from harness.errors import UnpricedModelError
from harness.pricing import catalogue
from harness.pricing.names import forms_of
from harness.pricing.overrides import SHIPPED_PATH, Overrides, PriceEntry, load_overrides
from harness.pricing.rates import FREE_CARD, CostLine, RateCard, money_usd
from harness.records import UnpricedReason, Usage

DECLARED = "declared"
"""The price source of fixtures and local providers: $0 by declaration, not by data."""

FRAMING_TOKENS = 1_000
"""Input tokens that a provider may add around a prompt: chat framing, and the system prompt of tool use
(up to 530 on record). Source: https://docs.anthropic.com/en/docs/tool-use-pricing-and-tokens"""

PRICES_VARIABLE = "HARNESS_PRICES"

CACHE = "cache"
"""The price source of answers from the response cache: $0 now, paid for by an earlier run."""

_FIXTURES, _FIXTURE_MODELS = "fixtures", "fixture-"
_MOST_QUOTES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A model's prices at a moment, and where they come from.

    `source_url` and `start_date` are None where the price data does not say.
    """

    card: RateCard
    price_source: str
    price_version: str | None
    priced_as: str | None
    source_url: str | None = None
    start_date: date | None = None


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


class PriceBook:
    """Prices of genai-prices and the overrides, matched exactly, from bundled data: never any network."""

    def __init__(self, overrides: tuple[Overrides, ...]) -> None:
        self._overrides = overrides
        self._listed: dict[tuple[str, str], catalogue.Listed | None] = {}
        self._quotes: dict[tuple[object, ...], Quote | None] = {}

    @classmethod
    def load(cls, overrides_path: Path | None = None) -> "PriceBook":
        """The shipped book, the user's overrides first.

        Args:
            overrides_path: the user's overrides file, or None.

        Raises:
            ConfigError: the file is wrong; names it and the field.
        """
        shipped = load_overrides(SHIPPED_PATH, "harness-overrides")
        if overrides_path is None:
            return cls((shipped,))
        return cls((load_overrides(overrides_path, f"overrides:{overrides_path.name}"), shipped))

    @classmethod
    def configured(cls, env: Mapping[str, str]) -> "PriceBook":
        """The shipped book, under the user's overrides where `HARNESS_PRICES` names a file of them.

        Raises:
            ConfigError: the file is wrong; names it and the field.
        """
        named = env.get(PRICES_VARIABLE, "").strip()
        return cls.load(Path(named) if named else None)

    def quote(
        self,
        provider: str,
        model: str,
        *,
        at: datetime,
        context: str = catalogue.STANDARD,
        local: bool = False,
    ) -> Quote | None:
        """The prices of a model at a moment in a context; None when there is no trustworthy one."""
        # Prices change at dates and, for a few models, at minutes of the day: never within a minute.
        key = (provider, model, at.replace(second=0, microsecond=0), context, local)
        if key not in self._quotes:
            if len(self._quotes) >= _MOST_QUOTES:
                self._quotes.clear()
            self._quotes[key] = self._find_quote(provider, model, at, context, local=local)
        return self._quotes[key]

    def _find_quote(
        self, provider: str, model: str, at: datetime, context: str, *, local: bool
    ) -> Quote | None:
        if local or (provider == _FIXTURES and model.startswith(_FIXTURE_MODELS)):
            return Quote(card=FREE_CARD, price_source=DECLARED, price_version=None, priced_as=None)
        if context == catalogue.CACHED:
            return Quote(card=FREE_CARD, price_source=CACHE, price_version=None, priced_as=None)
        charged_by = self._alias(provider)
        listed = self._find_listed(charged_by, model)
        names = catalogue.names_of(listed.model) if listed else None
        # a snapshot that the data prices apart from its family is no form of the family's name
        forms = [f for f in forms_of(model) if f == model.lower() or names is None or f in names]
        for overrides in self._overrides:
            entry = overrides.find_any(charged_by, forms, at, context)
            if entry:
                return _override_quote(overrides, entry)
            if context != catalogue.STANDARD and overrides.find_any(charged_by, forms, at):
                return None  # whoever changes the standard price has not said what the context costs
        card = listed.card(at, context) if listed else None
        if listed is None or card is None:
            return None
        urls = listed.provider.pricing_urls
        return Quote(
            card=card,
            price_source=catalogue.SOURCE,
            price_version=catalogue.VERSION,
            priced_as=listed.model.id,
            source_url=urls[0] if urls else None,
        )

    def price(
        self,
        provider: str,
        model: str,
        usage: Usage | None,
        *,
        at: datetime,
        context: str = catalogue.STANDARD,
        local: bool = False,
    ) -> Priced:
        """What a call costs. Never raises for an unknown model or context: the cost is then None.

        Args:
            provider: as configured and recorded.
            model: the id the call was made with.
            usage: its tokens; None when the provider never told, and then the cost is unknown too.
            at: when the call was made, aware; prices depend on it.
            context: standard, batch, priority or flex.
            local: free of charge by declaration.
        """
        quote = self.quote(provider, model, at=at, context=context, local=local)
        if quote is None:
            problem = f"no {context} price is known for {provider}/{model}"
            return Priced(cost_usd=None, unpriced_reason=UnpricedReason.UNPRICED, problem=problem)
        lines = _lines(quote.card, usage)
        known = Priced(
            cost_usd=None if lines is None else money_usd(sum((x.cost_usd for x in lines), Decimal(0))),
            price_source=quote.price_source,
            price_version=quote.price_version,
            priced_as=quote.priced_as,
            lines=tuple(lines or ()),
        )
        if lines is not None:
            return known
        if usage is None:
            why, problem = UnpricedReason.USAGE_UNKNOWN, "the provider never told the usage"
        else:
            why, problem = UnpricedReason.UNPRICED, f"{provider}/{model} has no price for some of its tokens"
        return replace(known, unpriced_reason=why, problem=problem)

    def cost_usd(
        self,
        provider: str,
        model: str,
        usage: Usage | None,
        *,
        at: datetime,
        context: str = catalogue.STANDARD,
        local: bool = False,
    ) -> Decimal | None:
        """The cost alone of what `price` tells in full: for many calls."""
        quote = self.quote(provider, model, at=at, context=context, local=local)
        if quote is None:
            return None
        if quote.card is FREE_CARD:
            return money_usd(Decimal(0))
        exact_usd = quote.card.cost_usd(usage) if usage else None
        return None if exact_usd is None else money_usd(exact_usd)

    def require(self, provider: str, model: str, *, local: bool = False, at: datetime | None = None) -> Quote:
        """The model's standard prices at a moment (None: now); input and output must both be priced.

        Raises:
            UnpricedModelError: one sentence naming the model.
        """
        quote = self.quote(provider, model, at=at or SYSTEM_CLOCK.now(), local=local)
        if quote is None or quote.card.input is None or quote.card.output is None:
            raise UnpricedModelError(provider, model)
        return quote

    def worst_case_usd(
        self,
        provider: str,
        model: str,
        *,
        prompt_bytes: int,
        max_tokens: int,
        at: datetime,
        context: str = catalogue.STANDARD,
        local: bool = False,
    ) -> Decimal | None:
        """The most that one call can cost: what the cost guard reserves.

        A byte-level tokenizer never makes more tokens than bytes, so the prompt's UTF-8 length bounds its
        tokens without any tokenizer; `FRAMING_TOKENS` bounds what the provider adds around it.

        Args:
            provider: as configured.
            model: the id the call will be made with.
            prompt_bytes: UTF-8 bytes of all that is sent: system, user, output schema and its name.
            max_tokens: the call's bound on output tokens, reasoning included.
            at: when the call is made.
            context: standard, batch, priority or flex.
            local: free of charge by declaration.

        Returns:
            USD; 0 for a free provider; None when the model has no trustworthy price.
        """
        quote = self.quote(provider, model, at=at, context=context, local=local)
        if quote is None:
            return None
        return quote.card.worst_case_usd(
            most_input_tokens=prompt_bytes + FRAMING_TOKENS, max_tokens=max_tokens
        )

    def price_changes(self, provider: str, model: str) -> tuple[list[date], list[time]]:
        """When a model's prices may change: UTC dates, and UTC times of every day, each sorted.

        Between two neighbouring ones a quote stands still, in every context.
        """
        charged_by = self._alias(provider)
        listed = self._find_listed(charged_by, model)
        dates, times = listed.changes() if listed else (set(), set())
        for overrides in self._overrides:
            dates |= {e.start_date for e in overrides.prices if e.provider.lower() == charged_by.lower()}
        return sorted(dates), sorted(times)

    def listed_models(self, provider: str, *, at: datetime, context: str = catalogue.STANDARD) -> list[str]:
        """Ids of the provider's models that have an input or output price at a moment, sorted."""
        charged_by = self._alias(provider)
        owner = catalogue.find_provider(charged_by)
        names = {model.id for model in owner.models} if owner else set()
        for overrides in self._overrides:
            names |= {e.model for e in overrides.prices if e.provider.lower() == charged_by.lower()}
        quotes = ((name, self.quote(provider, name, at=at, context=context)) for name in names)
        return sorted(name for name, quote in quotes if quote and (quote.card.input or quote.card.output))

    def loose_match(self, provider: str, model: str) -> str | None:
        """The id that a loose search would have found: a hint at a misspelling, never a price."""
        return catalogue.loose_match(self._alias(provider), model)

    def providers(self) -> list[str]:
        """Every provider with prices, sorted."""
        own = {entry.provider for overrides in self._overrides for entry in overrides.prices}
        aliases = {alias for overrides in self._overrides for alias in overrides.provider_aliases}
        return sorted(own | aliases | catalogue.provider_ids())

    def _alias(self, provider: str) -> str:
        for overrides in self._overrides:
            if provider.lower() in overrides.provider_aliases:
                return overrides.provider_aliases[provider.lower()]
        return provider

    def _find_listed(self, provider: str, model: str) -> catalogue.Listed | None:
        key = (provider, model)
        if key not in self._listed:
            self._listed[key] = catalogue.find_listed(provider, model)
        return self._listed[key]


def _lines(card: RateCard, usage: Usage | None) -> list[CostLine] | None:
    if card is FREE_CARD:  # nothing is charged, whatever was used
        return []
    return card.lines(usage) if usage else None


def _override_quote(overrides: Overrides, entry: PriceEntry) -> Quote:
    return Quote(
        card=entry.card(),
        price_source=overrides.source,
        price_version=overrides.version,
        priced_as=entry.model,
        source_url=entry.source_url,
        start_date=entry.start_date,
    )
