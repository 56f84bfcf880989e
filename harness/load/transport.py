"""HTTP over one shared gevent connection pool, with the least work a request can cost.

geventhttpclient gives the pool and the C parser; the request's head is written here, because merging header
dictionaries for every request costs as much as the rest of it.
"""

import time
from collections.abc import Mapping
from select import POLLIN
from typing import Any
from urllib.parse import urlsplit

from gevent import monkey
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.response import HTTPSocketPoolResponse

from harness.addresses import request_target, shown
from harness.errors import TargetError
from harness.providers.reading.events import MOST_BODY_BYTES, TooLargeError

_system_poll = monkey.get_original("select", "poll")

MAX_IDLE_NS = 4_000_000_000
"""Servers close idle connections (uvicorn and Node after 5 s); one that is about to close would fail a
request through no fault of the target."""

BLOCK_BYTES = 65_536


class _FreshOnly:
    """A pool that hands out no connection that has been idle for too long, or that has something to read."""

    def return_socket(self: Any, sock: Any) -> None:
        self.__dict__.setdefault("_idle_since", {})[sock] = time.perf_counter_ns()
        super().return_socket(sock)  # type: ignore[misc]

    def _is_socket_alive(self: Any, sock: Any) -> bool:
        since = self.__dict__.setdefault("_idle_since", {}).pop(sock, 0)
        if time.perf_counter_ns() - since > MAX_IDLE_NS:
            return False
        try:
            # Nothing is due on an idle connection: whatever can be read is its end. The system's own poll, in
            # place of gevent's select: one call, and descriptors above 1,023 (of 2,000 in flight) work.
            poller = _system_poll()
            poller.register(sock, POLLIN)
            return not poller.poll(0)
        except (OSError, ValueError):  # closed meanwhile
            return False


class _PlainPool(_FreshOnly, ConnectionPool):
    pass


class _TlsPool(_FreshOnly, SSLConnectionPool):
    pass


class _BoundedResponse(HTTPSocketPoolResponse):
    """An answer that is refused when more of it waits to be read than any answer has."""

    def feed(self, data: Any) -> None:
        super().feed(data)
        if len(self._body_buffer) > MOST_BODY_BYTES:
            raise TooLargeError(f"the answer, or a line of it, is larger than {MOST_BODY_BYTES} bytes")


class Transport:
    """Posts bodies to one path of one target.

    Args:
        target: base URL, http or https; certificates are verified.
        path: appended to it.
        headers: sent with every request.
        size: most connections at once.
        timeout_s: for connecting. For the whole of a request the caller keeps a deadline of its own; another
            timer for each wait on the socket would only cost time.
    """

    def __init__(
        self, target: str, path: str, *, headers: Mapping[str, str], size: int, timeout_s: float
    ) -> None:
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TargetError(f"the target must be an http or https URL, not '{shown(target)[:80]}'")
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        pool_type: Any = _TlsPool if tls else _PlainPool
        self._pool: Any = pool_type(
            parts.hostname,
            port,
            parts.hostname,
            port,
            size=size,
            connection_timeout=timeout_s,
            network_timeout=None,
        )
        lines = [f"POST {request_target(target, path)} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = ("\r\n".join(lines) + "\r\nX-Request-Id: ").encode("ascii")

    def post(self, request_id: str, body: bytes) -> HTTPSocketPoolResponse:
        """Send one request; returns when the headers of its answer are in.

        Raises:
            OSError, HTTPParseError: no answer, or not HTTP. A request is never sent twice.
        """
        sock = self._pool.get_socket()
        try:
            sock.sendall(
                b"%b%b\r\nContent-Length: %d\r\n\r\n%b"
                % (self._head, request_id.encode("ascii"), len(body), body)
            )
        except BaseException:
            self._pool.release_socket(sock)
            raise
        return _BoundedResponse(sock, self._pool, block_size=BLOCK_BYTES, method="POST")

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()
