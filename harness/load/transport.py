"""HTTP over one shared gevent connection pool, with the least work a request can cost.

geventhttpclient gives the pool and the C parser; the request's head is written here, because merging header
dictionaries for every request costs as much as the rest of it.
"""

import time
from select import POLLIN
from typing import Any
from urllib.parse import urlsplit

from gevent import monkey
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPSocketPoolResponse

from harness.addresses import request_target, shown
from harness.errors import TargetError
from harness.load.message import RequestLine
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


class BoundedResponse(HTTPSocketPoolResponse):
    """An answer that is refused when more of it waits to be read than any answer has."""

    def feed(self, data: Any) -> None:
        """Take what was received in."""
        super().feed(data)
        if len(self._body_buffer) > MOST_BODY_BYTES:
            raise TooLargeError(f"the answer, or a line of it, is larger than {MOST_BODY_BYTES} bytes")

    def piece(self) -> bytes:
        """What has arrived of the body, as soon as anything has; empty at its end."""
        while not self._body_buffer and not self.message_complete:
            if self._sock is None:
                raise HTTPConnectionClosed("connection closed.")
            try:
                self.feed(self._sock.recv(self.block_size))
            except BaseException:
                self.release()
                raise
        found = bytes(self._body_buffer)
        self._body_buffer.clear()
        return found


class Transport:
    """Sends requests to one target.

    Args:
        target: base URL, http or https; certificates are verified.
        size: most connections at once.
        timeout_s: for connecting. For the whole of a request the caller keeps a deadline of its own; another
            timer for each wait on the socket would only cost time.
    """

    def __init__(self, target: str, *, size: int, timeout_s: float) -> None:
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
        self._target = target
        self._host = parts.netloc.rpartition("@")[2]

    def send(self, line: RequestLine, request_id: str, body: bytes | None) -> BoundedResponse:
        """Send one request; returns when the headers of its answer are in.

        Raises:
            OSError, HTTPParseError: no answer, or not HTTP. A request is never sent twice.
        """
        head = line.head or self._headed(line)
        sock = self._pool.get_socket()
        try:
            if body is None:
                sock.sendall(b"%b%b\r\n\r\n" % (head, request_id.encode("ascii")))
            else:
                sock.sendall(
                    b"%b%b\r\nContent-Length: %d\r\n\r\n%b"
                    % (head, request_id.encode("ascii"), len(body), body)
                )
        except BaseException:
            self._pool.release_socket(sock)
            raise
        return BoundedResponse(sock, self._pool, block_size=BLOCK_BYTES, method=line.method)

    def _headed(self, line: RequestLine) -> bytes:
        """The line's head, up to the value of the request's id; made once a line."""
        lines = [f"{line.method} {request_target(self._target, line.path)} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in line.headers]
        line.head = ("\r\n".join(lines) + "\r\nX-Request-Id: ").encode("ascii")
        return line.head

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()
