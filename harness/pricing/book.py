"""The price book: provider, model and usage in, exact USD out, or a plain statement that it is unknown."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from harness.clock import SYSTEM_CLOCK
from harness.errors import UnpricedModelError
from harness.pricing import catalogue
from harness.pricing.finding import Finder
from harness.pricing.overrides import SHIPPED_PATH, Overrides, load_overrides
from harness.pricing.quote import Priced, Quote, listed_quote, override_quote
from harness.pricing.rates import FREE_CARD, CostLine, RateCard, money_usd
from harness.pricing.served import is_same_family
from harness.pricing.terms import served_context, surcharge_of
from harness.records import NO_TERMS, ServedTerms, UnpricedReason, Usage

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


class PriceBook:
    """Prices of genai-prices and the overrides, matched exactly, from bundled data: never any network."""

    def __init__(self, overrides: tuple[Overrides, ...]) -> None:
        self._overrides = overrides
        self._finder = Finder(overrides)
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

    def under(self, first: Overrides) -> "PriceBook":
        """The same book under further overrides, which go before all others."""
        return PriceBook((first, *self._overrides))

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
        found = self._finder.find(provider, model)
        if found is None:
            return None
        for overrides in self._overrides:
            entry = overrides.find_any(found.charged_by, found.forms, at, context)
            if entry:
                return override_quote(overrides, entry, found)
            if context != catalogue.STANDARD and overrides.find_any(found.charged_by, found.forms, at):
                return None  # whoever changes the standard price has not said what the context costs
        return listed_quote(found, at, context)

    def price(
        self,
        provider: str,
        model: str,
        usage: Usage | None,
        *,
        at: datetime,
        context: str = catalogue.STANDARD,
        terms: ServedTerms = NO_TERMS,
        local: bool = False,
        itemised: bool = True,
    ) -> Priced:
        """What a call costs. Never raises for an unknown model or context: the cost is then None.

        Args:
            provider: as configured and recorded.
            model: the model that answered, or the id the call was made with.
            usage: its tokens; None when the provider never told, and then the cost is unknown too.
            at: when the call was made, aware; prices depend on it.
            context: standard, batch, priority, flex or fast.
            terms: what else the answer said its bill rests on.
            local: free of charge by declaration.
            itemised: also the lines of the arithmetic; without them it takes half the time.
        """
        context = self.context_of(context, terms)
        quote = self.quote(provider, model, at=at, context=context, local=local)
        if quote is None:
            because = self.unpriced_because(provider, model, at=at, context=context)
            problem = f"no {context} price is known for {provider}/{model}: {because}"
            return Priced(cost_usd=None, unpriced_reason=UnpricedReason.UNPRICED, problem=problem)
        card = self._card(quote, provider, model, terms)
        exact_usd = _exact_usd(card, usage, terms)
        lines = _lines(card, usage, terms) if itemised else None
        known = Priced(
            cost_usd=None if exact_usd is None else money_usd(exact_usd),
            price_source=quote.price_source,
            price_version=quote.price_version,
            priced_as=quote.priced_as,
            lines=tuple(lines or ()),
        )
        if exact_usd is not None:
            return known
        if usage is None:
            why, problem = UnpricedReason.USAGE_UNKNOWN, "the provider never told the usage"
        elif card is None:
            why = UnpricedReason.UNPRICED
            problem = f"what {provider}/{model} costs in '{terms.inference_geo}' is not known"
        else:
            why = UnpricedReason.UNPRICED
            problem = f"{provider}/{model} has no {context} price for {card.unpriced(usage, terms)}"
        return replace(known, unpriced_reason=why, problem=problem)

    def cost_usd(
        self,
        provider: str,
        model: str,
        usage: Usage | None,
        *,
        at: datetime,
        context: str = catalogue.STANDARD,
        terms: ServedTerms = NO_TERMS,
        local: bool = False,
    ) -> Decimal | None:
        """The cost alone of what `price` tells in full: for many calls."""
        context = self.context_of(context, terms)
        quote = self.quote(provider, model, at=at, context=context, local=local)
        if quote is None:
            return None
        exact_usd = _exact_usd(self._card(quote, provider, model, terms), usage, terms)
        return None if exact_usd is None else money_usd(exact_usd)

    def context_of(self, context: str, terms: ServedTerms) -> str:
        """The context that an answer is priced in: what it told of its tier and speed counts."""
        return context if terms is NO_TERMS or context == catalogue.CACHED else served_context(context, terms)

    def charged_model(self, provider: str, asked: str, served: str | None) -> str:
        """The model that a call is priced as: the one that answered.

        The one asked for where the answer does not say, where the price book knows only the asked one's name
        of the same model, and where the user's own overrides price what is called by its name.

        Args:
            provider: as configured.
            asked: the id the call was made with.
            served: the model that the provider says answered.
        """
        if served is None or served == asked or self._finder.find(provider, served):
            return served or asked
        found = self._finder.find(provider, asked)
        has_own = found is not None and any(
            each.has_any(found.charged_by, found.forms) for each in self._overrides
        )
        return asked if has_own or is_same_family(asked, served) else served

    def is_another_model(self, provider: str, asked: str, served: str | None) -> bool:
        """Whether somebody else answered than was asked for: not its version, nor another name of the same.

        A deployment's own name (Azure) asks for no model in particular.
        """
        if served is None or is_same_family(asked, served):
            return False
        one, other = self._finder.find(provider, asked), self._finder.find(provider, served)
        if one is None and self._finder.names_deployments(provider):
            return False
        same = one and other and one.listed and other.listed and one.listed.model is other.listed.model
        return not same or bool(one and one.is_moving)

    def _card(self, quote: Quote, provider: str, model: str, terms: ServedTerms) -> RateCard | None:
        """The quote's prices where the model ran; None where nobody knows what that costs."""
        if terms.inference_geo is None or quote.card is FREE_CARD:
            return quote.card
        found = self._finder.find(provider, model)
        surcharge = surcharge_of(found.charged_by if found else provider, terms)
        if surcharge is None or surcharge == 1:
            return None if surcharge is None else quote.card
        return quote.card.times(surcharge)

    def require(self, provider: str, model: str, *, local: bool = False, at: datetime | None = None) -> Quote:
        """The model's standard prices at a moment (None: now); input and output must both be priced.

        Raises:
            UnpricedModelError: one sentence naming the model.
        """
        moment = at or SYSTEM_CLOCK.now()
        quote = self.quote(provider, model, at=moment, local=local)
        if quote is None or quote.card.input is None or quote.card.output is None:
            because = "it has no price for input or for output"
            if quote is None:
                because = self.unpriced_because(provider, model, at=moment)
            raise UnpricedModelError(provider, model, because)
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
            context: standard, batch, priority, flex or fast.
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
        return self._finder.price_changes(provider, model)

    def unpriced_because(
        self, provider: str, model: str, *, at: datetime, context: str = catalogue.STANDARD
    ) -> str:
        """Why a model has no price at a moment in a context, and what would be accepted: one clause."""
        found = self._finder.find(provider, model)
        if found is None:
            return self._finder.unpriced_because(provider, model)
        if context not in catalogue.CONTEXTS:
            return f"accepted contexts: {', '.join(catalogue.CONTEXTS)}"
        if found.lent_by and context != catalogue.STANDARD:
            return f"{found.lent_by} lends its standard prices only"
        later = found.listed.first_date(context, after=at) if found.listed else None
        since = f"the {context} prices that are known begin on {later}" if later else "none is known"
        return f"{since}; accepted: an entry with that context in the price overrides"

    def providers(self) -> list[str]:
        """Every provider with prices, and every other name of one, sorted."""
        return self._finder.providers()

    def listed_models(self, provider: str, *, at: datetime, context: str = catalogue.STANDARD) -> list[str]:
        """Ids of the provider's models that have an input or output price at a moment, sorted."""
        names = self._finder.names(provider)
        quotes = ((name, self.quote(provider, name, at=at, context=context)) for name in names)
        return sorted(name for name, quote in quotes if quote and (quote.card.input or quote.card.output))


def _exact_usd(card: RateCard | None, usage: Usage | None, terms: ServedTerms) -> Decimal | None:
    if card is FREE_CARD:  # nothing is charged, whatever was used
        return Decimal(0)
    return card.cost_usd(usage, terms) if card and usage else None


def _lines(card: RateCard | None, usage: Usage | None, terms: ServedTerms) -> list[CostLine] | None:
    if card is FREE_CARD:
        return []
    return card.lines(usage, terms) if card and usage else None
