"""How the server commands serve: bind, tell the port, run until SIGTERM, end within a second."""

import gc
import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from harness.errors import UsageError
from harness.outputs import replace_file

GRACE_S = 0.3
"""How long requests in flight may go on after SIGTERM, seconds; then they are cancelled and recorded."""


class _Server(uvicorn.Server):
    """Tells when it is ready, and ends with exit code 0 after a signal."""

    def __init__(self, config: uvicorn.Config, on_ready: Any) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Stop; unlike the base class, do not raise the signal again once everything is closed."""
        self.should_exit = True


def run_server(make_app: Callable[[], Any], *, host: str, port: int, port_file: Path | None) -> None:
    """Serve an ASGI application until SIGTERM or Ctrl-C.

    Args:
        make_app: builds the application once the address is ours, so that a taken port leaves no record of a
            run; the application's lifespan closes what it holds.
        host: the address to bind.
        port: 0 lets the system pick.
        port_file: the port is written here, atomically, when the service is ready.

    Raises:
        UsageError: the address cannot be bound.
    """
    listener = _bind(host, port)
    bound = listener.getsockname()[1]
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = uvicorn.Config(
        make_app(),
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,  # type: ignore[arg-type]  # asyncio.wait_for takes fractions
        timeout_keep_alive=75,
        lifespan="on",
    )

    def ready() -> None:
        _freeze_objects()
        if port_file is not None:
            replace_file(port_file, f"{bound}\n".encode())
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"listening on http://{shown}:{bound}\n")
        sys.stdout.flush()

    _Server(config, ready).run([listener])
    _freeze_objects()


def _freeze_objects() -> None:
    """Take what lives now out of the garbage collector's sight.

    The SDKs bring hundreds of thousands of objects: going through them costs a request tens of milliseconds
    now and then, and the end of the process more than a second.
    """
    gc.collect()
    gc.freeze()


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
