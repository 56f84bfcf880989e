"""How to call a model: one adapter a wire format, one attempt a call."""

from harness.providers.attempt import Attempt
from harness.providers.base import LLMAdapter, ProviderSettings
from harness.providers.capabilities import Capabilities, Structured, capabilities_of
from harness.providers.registry import (
    AdapterFactory,
    build_adapter,
    default_model,
    provider_kinds,
    register_provider,
    require_kind,
)

__all__ = [
    "AdapterFactory",
    "Attempt",
    "Capabilities",
    "LLMAdapter",
    "ProviderSettings",
    "Structured",
    "build_adapter",
    "capabilities_of",
    "default_model",
    "provider_kinds",
    "register_provider",
    "require_kind",
]
