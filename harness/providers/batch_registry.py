"""From a provider's kind to its batch API: the shipped ones."""

from dataclasses import replace

from harness.errors import ConfigError
from harness.plugins import Plugins
from harness.providers.base import ProviderSettings
from harness.providers.batch import BatchApi
from harness.providers.registry import build_adapter

# By name, not by import: each SDK costs a second or more, paid only by those who use it.
_KINDS: Plugins[type[BatchApi]] = Plugins(
    "batch API",
    "harness.batch_apis",
    shipped={
        "anthropic": "harness.providers.anthropic_batch:AnthropicBatches",
        "openai": "harness.providers.openai_batch:OpenAIBatches",
        "openai_compatible": "harness.providers.openai_batch:OpenAIBatches",
    },
)


def batch_api(settings: ProviderSettings, model: str) -> BatchApi:
    """The batches of a provider and model.

    Raises:
        ConfigError: the provider's kind has no batch API here.
    """
    if not has_batch_api(settings):
        raise ConfigError("--batch", f"provider '{settings.name}' has no batch API here")
    api = _KINDS.find(settings.kind)
    return api.of(build_adapter(replace(settings, stream=False), model))


def has_batch_api(settings: ProviderSettings) -> bool:
    """Whether `batch_api` knows the provider's kind."""
    return settings.kind in _KINDS.names()
