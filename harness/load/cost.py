"""What a request cost: what its answer tells, else its usage at the price book, else the machine's hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.clock import SYSTEM_CLOCK
from harness.errors import ConfigError
from harness.load.plan import LoadPlan
from harness.load.said import Said
from harness.load.scenario.model import Scenario
from harness.pricing import PriceBook
from harness.pricing.rates import money_usd
from harness.records import CostSource, ProviderMode, Usage

_NS_AN_HOUR = 3_600_000_000_000
_MOST_REASON_CHARS = 200
_NOT_TOLD = "the answer tells neither its cost nor its usage"


@dataclass(frozen=True, slots=True)
class Charged:
    """One answer's cost and where it comes from, or why it has none."""

    usd: Decimal | None = None
    source: CostSource | None = None
    because: str | None = None


class CostRule:
    """Prices the answers of one scenario in one run.

    Args:
        scenario: says provider, mode and price.
        plan: how many requests share a machine.
        holds: what the scenario says of provider and mode holds for this target.
        env: where `HARNESS_PRICES` is looked for.

    Raises:
        ConfigError: a model that the scenario prices by is not in the price book; names the line.
    """

    def __init__(self, scenario: Scenario, plan: LoadPlan, *, holds: bool, env: Mapping[str, str]) -> None:
        self._scenario = scenario
        self._holds = holds
        self._model = plan.model
        self._hourly = None if scenario.price is None else scenario.price.usd_per_hour
        self._users = plan.users
        self._spacing_ns = _spacing_ns(plan) if self._hourly is not None else None
        needs_book = any(step.answer.wire or step.answer.usage for step in scenario.steps)
        self._book = PriceBook.configured(env) if needs_book or self._named else None
        if self._named and self._book is not None:
            self._check_price(self._book)

    @property
    def _named(self) -> bool:
        return self._scenario.price is not None and self._scenario.price.model is not None

    def _check_price(self, book: PriceBook) -> None:
        price = self._scenario.price
        if price is None or price.provider is None or price.model is None:
            return
        now = SYSTEM_CLOCK.now()
        if book.quote(price.provider, price.model, at=now) is None:
            because = book.unpriced_because(price.provider, price.model, at=now)
            raise ConfigError(
                price.source, f"no price is known for {price.provider}/{price.model}: {because}"
            )

    def columns(self, said: Sequence[Said], service_ns: int) -> dict[str, Any]:
        """The columns of a request's row that tell who answered and what it cost.

        Args:
            said: what each answer of the request told.
            service_ns: how long the request took, nanoseconds.
        """
        if not said:  # nothing was read; a machine is paid for all the same
            return (
                {} if self._hourly is None else _charged_columns(self._by_the_hour(self._hourly, service_ns))
            )
        last = said[-1]
        emulated = any(each.is_emulated for each in said)
        known = self._holds or emulated
        provider = last.provider or (self._scenario.provider if known else None)
        mode = ProviderMode.EMULATED if emulated else self._scenario.mode if self._holds else None
        model = next((each.model for each in reversed(said) if each.model), None)
        found: dict[str, Any] = {}
        if provider is not None:
            found["draft_source"] = provider
        if model is not None:
            found["draft_model"] = model
        if mode is not None:
            found["provider_mode"] = mode
        usage = _sum([each.usage for each in said if each.usage is not None])
        if usage is not None:
            found["draft_input_tokens"] = usage.input_tokens
            found["draft_cache_read_tokens"] = usage.cache_read_tokens
            found["draft_cache_write_tokens"] = usage.cache_write_tokens
            found["draft_output_tokens"] = usage.output_tokens
        return found | _charged_columns(self._charged(said, provider, service_ns))

    def _charged(self, said: Sequence[Said], provider: str | None, service_ns: int) -> Charged:
        """The cost of all answers together; unknown if that of any is."""
        parts = [
            self._charge(each, provider)
            for each in said
            if each.cost_usd is not None or each.usage is not None or each.tells_usage
        ]
        unknown = next((part for part in parts if part.usd is None), None)
        if parts and unknown is None:
            source = CostSource.TOLD if all(p.source is CostSource.TOLD for p in parts) else CostSource.USAGE
            return Charged(sum((part.usd or Decimal(0) for part in parts), Decimal(0)), source)
        if self._hourly is not None:
            return self._by_the_hour(self._hourly, service_ns)
        return unknown or Charged(because=_NOT_TOLD)

    def _charge(self, said: Said, provider: str | None) -> Charged:
        if said.cost_usd is not None:
            return Charged(money_usd(said.cost_usd), CostSource.TOLD)
        if said.usage is None:
            return Charged(because=said.problem or "the answer does not tell its usage")
        charged_by, model = self._priced_as(said, provider)
        if charged_by is None:
            return Charged(because="neither the scenario nor the answer names a provider to price by")
        if model is None or self._book is None:
            return Charged(because="neither the answer nor the scenario names a model to price by")
        priced = self._book.price(
            charged_by,
            model,
            said.usage,
            at=SYSTEM_CLOCK.now(),
            context=said.price_context,
            terms=said.terms,
            itemised=False,
        )
        source = None if priced.cost_usd is None else CostSource.USAGE
        return Charged(priced.cost_usd, source, priced.problem)

    def _priced_as(self, said: Said, provider: str | None) -> tuple[str | None, str | None]:
        """Provider and model in the price book: the scenario's own, else those that answered."""
        price = self._scenario.price
        if price is not None and price.model is not None:
            return price.provider, price.model
        return said.provider or provider, said.model or self._model

    def _by_the_hour(self, usd_per_hour: Decimal, service_ns: int) -> Charged:
        """A machine's price shared by its requests.

        An open loop's requests come at a known rate, so each costs what the machine costs from one to the
        next. The users of a closed loop keep it busy together, so each request costs its share of the time.
        """
        shared_ns = service_ns // self._users if self._users else self._spacing_ns
        if shared_ns is None:
            return Charged(because="one request alone has no share of an hour")
        return Charged(money_usd(usd_per_hour * shared_ns / _NS_AN_HOUR), CostSource.HOURLY)


def _charged_columns(charged: Charged) -> dict[str, Any]:
    if charged.usd is None:
        return {"unpriced": True, "unpriced_because": (charged.because or _NOT_TOLD)[:_MOST_REASON_CHARS]}
    return {
        "cost_usd": charged.usd,
        "draft_cost_usd": charged.usd,
        "cost_source": charged.source,
        "unpriced": False,
    }


def _spacing_ns(plan: LoadPlan) -> int | None:
    """Mean time from one arrival to the next; None for a closed loop and for fewer than two arrivals."""
    schedule = plan.schedule_ns()
    return (schedule[-1] - schedule[0]) // (len(schedule) - 1) if len(schedule) > 1 else None


def _sum(usages: Sequence[Usage]) -> Usage | None:
    if len(usages) < 2:
        return usages[0] if usages else None
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cache_read_tokens=sum(usage.cache_read_tokens for usage in usages),
        cache_write_5m_tokens=sum(usage.cache_write_5m_tokens for usage in usages),
        cache_write_1h_tokens=sum(usage.cache_write_1h_tokens for usage in usages),
        reasoning_tokens=sum(usage.reasoning_tokens for usage in usages),
    )
