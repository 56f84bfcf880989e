"""From a provider's kind to its adapter: the shipped ones, and plug-ins by entry point."""

import importlib
from collections.abc import Callable
from importlib.metadata import entry_points

from harness.errors import ConfigError
from harness.providers.base import LLMAdapter, ProviderSettings
from harness.providers.capabilities import capabilities_of, shipped_default

ENTRY_POINT_GROUP = "harness.providers"

AdapterFactory = Callable[[ProviderSettings, str], LLMAdapter]
"""What a plug-in registers: called with the settings and a resolved model."""

# By name, not by import: each SDK costs a second or more, paid only by those who use it.
_SHIPPED = {
    "anthropic": "harness.providers.anthropic:AnthropicAdapter",
    "openai": "harness.providers.openai:OpenAIAdapter",
    "openai_compatible": "harness.providers.openai:OpenAIAdapter",
    "gemini": "harness.providers.gemini:GeminiAdapter",
    "bedrock": "harness.providers.bedrock:BedrockAdapter",
    "fixtures": "harness.providers.fixtures:FixturesAdapter",
}
_EXTRAS = {"gemini": "google-genai", "bedrock": "boto3"}
"""The SDKs of kinds that come with the extra of the kind's name."""
_RESPONSES = "harness.providers.openai_responses:ResponsesAdapter"
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
        ConfigError: unknown kind, one whose package is not installed, or one without a default that was asked
            for `auto`.
    """
    named = default_model(settings.kind) if model == AUTO else model
    factory = _imported(_RESPONSES) if _speaks_responses(settings, named) else _factory(settings.kind)
    return factory(settings, named)


def _speaks_responses(settings: ProviderSettings, model: str) -> bool:
    """Whether a model is asked over the responses route: as configured, else as OpenAI's own models need."""
    if settings.api is not None:
        return settings.api == "responses"
    return settings.kind == "openai" and capabilities_of("openai", model).api == "responses"


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
        try:
            return _imported(_SHIPPED[kind])
        except ImportError as error:
            if kind not in _EXTRAS:
                raise
            raise ConfigError(
                f"provider kind '{kind}'",
                f"needs {_EXTRAS[kind]}, which is not installed: pip install 'llm-harness[{kind}]'",
            ) from error
    if kind in _registered:
        return _registered[kind]
    for point in entry_points(group=ENTRY_POINT_GROUP, name=kind):
        plugged: AdapterFactory = point.load()
        return plugged
    known = ", ".join(provider_kinds())
    raise ConfigError(f"provider kind '{kind}'", f"is not known; known kinds: {known}")


def _imported(place: str) -> AdapterFactory:
    module, name = place.split(":")
    factory: AdapterFactory = getattr(importlib.import_module(module), name)
    return factory
