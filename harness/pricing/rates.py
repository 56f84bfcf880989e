"""The price of each kind of token, and the arithmetic from usage to USD.

A `RateCard` is one model's prices at one moment in one context. A field that is None has no trustworthy
price: usage that touches it is unpriced, never charged at some other rate.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any

from harness.records import NO_TERMS, ServedTerms, Usage

MONEY_UNIT_USD = Decimal("1e-10")
"""The last digit that records, tables and JSON carry; each call is rounded to it, once, half to even."""

MOST_TOKENS = 10**12
"""More than any call can have: a count above it is a broken one, and its cost unknown."""

_FREE = Decimal(0)
_MTOK_EXPONENT = -6


@dataclass(frozen=True, slots=True)
class Tier:
    """Another price for every token of a call whose total input exceeds `above_input_tokens`."""

    above_input_tokens: int
    usd_per_mtok: Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """A price per million tokens, with long-context tiers in ascending order.

    The tier is chosen by the call's total input, cached tokens included, and applies to all its tokens: at
    the threshold the base price still holds, one token more and the cliff is there.
    """

    base_usd_per_mtok: Decimal
    tiers: tuple[Tier, ...] = ()

    def at(self, total_input_tokens: int) -> Decimal:
        """USD per million tokens for a call of that total input."""
        price = self.base_usd_per_mtok
        for tier in self.tiers:
            if total_input_tokens > tier.above_input_tokens:
                price = tier.usd_per_mtok
        return price

    def times(self, factor: Decimal) -> "Rate":
        """The same, each price so many times as high."""
        tiers = tuple(replace(tier, usd_per_mtok=tier.usd_per_mtok * factor) for tier in self.tiers)
        return Rate(self.base_usd_per_mtok * factor, tiers)

    def dearest(self, most_input_tokens: int) -> Decimal:
        """The highest USD per million tokens that any call of at most that total input can meet."""
        reachable = [t.usd_per_mtok for t in self.tiers if most_input_tokens > t.above_input_tokens]
        return max([self.base_usd_per_mtok, *reachable])


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One line of the arithmetic: tokens of one kind x their price. `cost_usd` is exact, not yet rounded.

    A price per request is a line of kind `request` with one token at a million times that price.
    """

    kind: str
    tokens: int
    usd_per_mtok: Decimal
    cost_usd: Decimal


