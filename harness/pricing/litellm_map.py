"""The cost map that the `litellm` wheel ships, read as data: nothing of the package is ever imported.

It is a second opinion on prices, never a price: no call is charged by it.
"""

import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.inputs import parse_json, read_bytes
from harness.pricing.catalogue import BATCH, STANDARD
from harness.pricing.names import forms_of
from harness.pricing.naming import canonical_provider
from harness.pricing.rates import Rate, RateCard, Tier

PACKAGE = "litellm"
_FILE = "model_prices_and_context_window_backup.json"
_MOST_BYTES = 64 * 1024 * 1024
_MTOK_EXPONENT = 6
_ENDINGS: Mapping[str, str] = {
    STANDARD: "",
    BATCH: "_batches",
    "priority": "_priority",
    "flex": "_flex",
}
_ABOVE = re.compile(r"_above_(\d+)k_tokens")
_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "aws": ("", "bedrock/"),
    "fireworks": ("fireworks_ai/accounts/fireworks/models/", "fireworks_ai/"),
    "google": ("gemini/", "vertex_ai/", ""),
    "moonshotai": ("moonshot/",),
    "together": ("together_ai/",),
    "x-ai": ("xai/",),
}
"""How the map begins the names of a provider's models; by default with nothing, or the provider's name."""


@dataclass(frozen=True, slots=True)
class TheirEntry:
    """One model of the map, under the name it has there."""

    name: str
    told: Mapping[str, Any]

    @property
    def source_url(self) -> str | None:
        """Where the map says that it has the prices from."""
        source = self.told.get("source")
        return source if isinstance(source, str) else None

    def card(self, context: str) -> RateCard | None:
        """Its prices in a context; None where it has none."""
        ending = _ENDINGS.get(context)
        if ending is None or self._rate("input_cost_per_token", ending) is None:
            return None
        plain = self._rate("input_cost_per_token", ending)
        output = self._rate("output_cost_per_token", ending)
        return RateCard(
            input=plain,
            output=output,
            cache_read=self._rate("cache_read_input_token_cost", ending),
            cache_write_5m=self._rate("cache_creation_input_token_cost", ending),
            cache_write_1h=self._rate("cache_creation_input_token_cost_above_1hr", ending),
            reasoning=self._rate("output_cost_per_reasoning_token", ending) or output,
        )

    def _rate(self, name: str, ending: str) -> Rate | None:
        base = self._usd_per_mtok(name + ending)
        if base is None:
            return None
        tiers = [
            Tier(int(above[1]) * 1_000, price)
            for key in self.told
            if key.startswith(name) and key.endswith(ending)
            if (above := _ABOVE.fullmatch(key.removeprefix(name).removesuffix(ending)))
            if (price := self._usd_per_mtok(key)) is not None
        ]
        return Rate(base, tuple(sorted(tiers, key=lambda tier: tier.above_input_tokens)))

    def _usd_per_mtok(self, key: str) -> Decimal | None:
        value = self.told.get(key)
        if not isinstance(value, Decimal | int) or isinstance(value, bool) or value < 0:
            return None
        return Decimal(value).scaleb(_MTOK_EXPONENT)


@dataclass(frozen=True, slots=True)
class CostMap:
    """The map and what it calls itself; `published` is None where nothing tells."""

    version: str
    published: date | None
    entries: Mapping[str, TheirEntry]

    def find(self, provider: str, model: str, priced_as: str | None) -> TheirEntry | None:
        """The map's entry for a model, by the names that both know; None where it has none.

        Args:
            provider: as configured.
            model: as called.
            priced_as: the price data's own name of the model.
        """
        charged_by = canonical_provider(provider)
        for name in _names(charged_by, model, priced_as):
            entry = self.entries.get(name)
            if entry and _provider_of(entry) == charged_by:
                return entry
        return None


def read_cost_map(path: Path | None = None) -> CostMap:
    """The map of the installed wheel, or of a file of that format.

    Raises:
        UsageError: the package is not installed.
        ConfigError: the file cannot be read, or is no cost map.
    """
    if path is not None:
        return CostMap(path.name, None, _entries(path))
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise UsageError("the package litellm is not installed: pip install 'llm-harness[litellm]'")
    try:
        version = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        version = "of an unknown version"
    return CostMap(f"{PACKAGE} {version}", _published(), _entries(Path(folders[0]) / _FILE))


def _entries(path: Path) -> dict[str, TheirEntry]:
    told = parse_json(read_bytes(path, _MOST_BYTES), str(path), exact=True)
    models = told if isinstance(told, dict) else {}
    return {
        name.lower(): TheirEntry(name, entry) for name, entry in models.items() if isinstance(entry, dict)
    }


def _published() -> date | None:
    """The day the wheel was built, by the bill of materials that it carries."""
    for file in importlib.metadata.files(PACKAGE) or ():
        if file.name.endswith(".cyclonedx.json"):
            found = re.search(r'"timestamp":\s*"(\d{4}-\d\d-\d\d)', file.read_text(encoding="utf-8")[:4_096])
            return date.fromisoformat(found[1]) if found else None
    return None


def _names(provider: str, model: str, priced_as: str | None) -> Iterator[str]:
    prefixes = _PREFIXES.get(provider, ("", f"{provider}/"))
    for asked in dict.fromkeys(name for name in (model, priced_as) if name):
        for form in forms_of(asked.rpartition(f"{provider}/")[2]):
            yield from (prefix + form for prefix in prefixes)


def _provider_of(entry: TheirEntry) -> str:
    told = entry.told.get("litellm_provider")
    name = told if isinstance(told, str) else ""
    return canonical_provider(name.partition("-")[0] if name.startswith("vertex_ai-") else name)
