"""The price of each kind of token, and the arithmetic from usage to USD.

A `RateCard` is one model's prices at one moment in one context. A field that is None has no trustworthy
price: usage that touches it is unpriced, never charged at some other rate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from harness.records import Usage

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """One model's prices at one moment, in one context (standard, batch, priority, flex)."""

    input: Rate | None
    output: Rate | None
    cache_read: Rate | None
    cache_write_5m: Rate | None
    cache_write_1h: Rate | None
    reasoning: Rate | None
    per_request_usd: Decimal = _FREE

    def lines(self, usage: Usage) -> list[CostLine] | None:
        """The arithmetic of one call, a line for each kind of token it used.

        The kinds partition the usage: every token is charged once, at exactly one price.

        Returns:
            None when the usage touches a kind of token that has no price, or more tokens than any call.
        """
        if self.cost_usd(usage) is None:
            return None
        lines = []
        for kind, tokens, rate in self._partition(usage):
            if tokens == 0 or rate is None:
                continue
            price = rate.at(usage.input_tokens)
            cost_usd = (price * tokens).scaleb(_MTOK_EXPONENT)
            lines.append(CostLine(kind=kind, tokens=tokens, usd_per_mtok=price, cost_usd=cost_usd))
        if self.per_request_usd:
            price = self.per_request_usd.scaleb(-_MTOK_EXPONENT)
            lines.append(
                CostLine(kind="request", tokens=1, usd_per_mtok=price, cost_usd=self.per_request_usd)
            )
        return lines

    def cost_usd(self, usage: Usage) -> Decimal | None:
        """The sum of `lines`, exact, without writing them down; None where they are."""
        if usage.input_tokens > MOST_TOKENS or usage.output_tokens > MOST_TOKENS:
            return None
        total = self.per_request_usd
        for _, tokens, rate in self._partition(usage):
            if tokens:
                if rate is None:
                    return None
                total += (rate.at(usage.input_tokens) * tokens).scaleb(_MTOK_EXPONENT)
        return total

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

    def _partition(self, usage: Usage) -> Iterator[tuple[str, int, Rate | None]]:
        yield "input", usage.uncached_input_tokens, self.input
        yield "cache_read", usage.cache_read_tokens, self.cache_read
        yield "cache_write_5m", usage.cache_write_5m_tokens, self.cache_write_5m
        yield "cache_write_1h", usage.cache_write_1h_tokens, self.cache_write_1h
        yield "output", usage.output_tokens - usage.reasoning_tokens, self.output
        yield "reasoning", usage.reasoning_tokens, self.reasoning


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
