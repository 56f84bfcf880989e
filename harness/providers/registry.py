"""From a provider's kind to its adapter: the shipped ones, and plug-ins by entry point."""

import importlib
from collections.abc import Callable
from importlib.metadata import entry_points

from harness.errors import ConfigError
from harness.providers.base import LLMAdapter, ProviderSettings
from harness.providers.capabilities import shipped_default

ENTRY_POINT_GROUP = "harness.providers"

AdapterFactory = Callable[[ProviderSettings, str], LLMAdapter]
"""What a plug-in registers: called with the settings and a resolved model."""

# By name, not by import: each SDK costs a second or more, paid only by those who use it.
_SHIPPED = {
    "anthropic": "harness.providers.anthropic:AnthropicAdapter",
    "openai": "harness.providers.openai:OpenAIAdapter",
    "fixtures": "harness.providers.fixtures:FixturesAdapter",
}
_registered: dict[str, AdapterFactory] = {}

AUTO = "auto"


def register_provider(kind: str, factory: AdapterFactory) -> None:
    """Make a kind known in this process, without an entry point (tests, notebooks, embedding programs).

    Raises:
        ConfigError: a shipped kind cannot be replaced; records must mean what they say.
    """
    if kind in _SHIPPED:
        raise ConfigError(f"provider kind '{kind}'", "ships with harness and cannot be replaced")
    _registered[kind] = factory


def provider_kinds() -> list[str]:
    """Every kind that can be configured, sorted."""
    plugged = {point.name for point in entry_points(group=ENTRY_POINT_GROUP)}
    return sorted({*_SHIPPED, *_registered, *plugged})


def build_adapter(settings: ProviderSettings, model: str) -> LLMAdapter:
    """The adapter of a provider and model; `auto` becomes the kind's default.

    Raises:
        ConfigError: unknown kind, or a kind without a default was asked for `auto`.
    """
    factory = _factory(settings.kind)
    return factory(settings, default_model(settings.kind) if model == AUTO else model)


def default_model(kind: str) -> str:
    """The model that `auto` means for a kind, from the data file or the plug-in factory's `default_model`.

    Raises:
        ConfigError: unknown kind, or one that names no default.
    """
    named = shipped_default(kind) or getattr(_factory(kind), "default_model", None)
    if not named:
        raise ConfigError("LLM_MODEL", f"providers of kind '{kind}' have no default model: name one")
    return str(named)


def _factory(kind: str) -> AdapterFactory:
    if kind in _SHIPPED:
        module, name = _SHIPPED[kind].split(":")
        shipped: AdapterFactory = getattr(importlib.import_module(module), name)
        return shipped
    if kind in _registered:
        return _registered[kind]
    for point in entry_points(group=ENTRY_POINT_GROUP, name=kind):
        plugged: AdapterFactory = point.load()
        return plugged
    known = ", ".join(provider_kinds())
    raise ConfigError(f"provider kind '{kind}'", f"is not known; known kinds: {known}")
