"""Models named on the command line: an endpoint or a configured provider, and what it charges.

`--model local=http://127.0.0.1:8000/v1:my-model` makes a provider and a strategy, both called `local`;
`--price local=0.2/0.6` says what it charges, in USD per million tokens of input and output. So a first
comparison needs no config file.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from harness.errors import UsageError
from harness.orchestration import Routing, Strategy
from harness.orchestration.config_file import ProviderEntry
from harness.orchestration.routing import BUILT_IN_PROVIDERS
from harness.orchestration.strategy import StrategyType
from harness.pricing.overrides import Overrides, PriceEntry

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ENDPOINT = re.compile(r"(https?://(?:\[[^\]\s]+\]|[^/:\s]+)(?::\d+)?(?:/[^:\s]*)?):(\S+)")
_CONFIGURED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,63})/(\S+)")
PRICE_SOURCE = "--price"
_MOST_USD = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """One `--model`.

    Attributes:
        name: of the strategy, and of the provider where it is an endpoint.
        provider: a configured one; None for an endpoint.
        base_url: of an OpenAI-compatible endpoint; None for a configured provider.
        written: as given, for the run's record.
    """

    name: str
    model: str
    provider: str | None
    base_url: str | None
    written: str

    @property
    def key_variable(self) -> str:
        """The variable that may hold an endpoint's key."""
        return f"{re.sub(r'[^A-Za-z0-9]', '_', self.name).upper()}_API_KEY"

    @property
    def is_on_this_machine(self) -> bool:
        """Whether it is asked over loopback, so that nobody bills for it."""
        host = urlsplit(self.base_url or "").hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def parse_models(written: Sequence[str]) -> tuple[ModelChoice, ...]:
    """The models that `--model` names.

    Raises:
        UsageError: one is not written as `NAME=URL:MODEL` or `NAME=PROVIDER/MODEL`, or a name stands twice.
    """
    found = tuple(_model(text) for text in written)
    names = [choice.name for choice in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"--model: two are called '{name}'; their figures could not be told apart")
    return found


def _model(text: str) -> ModelChoice:
    name, _, where = text.partition("=")
    form = "expected NAME=URL:MODEL, as in local=http://127.0.0.1:8000/v1:my-model, or NAME=PROVIDER/MODEL"
    if not _NAME.fullmatch(name) or not where:
        raise UsageError(f"--model '{text[:80]}': {form}")
    endpoint, configured = _ENDPOINT.fullmatch(where), _CONFIGURED.fullmatch(where)
    if endpoint is not None:
        if name in BUILT_IN_PROVIDERS:
            raise UsageError(f"--model '{name}=...': '{name}' is a built-in provider; take another name")
        if "@" in urlsplit(endpoint[1]).netloc:
            raise UsageError(f"--model '{name}=...': the URL carries a user name or password")
        return ModelChoice(name=name, model=endpoint[2], provider=None, base_url=endpoint[1], written=text)
    if configured is not None and not where.startswith(("http:", "https:")):
        return ModelChoice(
            name=name, model=configured[2], provider=configured[1], base_url=None, written=text
        )
    raise UsageError(f"--model '{text[:80]}': {form}")


def routing_with(routing: Routing, models: Sequence[ModelChoice]) -> Routing:
    """The routing that knows the endpoints as providers of their names, too.

    Raises:
        UsageError: a name is that of a configured provider already.
    """
    entries = dict(routing.providers)
    for choice in models:
        if choice.base_url is None:
            continue
        if choice.name in entries:
            raise UsageError(f"--model '{choice.name}=...': a provider is configured under that name")
        key = choice.key_variable if routing.env.get(choice.key_variable, "").strip() else None
        entries[choice.name] = ProviderEntry(kind="openai", base_url=choice.base_url, api_key_env=key)
    return replace(routing, providers=entries)


def strategy_of(choice: ModelChoice, routing: Routing) -> Strategy:
    """The strategy that asks one model for everything."""
    route = routing.route_to(choice.provider or choice.name, choice.model, origin=f"--model {choice.name}")
    return Strategy(name=choice.name, type=StrategyType.SINGLE, draft=route, repair=route)


def parse_prices(written: Sequence[str], models: Sequence[ModelChoice]) -> Overrides | None:
    """The prices that `--price` gives; None when it gives none.

    Raises:
        UsageError: one is not written as `NAME=IN/OUT`, or names no model of `--model`.
    """
    if not written:
        return None
    known = {choice.name: choice for choice in models}
    return Overrides(
        source=PRICE_SOURCE,
        version=";".join(written)[:64],
        provider_aliases={},
        prices=tuple(_price(text, known) for text in written),
    )


def _price(text: str, known: Mapping[str, ModelChoice]) -> PriceEntry:
    name, _, amounts = text.partition("=")
    parts = [_usd(part) for part in amounts.split("/")]
    if len(parts) not in (2, 3) or None in parts:
        raise UsageError(
            f"--price '{text[:80]}': expected NAME=IN/OUT in USD per million tokens, as in local=0.2/0.6, "
            "with cached input's price as a third where it differs"
        )
    if name not in known:
        named = ", ".join(known) or "none"
        raise UsageError(f"--price '{text[:80]}': no --model is called '{name}' (named: {named})")
    choice = known[name]
    fields = {
        "provider": choice.provider or choice.name,
        "model": choice.model,
        "start_date": date(1970, 1, 1).isoformat(),
        "source_url": "file:///command-line/--price",
        "input_usd_per_mtok": parts[0],
        "output_usd_per_mtok": parts[1],
        "cache_read_usd_per_mtok": parts[2] if len(parts) == 3 else parts[0],
    }
    return PriceEntry.model_validate(fields)


def _usd(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount <= _MOST_USD else None
