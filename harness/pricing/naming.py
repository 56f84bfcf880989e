"""How providers and gateways write names: the rules of `naming.json`, from a name as called to one as priced.

A rule reads a whole name or does not read it at all; what no rule reads, and what could be billed in more
than one way, has no price.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("naming.json")
_LATEST = "-latest"


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name as the price data may write it; `why` is None where only the provider had an alias.

    `is_lent` where a gateway was called and the provider behind it lends its prices.
    """

    provider: str
    model: str
    why: str | None = None
    is_lent: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a name is never priced, and what would be accepted instead; both clauses."""

    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    names: Sequence[str]
    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class _Rules:
    providers: Mapping[str, str]
    gateways: Mapping[str, str]
    spellings: Mapping[str, Sequence[_Rule]]
    refused: Mapping[str, Sequence[_Rule]]
    aliases: Mapping[str, frozenset[str]]


@cache
def _rules() -> _Rules:
    told = json.loads(_FILE.read_text(encoding="utf-8"))
    return _Rules(
        providers=told["providers"],
        gateways=told["gateways"],
        spellings=_by_provider(told["spellings"]),
        refused=_by_provider(told["refused"]),
        aliases={provider: frozenset(names) for provider, names in told["aliases"].items()},
    )


def _by_provider(told: Sequence[Mapping[str, str]]) -> dict[str, list[_Rule]]:
    found: dict[str, list[_Rule]] = {}
    for rule in told:
        pattern = re.compile(rule["pattern"], re.ASCII)
        read = _Rule(pattern, rule.get("names", ()), rule["why"], rule.get("instead", ""))
        found.setdefault(rule["provider"], []).append(read)
    return found


def canonical_provider(provider: str) -> str:
    """The price data's name of a provider; the name itself, in lower case, where it is nobody's alias."""
    name = provider.lower()
    return _rules().providers.get(name.replace("_", "-"), name)


def provider_aliases() -> Mapping[str, str]:
    """Every other name of a provider that is understood."""
    return _rules().providers


def gateways() -> Mapping[str, str]:
    """Providers that only pass calls on, and how they bill."""
    return _rules().gateways


def spellings_of(provider: str, model: str, known: frozenset[str]) -> Iterator[Spelling]:
    """Every way the price data may write a model's name, the name as it stands first.

    Args:
        provider: the one that charges, in the price data's own name.
        model: the id as called.
        known: the providers that the price data has.
    """
    name = model.lower()
    yield Spelling(provider, name)
    prefix, slash, rest = name.partition("/")
    named = canonical_provider(prefix) if slash else ""
    if provider in _rules().gateways and named in known:
        for spelling in spellings_of(named, rest, known):
            why = spelling.why or f"{provider} {_rules().gateways[provider]}"
            yield replace(spelling, why=why, is_lent=True)
        return
    if slash and named == provider:
        yield Spelling(provider, rest, "the provider's name before the model's")
        name = rest
    for rule in _rules().spellings.get(provider, ()):
        read = rule.pattern.fullmatch(name)
        if read:
            for written in rule.names:
                yield Spelling(provider, written.format_map(read.groupdict()), rule.why)


def refusal_of(provider: str, model: str) -> Refusal | None:
    """Why a model is never priced under its name; None for every name that nothing speaks against."""
    name = model.lower()
    for rule in _rules().refused.get(provider, ()):
        if rule.pattern.fullmatch(name):
            return Refusal(rule.why, rule.instead)
    return None


def is_moving(provider: str, model: str) -> bool:
    """Whether a name stands for another model from time to time, so that a price holds for its date only."""
    name = model.lower()
    if name.endswith((_LATEST, "@default", "@latest")):
        return True
    return name in _rules().aliases.get(provider, ())
