"""From a model's name as called to its entry in the price data or in the overrides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time

from harness.pricing import catalogue
from harness.pricing.names import forms_of
from harness.pricing.naming import (
    Spelling,
    canonical_provider,
    gateways,
    is_moving,
    provider_aliases,
    refusal_of,
    spellings_of,
)
from harness.pricing.overrides import Overrides

_DEPLOYMENTS = frozenset({"azure"})
_MOST_NAMES = 10_000
_SOME_PROVIDERS = ("anthropic", "openai", "azure", "aws", "google", "mistral", "x-ai", "openrouter")


@dataclass(frozen=True, slots=True)
class Found:
    """A model's name as read, its entry in the price data, and the names that an override may give it."""

    spelling: Spelling
    listed: catalogue.Listed | None
    forms: Sequence[str]
    is_moving: bool

    @property
    def charged_by(self) -> str:
        """The provider whose prices these are, in the price data's own name."""
        return self.spelling.provider

    @property
    def lent_by(self) -> str | None:
        """The provider that lends its prices; None where the one that was called has its own."""
        if self.listed and not self.listed.own:
            return self.listed.lender.id
        return self.charged_by if self.spelling.is_lent else None


class Finder:
    """Looks names up exactly, under the rules of `naming`; remembers what it found.

    Args:
        overrides: the price overrides, those that go first first.
    """

    def __init__(self, overrides: Sequence[Overrides]) -> None:
        self._overrides = overrides
        own = {entry.provider.lower() for each in overrides for entry in each.prices}
        self._known = frozenset(own | catalogue.provider_ids())
        self._found: dict[tuple[str, str], Found | None] = {}

    def find(self, provider: str, model: str) -> Found | None:
        """What a name stands for; None where nothing is priced under it."""
        key = (provider, model)
        if key not in self._found:
            if len(self._found) >= _MOST_NAMES:
                self._found.clear()
            spellings = self._spellings(provider, model)
            self._found[key] = next((found for s in spellings if (found := self._find_spelt(s, model))), None)
        return self._found[key]

    def price_changes(self, provider: str, model: str) -> tuple[list[date], list[time]]:
        """When a model's prices may change: UTC dates, and UTC times of every day, each sorted.

        Between two neighbouring ones a quote stands still, in every context.
        """
        found = self.find(provider, model)
        if found is None:
            return [], []
        dates, times = found.listed.changes() if found.listed else (set(), set())
        for overrides in self._overrides:
            dates |= {e.start_date for e in overrides.prices if e.provider.lower() == found.charged_by}
        return sorted(dates), sorted(times)

    def unpriced_because(self, provider: str, model: str) -> str:
        """Why a model has no price under its name and what would be accepted, as one clause."""
        charged_by = canonical_provider(self._alias(provider))
        if charged_by not in self._known and charged_by not in gateways():
            return (
                f"the price data has no provider '{provider}': accepted are {', '.join(_SOME_PROVIDERS)} and "
                "more (`harness prices list`), or `provider_aliases` in the price overrides"
            )
        for spelling in self._spellings(provider, model):
            refusal = refusal_of(spelling.provider, spelling.model)
            if refusal:
                return f"{refusal.why}; accepted: {refusal.instead}"
        elsewhere = [name for name in _SOME_PROVIDERS if catalogue.find_listed(name, model)]
        if elsewhere and charged_by not in elsewhere:
            return f"that is a name of {' and '.join(elsewhere)}: accepted under such a provider"
        near = (catalogue.loose_match(s.provider, s.model) for s in self._spellings(provider, model))
        found = next((name for name in near if name), None)
        if found:
            return f"accepted: '{found}', or its dated or `-latest` form"
        return "accepted: a name that `harness prices list` shows, or an entry in the price overrides"

    def providers(self) -> list[str]:
        """Every provider with prices, sorted."""
        own = {entry.provider for overrides in self._overrides for entry in overrides.prices}
        aliases = {alias for overrides in self._overrides for alias in overrides.provider_aliases}
        return sorted(own | aliases | catalogue.provider_ids() | set(provider_aliases()))

    def names_deployments(self, provider: str) -> bool:
        """Whether a provider's users name their models as they like."""
        return canonical_provider(self._alias(provider)) in _DEPLOYMENTS

    def names(self, provider: str) -> set[str]:
        """Ids of every model that has an entry under a provider, whenever and in whatever context."""
        named = self._alias(provider).lower()
        charged_by = canonical_provider(named)
        owner = catalogue.find_provider(charged_by)
        own = {
            entry.model
            for overrides in self._overrides
            for entry in overrides.prices
            if entry.provider.lower() in {named, charged_by}
        }
        return own | {model.id for model in owner.models} if owner else own

    def _alias(self, provider: str) -> str:
        for overrides in self._overrides:
            if provider.lower() in overrides.provider_aliases:
                return overrides.provider_aliases[provider.lower()]
        return provider

    def _spellings(self, provider: str, model: str) -> Iterator[Spelling]:
        """The names to look under: the user's own alias of a provider first, then the known ones."""
        named = self._alias(provider)
        charged_by = canonical_provider(named)
        if named.lower() != charged_by:
            yield Spelling(named.lower(), model.lower())
        yield from spellings_of(charged_by, model, self._known)

    def _find_spelt(self, spelling: Spelling, model: str) -> Found | None:
        listed = catalogue.find_listed(spelling.provider, spelling.model)
        if listed and refusal_of(spelling.provider, spelling.model):
            listed = None
        names = catalogue.names_of(listed.model) if listed else None
        # a snapshot that the data prices apart from its family is no form of the family's name
        forms = [f for f in forms_of(spelling.model) if f == spelling.model or names is None or f in names]
        moving = any(is_moving(spelling.provider, name) for name in (model, spelling.model))
        found = Found(spelling, listed, forms, moving)
        has_entry = any(o.has_any(found.charged_by, forms) for o in self._overrides)
        return found if listed or has_entry else None