_WORDS = {
    "cache_read": "cached input",
    "cache_write_5m": "cache writes",
    "cache_write_1h": "1-hour cache writes",
    "web_search": "web searches",
    "tool_call": "calls of server-side tools",
    "mixed_cache": "cached input that may be audio or images",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """One model's prices at one moment, in one context (standard, batch, priority, flex, fast).

    `image_input` and the like are None where such tokens have no price of their own that is known.
    `per_search_usd` is what one web search by the provider costs; None where it is unknown.
    """

    input: Rate | None
    output: Rate | None
    cache_read: Rate | None
    cache_write_5m: Rate | None
    cache_write_1h: Rate | None
    reasoning: Rate | None
    audio_input: Rate | None = None
    audio_output: Rate | None = None
    image_input: Rate | None = None
    image_output: Rate | None = None
    citation: Rate | None = None
    per_request_usd: Decimal = _FREE
    per_search_usd: Decimal | None = None

    def times(self, factor: Decimal) -> "RateCard":
        """The same with every price of tokens so many times as high; fees for requests and searches stay."""
        held = {item.name: getattr(self, item.name) for item in fields(self)}
        rates: dict[str, Any] = {n: r.times(factor) for n, r in held.items() if isinstance(r, Rate)}
        return replace(self, **rates)

    def lines(self, usage: Usage, terms: ServedTerms = NO_TERMS) -> list[CostLine] | None:
        """The arithmetic of one call, a line for each kind of token it used.

        The kinds partition the usage: every token is charged once, at exactly one price.

        Args:
            usage: the call's tokens.
            terms: what else it used: tokens of audio and images among them, searches beside them.

        Returns:
            None when the usage touches a kind of token that has no price, or more tokens than any call.
        """
        if usage.input_tokens > MOST_TOKENS or usage.output_tokens > MOST_TOKENS:
            return None
        lines = []
        for kind, units, rate in self._partition(usage, terms):
            if units == 0:
                continue
            if rate is None or units < 0:
                return None
            price = rate.at(usage.input_tokens)
            cost_usd = (price * units).scaleb(_MTOK_EXPONENT)
            lines.append(CostLine(kind=kind, tokens=units, usd_per_mtok=price, cost_usd=cost_usd))
        if self.per_request_usd:
            price = self.per_request_usd.scaleb(-_MTOK_EXPONENT)
            lines.append(
                CostLine(kind="request", tokens=1, usd_per_mtok=price, cost_usd=self.per_request_usd)
            )
        return lines

    def cost_usd(self, usage: Usage, terms: ServedTerms = NO_TERMS) -> Decimal | None:
        """The sum of `lines`, exact, without writing them down; None where they are."""
        if usage.input_tokens > MOST_TOKENS or usage.output_tokens > MOST_TOKENS:
            return None
        total = self.per_request_usd
        for _, units, rate in self._partition(usage, terms):
            if units:
                if rate is None or units < 0:
                    return None
                total += (rate.at(usage.input_tokens) * units).scaleb(_MTOK_EXPONENT)
        return total

    def unpriced(self, usage: Usage, terms: ServedTerms = NO_TERMS) -> str | None:
        """What of a call has no price, in words; None when everything has."""
        if usage.input_tokens > MOST_TOKENS or usage.output_tokens > MOST_TOKENS:
            return "more tokens than any call has"
        for kind, units, rate in self._partition(usage, terms):
            if units < 0:
                return f"{_words(kind)} that are fewer than their parts"
            if units and rate is None:
                return _words(kind)
        return None

    def worst_case_usd(self, *, most_input_tokens: int, max_tokens: int) -> Decimal | None:
        """The most that one call can cost, rounded up to the money unit.

        Every input token is charged at the dearest kind of input (a cache write can cost twice the plain
        price) and every kind at the dearest tier that the bound can reach.

        Args:
            most_input_tokens: upper bound on the call's total input tokens.
            max_tokens: upper bound on its output tokens.

        Returns:
            USD, or None when plain input or output has no price.
        """
        if self.input is None or self.output is None:
            return None
        input_rates = [self.input, self.cache_read, self.cache_write_5m, self.cache_write_1h]
        output_rates = [self.output, self.reasoning]
        input_price = max(rate.dearest(most_input_tokens) for rate in input_rates if rate)
        output_price = max(rate.dearest(most_input_tokens) for rate in output_rates if rate)
        tokens_usd = (input_price * most_input_tokens + output_price * max_tokens).scaleb(_MTOK_EXPONENT)
        return (tokens_usd + self.per_request_usd).quantize(MONEY_UNIT_USD, rounding=ROUND_CEILING)

    def _partition(self, usage: Usage, terms: ServedTerms) -> Iterator[tuple[str, int, Rate | None]]:
        plain, answer = usage.uncached_input_tokens, usage.output_tokens - usage.reasoning_tokens
        if terms is not NO_TERMS:
            audio, image = terms.audio_input_tokens or 0, terms.image_input_tokens or 0
            said, drawn = terms.audio_output_tokens or 0, terms.image_output_tokens or 0
            plain, answer = plain - audio - image, answer - said - drawn
            yield "audio_input", audio, self.audio_input
            yield "image_input", image, self.image_input
            yield "audio_output", said, self.audio_output
            yield "image_output", drawn, self.image_output
            if usage.cache_read_tokens and (audio or image):
                yield "mixed_cache", 1, None
            yield from self._beside(terms)
        yield "input", plain, self.input
        yield "cache_read", usage.cache_read_tokens, self.cache_read
        yield "cache_write_5m", usage.cache_write_5m_tokens, self.cache_write_5m
        yield "cache_write_1h", usage.cache_write_1h_tokens, self.cache_write_1h
        yield "output", answer, self.output
        yield "reasoning", usage.reasoning_tokens, self.reasoning

    def _beside(self, terms: ServedTerms) -> Iterator[tuple[str, int, Rate | None]]:
        """What is billed beside the tokens of the answer. A fee for each request pays for its searches."""
        yield "citation", terms.citation_tokens or 0, self.citation
        if self.per_search_usd is not None:
            fee = Rate(self.per_search_usd.scaleb(-_MTOK_EXPONENT))
            yield "web_search", terms.searches or 0, fee
        elif not self.per_request_usd:
            yield "web_search", terms.searches or 0, None
        yield "tool_call", terms.tool_calls or 0, None


def _words(kind: str) -> str:
    return _WORDS.get(kind, f"{kind.replace('_', ' ')} tokens")


FREE_CARD = RateCard(
    input=Rate(_FREE),
    output=Rate(_FREE),
    cache_read=Rate(_FREE),
    cache_write_5m=Rate(_FREE),
    cache_write_1h=Rate(_FREE),
    reasoning=Rate(_FREE),
)
"""What fixtures and local providers charge, by declaration."""


def money_usd(exact_usd: Decimal) -> Decimal:
    """An amount in the money unit, half to even, without trailing zeros: 0.028500 is 0.0285.

    Raises:
        ValueError: not a finite amount.
    """
    if not exact_usd.is_finite():
        raise ValueError(f"not an amount of money: {exact_usd}")
    rounded = exact_usd.quantize(MONEY_UNIT_USD, rounding=ROUND_HALF_EVEN)
    return Decimal(format(rounded.normalize(), "f"))
