"""Adapters for an evaluation: one set for all, or one for each strategy and repeat on the emulator."""

from collections.abc import Sequence
from dataclasses import replace

from harness.evaluation.plan import Unit
from harness.orchestration import AdapterPool, Route
from harness.providers.base import LLMAdapter

DRAW_HEADER = "X-Emulate-Draw"


class _DrawingPool(AdapterPool):
    """Adapters whose every attempt names its draw to the emulator."""

    def __init__(self, draw: str) -> None:
        super().__init__()
        self._headers = ((DRAW_HEADER, draw),)

    def get(self, route: Route) -> LLMAdapter:
        """The adapter of a route, with the header."""
        settings = replace(route.settings, extra_headers=(*route.settings.extra_headers, *self._headers))
        return super().get(replace(route, settings=settings))


class EvaluationPools:
    """The pools of one session; closed together.

    Args:
        emulated: repeats are told apart by a header, so that what the emulator draws for one does not depend
            on the order in which they arrive, nor on a crash in between.
    """

    def __init__(self, *, emulated: bool) -> None:
        self._emulated = emulated
        self._pools: dict[str, AdapterPool] = {}

    def of(self, unit: Unit) -> AdapterPool:
        """The pool that a unit's calls go through."""
        return self.drawing(f"{unit.strategy.name}/{unit.repeat}")

    def drawing(self, name: str) -> AdapterPool:
        """The pool of one draw, by name; the one for all where nothing is emulated."""
        draw = name if self._emulated else ""
        if draw not in self._pools:
            self._pools[draw] = _DrawingPool(draw) if draw else AdapterPool()
        return self._pools[draw]

    def prepare(self, todo: Sequence[Unit]) -> None:
        """Build every adapter that the units will ask: what an SDK takes to import is in nobody's latency.

        Raises:
            ConfigError: a provider's key is missing.
        """
        for unit in {(one.strategy.name, one.repeat): one for one in todo}.values():
            for route in unit.strategy.routes:
                self.of(unit).get(route)

    async def aclose(self) -> None:
        """Release every connection."""
        for pool in self._pools.values():
            await pool.aclose()
