"""From a provider's kind to its adapter: the shipped ones, and plug-ins by entry point."""

from collections.abc import Callable
from importlib import import_module

from harness.errors import ConfigError
from harness.plugins import Plugins
from harness.providers.base import LLMAdapter, ProviderSettings
from harness.providers.capabilities import capabilities_of, shipped_default

AdapterFactory = Callable[[ProviderSettings, str], LLMAdapter]
"""What a plug-in registers: called with the settings and a resolved model."""

# By name, not by import: each SDK costs a second or more, paid only by those who use it.
_KINDS: Plugins[AdapterFactory] = Plugins(
    "provider kind",
    "harness.providers",
    shipped={
        "anthropic": "harness.providers.anthropic:AnthropicAdapter",
        "openai": "harness.providers.openai:OpenAIAdapter",
        "openai_compatible": "harness.providers.openai:OpenAIAdapter",
        "gemini": "harness.providers.gemini:GeminiAdapter",
        "bedrock": "harness.providers.bedrock:BedrockAdapter",
        "fixtures": "harness.providers.fixtures:FixturesAdapter",
    },
    extras={"gemini": "google-genai", "bedrock": "boto3"},
)

AUTO = "auto"

register_provider = _KINDS.register
provider_kinds = _KINDS.names


def require_kind(kind: str, source: str) -> None:
    """Check that a kind can be built; a shipped one is not imported for it.

    Raises:
        ConfigError: there is none of that name; names the source.
    """
    if kind not in _KINDS.shipped:
        _KINDS.find(kind, source=source)


def build_adapter(settings: ProviderSettings, model: str) -> LLMAdapter:
    """The adapter of a provider and model; `auto` becomes the kind's default.

    Raises:
        ConfigError: unknown kind, one whose package is not installed, or one without a default that was asked
            for `auto`.
    """
    named = default_model(settings.kind) if model == AUTO else model
    factory = _responses() if _speaks_responses(settings, named) else _KINDS.find(settings.kind)
    return factory(settings, named)


def _responses() -> AdapterFactory:
    factory: AdapterFactory = import_module("harness.providers.openai_responses").ResponsesAdapter
    return factory


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
    named = shipped_default(kind) or getattr(_KINDS.find(kind), "default_model", None)
    if not named:
        raise ConfigError("LLM_MODEL", f"providers of kind '{kind}' have no default model: name one")
    return str(named)
