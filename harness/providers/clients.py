"""SDK clients shared by every adapter of the same settings on the same event loop.

A client holds a connection pool that belongs to its loop; the last adapter to let go closes it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from harness.providers.base import ProviderSettings


class Closable(Protocol):
    """What is asked of a client here."""

    async def close(self) -> None:
        """Release connections."""
        ...


ClientT = TypeVar("ClientT", bound=Closable)


@dataclass(slots=True)
class _Shared(Generic[ClientT]):
    client: ClientT
    holders: set[object] = field(default_factory=set)


class ClientPool(Generic[ClientT]):
    """The clients of one SDK.

    Args:
        make: builds a client from settings; called at most once per settings and event loop.
    """

    def __init__(self, make: Callable[[ProviderSettings], ClientT]) -> None:
        self._make = make
        self._by_loop: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[ProviderSettings, _Shared[ClientT]]
        ] = WeakKeyDictionary()

    def lend(self, settings: ProviderSettings, holder: object) -> ClientT:
        """The client of these settings on the running loop, made if need be."""
        clients = self._by_loop.setdefault(asyncio.get_running_loop(), {})
        shared = clients.get(settings)
        if shared is None:
            shared = clients[settings] = _Shared(self._make(settings))
        shared.holders.add(holder)
        return shared.client

    async def give_back(self, settings: ProviderSettings, holder: object) -> None:
        """Let go of a client; the last holder closes it. Giving back what was not lent does nothing."""
        clients = self._by_loop.get(asyncio.get_running_loop(), {})
        shared = clients.get(settings)
        if shared is None or holder not in shared.holders:
            return
        shared.holders.discard(holder)
        if not shared.holders:
            del clients[settings]
            await shared.client.close()
