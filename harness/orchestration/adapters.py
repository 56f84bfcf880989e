"""Adapters kept open for as long as their owner lives: one per provider and model."""

from harness.orchestration.routing import Route
from harness.providers.base import LLMAdapter
from harness.providers.registry import build_adapter


class AdapterPool:
    """Builds adapters on demand and closes them together."""

    def __init__(self) -> None:
        self._adapters: dict[tuple[str, str], LLMAdapter] = {}

    def get(self, route: Route) -> LLMAdapter:
        """The adapter of a route.

        Raises:
            ConfigError: the provider's key is missing.
        """
        key = (route.provider, route.model)
        adapter = self._adapters.get(key)
        if adapter is None:
            route.require_key()
            adapter = self._adapters[key] = build_adapter(route.settings, route.model)
        return adapter

    async def aclose(self) -> None:
        """Release every connection."""
        for adapter in self._adapters.values():
            await adapter.aclose()
        self._adapters.clear()
