"""How `harness serve` serves: bind, tell the port, run until SIGTERM, let what runs finish, end."""

import gc
import logging
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import uvicorn

from harness.errors import UsageError
from harness.outputs import replace_file
from harness.service import ServiceApp
from harness.service.connection import BoundedProtocol, ConnectionLimits, Door, allowed_connections
from harness.service.engine import TICKS_PER_S

LAST_WORDS_S = 0.5
"""How long the answers of cancelled requests may take to leave, seconds."""
GC_THRESHOLDS = (50_000, 20, 50)
"""A request makes thousands of objects and few cycles: looking for them every 700 objects is dear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how long.

    Attributes:
        host: the address to bind.
        port: 0 lets the system pick.
        port_file: the port is written here, atomically, when the service is ready.
        grace_s: how long requests in flight may go on after SIGTERM, seconds.
        max_connections: open at once, if the process may open as many files.
    """

    host: str
    port: int
    port_file: Path | None
    grace_s: float
    max_connections: int


class Server(uvicorn.Server):
    """Tells when it is ready; drains on the first signal, ends at once on the second; always exit code 0.

    Args:
        app: the service.
        limits: of its connections.
        grace_s: how long requests in flight may go on after the first signal, seconds.
        on_ready: called once connections are accepted.
    """

    def __init__(
        self,
        app: ServiceApp,
        limits: ConnectionLimits,
        *,
        grace_s: float,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._door = Door(limits, app.engine.traffic)
        protocol = partial(BoundedProtocol, door=self._door)
        config = uvicorn.Config(
            app,
            http=protocol,  # type: ignore[arg-type]  # called as a class would be
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=LAST_WORDS_S,  # type: ignore[arg-type]  # fractions are taken
            timeout_keep_alive=75,
            lifespan="on",
        )
        super().__init__(config)
        self._work = app.engine.work
        self._lag = app.engine.lag
        self._grace_s = grace_s
        self._on_ready = on_ready
        self._signals = 0
        self._drain_until_s: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then say so."""
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Begin to end; unlike the base class, do not raise the signal again once everything is closed."""
        self._signals += 1

    async def on_tick(self, counter: int) -> bool:
        """What is looked after ten times a second: slow connections, and the end."""
        self._lag.woke()
        if counter % TICKS_PER_S == 0:
            self._door.sweep()
        over = await self._drained() if self._signals else await super().on_tick(counter)
        self._lag.rests()
        return over

    async def _drained(self) -> bool:
        """True once nothing is left to wait for; who is served meanwhile is served for the last time."""
        self._work.draining = True
        if self._drain_until_s is None:
            self._drain_until_s = monotonic() + self._grace_s
        for connection in self.server_state.connections:
            if isinstance(connection, BoundedProtocol):
                connection.end_after_answer()
        if not self.server_state.tasks:
            return True
        if self._signals == 1 and monotonic() < self._drain_until_s:
            return False
        await self._work.stop()
        return True


def run_server(make_app: Callable[[], ServiceApp], listening: Listening) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        make_app: builds the application once the address is ours, so that a taken port leaves no record of a
            run; the application's lifespan closes what it holds.
        listening: where, and how long it may take to end.

    Raises:
        UsageError: the address cannot be bound.
    """
    listener = _bind(listening.host, listening.port)
    bound = listener.getsockname()[1]
    _log_to_stderr()
    limits = ConnectionLimits(max_connections=allowed_connections(listening.max_connections))

    def ready() -> None:
        _freeze_objects()
        if listening.port_file is not None:
            replace_file(listening.port_file, f"{bound}\n".encode())
        shown = f"[{listening.host}]" if ":" in listening.host else listening.host
        sys.stdout.write(f"listening on http://{shown}:{bound}\n")
        sys.stdout.flush()

    Server(make_app(), limits, grace_s=listening.grace_s, on_ready=ready).run([listener])
    _freeze_objects()


def _log_to_stderr() -> None:
    """Warnings for people; access lines, where they are asked for, bare, for programs."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    access = logging.getLogger("harness.access")
    access.setLevel(logging.INFO)
    access.propagate = False
    access.addHandler(logging.StreamHandler(sys.stdout))


def _freeze_objects() -> None:
    """Take what lives now out of the garbage collector's sight.

    The SDKs bring hundreds of thousands of objects: going through them costs a request tens of milliseconds
    now and then, and the end of the process more than a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen on {host}:{port} ({error.strerror or error})") from error
    listener.settimeout(0)
    return listener
