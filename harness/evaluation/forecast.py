"""What an evaluation will cost, before it starts: from recorded runs where there are any, else assumed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from harness.analysis.forecast import forecast_cost
from harness.errors import UnpricedModelError
from harness.orchestration import Route, Strategy
from harness.orchestration.attempt import prompt_bytes
from harness.pricing import PriceBook
from harness.pricing.catalogue import STANDARD
from harness.records import Prompt, Request, Usage

MIN_RECORDED = 10
"""Fewer recorded requests of a strategy than this forecast nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is supposed of a model where nothing is recorded: likely, at least and at most."""

    bytes_per_token: tuple[float, float, float] = (4.0, 6.0, 2.5)
    output_tokens: tuple[int, int, int] = (900, 350, 2000)
    repair_share: tuple[float, float, float] = (0.2, 0.0, 0.6)

    def within(self, max_tokens: int) -> "Assumptions":
        """The same where no answer can be longer than so many tokens."""
        usual, few, many = self.output_tokens
        return replace(
            self, output_tokens=(min(usual, max_tokens), min(few, max_tokens), min(many, max_tokens))
        )

    @property
    def text(self) -> str:
        """In words."""
        tokens, share, size = self.output_tokens, self.repair_share, self.bytes_per_token
        return (
            f"assumed: {tokens[0]} output tokens a call ({tokens[1]} to {tokens[2]}), {size[0]:g} bytes an "
            f"input token ({size[2]:g} to {size[1]:g}), {share[0]:.0%} repaired ({share[1]:.0%} to "
            f"{share[2]:.0%}), no prompt cache"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyForecast:
    """One strategy's part. `basis` is what it rests on, in words."""

    strategy: str
    requests: int
    cost_usd: float
    low_usd: float
    high_usd: float
    basis: str
    recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationForecast:
    """All strategies together, and their judges."""

    parts: tuple[StrategyForecast, ...]
    judging: tuple[StrategyForecast, ...] = ()

    @property
    def cost_usd(self) -> float:
        """Expected, USD."""
        return sum(part.cost_usd for part in (*self.parts, *self.judging))

    @property
    def low_usd(self) -> float:
        """Lower end: independent errors of recorded parts add as squares, assumed bounds as they are."""
        return max(0.0, self.cost_usd - self._half(lambda part: part.cost_usd - part.low_usd))

    @property
    def high_usd(self) -> float:
        """Upper end, likewise."""
        return self.cost_usd + self._half(lambda part: part.high_usd - part.cost_usd)

    def _half(self, of: Callable[[StrategyForecast], float]) -> float:
        parts = (*self.parts, *self.judging)
        recorded = math.sqrt(sum(of(part) ** 2 for part in parts if part.recorded))
        return recorded + sum(of(part) for part in parts if not part.recorded)

    @property
    def requests(self) -> int:
        """How many requests are forecast, judgements apart."""
        return sum(part.requests for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Prices:
    """The book at one moment."""

    book: PriceBook
    at: datetime
    context: str

    def call_usd(self, route: Route, input_tokens: int, output_tokens: int) -> float:
        return call_usd(route, input_tokens, output_tokens, self.book, self.at, context=self.context)


def call_usd(
    route: Route,
    input_tokens: int,
    output_tokens: int,
    book: PriceBook,
    at: datetime,
    *,
    context: str = STANDARD,
) -> float:
    """What a call of so many tokens costs in a context, USD.

    Raises:
        UnpricedModelError: nobody knows, and unknown is not zero.
    """
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    local = route.settings.local
    priced = book.price(route.provider, route.model, usage, at=at, context=context, local=local)
    if priced.cost_usd is None:
        because = book.unpriced_because(route.provider, route.model, at=at, context=context)
        raise UnpricedModelError(route.provider, route.model, because)
    return float(priced.cost_usd)


def forecast_evaluation(
    strategies: Sequence[Strategy],
    prompts: Sequence[Prompt],
    requests: Mapping[str, int],
    recorded: Mapping[str, Sequence[Request]],
    book: PriceBook,
    *,
    at: datetime,
    repairs: bool,
    assumptions: Assumptions | None = None,
    context: str = STANDARD,
) -> EvaluationForecast:
    """Cost of what is still to be asked.

    Args:
        strategies: to be run.
        prompts: the first question of each case.
        requests: how many requests each strategy will still make.
        recorded: earlier requests of the same task, strategy and models, with their costs.
        book: prices for the assumed parts.
        at: prices of this moment.
        repairs: the task has a repair call.
        assumptions: where nothing is recorded.
        context: whose prices the assumed parts have; the recorded ones were paid in it.
    """
    supposed = assumptions or Assumptions()
    parts = []
    for strategy in strategies:
        wanted = requests.get(strategy.name, 0)
        known = [row for row in recorded.get(strategy.name, ()) if row.cost_usd is not None]
        if len(known) >= MIN_RECORDED:
            parts.append(_recorded_part(strategy, wanted, known))
        else:
            prices = _Prices(book, at, context)
            parts.append(_assumed_part(strategy, wanted, prompts, prices, supposed, repairs=repairs))
    return EvaluationForecast(parts=tuple(parts))


def _recorded_part(strategy: Strategy, wanted: int, known: Sequence[Request]) -> StrategyForecast:
    found = forecast_cost(
        [float(row.cost_usd) for row in known if row.cost_usd is not None],
        wanted,
        clusters=[row.case_id or row.request_id for row in known if row.cost_usd is not None],
    )
    cost = found.cost_usd or 0.0
    return StrategyForecast(
        strategy=strategy.name,
        requests=wanted,
        cost_usd=cost,
        low_usd=cost if found.low_usd is None else found.low_usd,
        high_usd=cost if found.high_usd is None else found.high_usd,
        basis=f"{len(known):,} recorded requests",
        recorded=True,
    )


def _assumed_part(
    strategy: Strategy,
    wanted: int,
    prompts: Sequence[Prompt],
    prices: "_Prices",
    supposed: Assumptions,
    *,
    repairs: bool,
) -> StrategyForecast:
    size = sum(prompt_bytes(prompt) for prompt in prompts) / len(prompts)
    supposed = supposed.within(max(prompt.max_tokens for prompt in prompts))
    amounts = []
    for index in range(3):
        output = supposed.output_tokens[index]
        tokens = round(size / supposed.bytes_per_token[index])
        cost = prices.call_usd(strategy.draft, tokens, output)
        if repairs:
            share = supposed.repair_share[index]
            cost += share * prices.call_usd(strategy.repair, tokens + output, output)
        amounts.append(wanted * cost)
    return StrategyForecast(
        strategy=strategy.name,
        requests=wanted,
        cost_usd=amounts[0],
        low_usd=amounts[1],
        high_usd=amounts[2],
        basis=supposed.text,
        recorded=False,
    )
