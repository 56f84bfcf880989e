"""One HTTP exchange, down to the socket: answers whole or in pieces, or breaks off on purpose."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_BODY_BYTES = 32 * 1024 * 1024


class BodyTooLargeError(Exception):
    """The request body is over the limit."""


class Exchange:
    """A request and its answer; every time is nanoseconds from its arrival.

    Attributes:
        late_ns: the most that a piece was ready after its moment; None while none was due.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.received_ns = time.perf_counter_ns()
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.first_byte_ns: int | None = None
        self.finished_ns: int | None = None
        self.status: int | None = None
        self.late_ns: int | None = None
        self._receive = receive
        self._send = send
        # uvicorn's request cycle: the only way to a real reset, and to a disconnect without a second task.
        self._cycle = getattr(send, "__self__", None)

    def header(self, name: bytes) -> str | None:
        """A request header, or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    async def body(self) -> bytes:
        """The whole request body.

        Raises:
            BodyTooLargeError: it is over `MAX_BODY_BYTES`.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return b"".join(parts)
            part = message.get("body", b"")
            size += len(part)
            if size > MAX_BODY_BYTES:
                raise BodyTooLargeError
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts) if len(parts) > 1 else part

    @property
    def client_gone(self) -> bool:
        """Whether the client has closed its side."""
        return bool(getattr(self._cycle, "disconnected", False))

    async def sleep_until(self, after_ms: float) -> None:
        """Wait until so many milliseconds after the arrival: absolute deadlines, so errors never add up."""
        due_ns = self.received_ns + int(after_ms * 1e6)
        remaining_ns = due_ns - time.perf_counter_ns()
        if remaining_ns > 0:
            await asyncio.sleep(remaining_ns / 1e9)
        self.late_ns = max(self.late_ns or 0, time.perf_counter_ns() - due_ns)

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer."""
        length = (b"content-length", b"%d" % len(body))
        await self.start(status, [(b"content-type", b"application/json"), length, *headers])
        await self.write(body, last=True)

    async def start(self, status: int, headers: Headers) -> None:
        """Send the status and headers."""
        self.status = status
        self.first_byte_ns = time.perf_counter_ns() - self.received_ns
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, piece: bytes, *, last: bool = False) -> None:
        """Send a piece of the body."""
        await self._send({"type": "http.response.body", "body": piece, "more_body": not last})
        self.finished_ns = time.perf_counter_ns() - self.received_ns

    async def cut(self) -> None:
        """Close the connection without ending the answer."""
        await self._drop(reset=False)

    async def reset(self) -> None:
        """Close the connection so that the client sees a reset."""
        await self._drop(reset=True)

    async def _drop(self, *, reset: bool) -> None:
        self.finished_ns = time.perf_counter_ns() - self.received_ns
        transport = getattr(self._cycle, "transport", None)
        if transport is None:
            raise ConnectionAbortedError("this server gives no way to break a connection")
        if reset:
            sock = transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
        with suppress(TimeoutError):  # the server must learn of it before the handler returns
            await asyncio.wait_for(self._receive(), timeout=1)
