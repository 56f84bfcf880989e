"""Connections with limits: how many, how long a request's head may take, how large it may be.

uvicorn's own protocol waits for ever for a head and takes one of any size; its refusals are plain text.
"""

import logging
import resource
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from harness.records import dump_json, new_id
from harness.service.problems import ProblemError, bad_input
from harness.service.traffic import Traffic

LOG = logging.getLogger("harness.service")
SPARE_DESCRIPTORS = 64
"""What the process needs besides connections: spool, database, logs, libraries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Attributes in seconds and bytes.

    Attributes:
        head_timeout_s: from a request's first byte (or the connection) to the end of its head.
        send_timeout_s: how long a client may leave what was sent to it unread.
        max_head_bytes: request line and headers together.
        max_connections: open at once.
    """

    head_timeout_s: float = 10.0
    send_timeout_s: float = 30.0
    max_head_bytes: int = 65_536
    max_connections: int = 4_096


def allowed_connections(wanted: int) -> int:
    """As many of the wanted connections as the process has descriptors for, one more each for its upstream.

    The soft limit on descriptors is raised to the hard one first.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * wanted + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    allowed = max(8, (soft - SPARE_DESCRIPTORS) // 2)
    LOG.warning("only %d connections at once: the process may open %d files (ulimit -n)", allowed, soft)
    return allowed


@dataclass(slots=True)
class Door:
    """All connections of a server and what they wait for, oldest first; `sweep` ends what waits too long.

    Attributes:
        heads: those whose request's head is not complete, since when (monotonic seconds).
        idle: those between two requests.
        unread: those whose client does not read what was sent.
    """

    limits: ConnectionLimits
    traffic: Traffic
    heads: "dict[BoundedProtocol, float]" = field(default_factory=dict)
    idle: "dict[BoundedProtocol, float]" = field(default_factory=dict)
    unread: "dict[BoundedProtocol, float]" = field(default_factory=dict)

    def forget(self, connection: "BoundedProtocol") -> None:
        """The connection has ended."""
        for waiting in (self.heads, self.idle, self.unread):
            waiting.pop(connection, None)

    def make_room(self, newcomer: "BoundedProtocol") -> bool:
        """Close who has been silent longest; False when everybody is being served."""
        for waiting in (self.idle, self.heads):
            for connection in waiting:
                if connection is not newcomer:
                    if waiting is self.heads:
                        sentence = "a silent connection made room for a new one"
                        self.traffic.refused("connection_limit", sentence)
                    connection.drop()
                    return True
        return False

    def sweep(self) -> None:
        """End what waits too long; called about once a second."""
        now_s = monotonic()
        late = _before(self.heads, now_s - self.limits.head_timeout_s)
        for connection in late:
            connection.refuse(ProblemError(408, "the request's head did not come in time"))
        if late:
            sentence = f"no request head within {self.limits.head_timeout_s:g} s"
            self.traffic.refused("head_timeout", sentence, times=len(late))
        stuck = _before(self.unread, now_s - self.limits.send_timeout_s)
        for connection in stuck:
            connection.transport.abort()
        if stuck:
            sentence = f"the client read nothing for {self.limits.send_timeout_s:g} s"
            self.traffic.refused("send_timeout", sentence, times=len(stuck))


def _before(waiting: "dict[BoundedProtocol, float]", limit_s: float) -> "list[BoundedProtocol]":
    late = []
    for connection, since_s in waiting.items():  # in the order of their beginning
        if since_s > limit_s:
            break
        late.append(connection)
    return late


class BoundedProtocol(HttpToolsProtocol):
    """One connection that is watched by its server's door."""

    def __init__(self, *arguments: Any, door: Door, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._door = door
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """One more connection, if there is room."""
        super().connection_made(transport)
        door = self._door
        door.heads[self] = monotonic()
        if len(self.connections) > door.limits.max_connections and not door.make_room(self):
            door.traffic.refused("connection_limit", "every connection is busy")
            self.refuse(ProblemError(503, "too many connections", headers={"retry-after": "1"}))

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, whoever ended it."""
        self._door.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request; a head that never ends is refused before it is kept."""
        if self in self._door.heads:
            self._head_bytes += len(data)
            if self._head_bytes > self._door.limits.max_head_bytes and len(data) < self._head_bytes:
                self._refuse_long_head()
                return
        super().data_received(data)
        if self in self._door.heads and self._head_bytes > self._door.limits.max_head_bytes:
            self._refuse_long_head()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._door.idle.pop(self, None)
        self._door.heads.setdefault(self, monotonic())

    def on_headers_complete(self) -> None:
        """Its head is complete: from here on the application has its own limits."""
        self._door.heads.pop(self, None)
        self._head_bytes = 0
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """It is answered: the next may come."""
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing() and self not in self._door.heads:
            self._door.idle[self] = monotonic()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._door.unread.setdefault(self, monotonic())
        super().pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self._door.unread.pop(self, None)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP is refused as everything else is."""
        self._door.traffic.refused("bad_http", msg)
        self.refuse(bad_input("that is not a valid HTTP request"))

    def refuse(self, problem: ProblemError) -> None:
        """Answer without the application, unless it has begun to, and close."""
        self._door.forget(self)
        body = dump_json(problem.body())
        head = [f"HTTP/1.1 {problem.status} {problem.phrase}"]
        fields = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "x-request-id": new_id("req"),
            "connection": "close",
            **problem.headers,
        }
        head += [f"{name}: {value}" for name, value in fields.items()]
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        if cycle is not None:
            cycle.disconnected = True  # its application must not answer too
            cycle.message_event.set()
        self.transport.close()

    def drop(self) -> None:
        """Close a silent connection."""
        self._door.forget(self)
        self.transport.close()

    def end_after_answer(self) -> None:
        """Whatever is being answered is the connection's last."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False

    def _refuse_long_head(self) -> None:
        most = self._door.limits.max_head_bytes
        self._door.traffic.refused("head_too_large", f"a request head of more than {most} bytes")
        self.refuse(ProblemError(431, f"the request's head is larger than {most} bytes"))

    def _unsupported_upgrade_warning(self) -> None:
        """A client that offers another protocol is answered in this one; nothing to warn of."""
