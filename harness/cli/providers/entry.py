"""The provider entry that a probe found to work, and its place in a providers file."""

from pathlib import Path
from typing import Any

import orjson

from harness.clock import SYSTEM_CLOCK
from harness.inputs import LARGEST_SETTINGS_BYTES, load_json
from harness.orchestration.config_file import ProviderEntry, load_providers_file
from harness.outputs import replace_file
from harness.pricing import PriceBook
from harness.providers import ProviderSettings
from harness.providers.probing import Probe


def found_entry(
    settings: ProviderSettings, key_env: str | None, probe: Probe, *, is_priced: bool
) -> dict[str, Any]:
    """The entry under which the endpoint answered; only what differs from the defaults.

    Its own bill counts where the price book has none for the model.
    """
    told = probe.streamed.provider_cost_usd if probe.streamed.is_answered else probe.whole.provider_cost_usd
    entry: dict[str, Any] = {"kind": settings.kind}
    if settings.base_url is not None:
        entry["base_url"] = settings.base_url
    if key_env is not None:
        entry["api_key_env"] = key_env
    if settings.local:
        entry["local"] = True
    if not probe.streamed.is_answered and probe.whole.is_answered:
        entry["stream"] = False
    if told is not None and not is_priced and not settings.local:
        entry["cost"] = "provider"
    ProviderEntry.model_validate(entry)
    return entry


def is_priced(book: PriceBook, settings: ProviderSettings, probe: Probe) -> bool:
    """Whether the price book knows the model that answered."""
    served = probe.streamed.served_model or probe.whole.served_model
    model = book.charged_model(settings.name, probe.model, served)
    return settings.local or book.quote(settings.name, model, at=SYSTEM_CLOCK.now()) is not None


def write_entry(path: Path, name: str, entry: dict[str, Any]) -> None:
    """Put the entry into a providers file, whatever else it holds; the file is made where there is none.

    Raises:
        ConfigError: the file is there and is no providers file.
        StoreError: it cannot be written.
    """
    content: dict[str, Any] = {}
    if path.exists():
        load_providers_file(path)
        content = dict(load_json(path, LARGEST_SETTINGS_BYTES))
    content["providers"] = {**content.get("providers", {}), name: entry}
    replace_file(path, orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
