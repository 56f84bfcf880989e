"""A connection pool's look at its idle sockets, made cheap.

Whenever a request begins or ends, httpcore asks every idle connection whether its socket has become readable
(then the server has hung up). Its anyio stream answers by working out all that is known of the socket, peer
names included: with 64 connections a sixth of an evaluation's processor time. A socket does not change, so
here it is looked up once.
"""

from select import POLLIN, poll
from typing import Any

import httpcore2
import httpx2


class _Stream(httpcore2.AsyncNetworkStream):
    """A network stream that keeps its socket at hand; everything else is the stream's own."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._ready: Any = None
        self.read = stream.read  # type: ignore[method-assign]  # no hand-off for every read and write
        self.write = stream.write  # type: ignore[method-assign]
        self.aclose = stream.aclose  # type: ignore[method-assign]

    async def start_tls(self, *args: Any, **kwargs: Any) -> httpcore2.AsyncNetworkStream:
        """The stream under TLS."""
        return _Stream(await self._stream.start_tls(*args, **kwargs))

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection; `is_readable` is looked at anew each time."""
        if info != "is_readable":
            return self._stream.get_extra_info(info)
        if self._ready is None:
            socket = self._stream.get_extra_info("socket")
            if socket is None or socket.fileno() < 0:
                return self._stream.get_extra_info(info)
            self._ready = poll()
            self._ready.register(socket.fileno(), POLLIN)
        return bool(self._ready.poll(0))


class _Backend(httpcore2.AsyncNetworkBackend):
    """Opens connections as another backend does."""

    def __init__(self, backend: httpcore2.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore2.AsyncNetworkStream:
        """A TCP connection."""
        return _Stream(await self._backend.connect_tcp(*args, **kwargs))

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore2.AsyncNetworkStream:
        """A connection to a Unix socket."""
        return await self._backend.connect_unix_socket(*args, **kwargs)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)


def watch_cheaply(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The client, whose direct connections look at their sockets cheaply; proxies stay as they are.

    A transport of our own would do it without reaching in, but then httpx ignores the environment's proxies.
    """
    pool = getattr(getattr(client, "_transport", None), "_pool", None)
    if isinstance(pool, httpcore2.AsyncConnectionPool):
        pool._network_backend = _Backend(pool._network_backend)  # noqa: SLF001 - no setter
    return client
