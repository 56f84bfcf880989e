"""Running the emulator: in the foreground for the command, in a thread for tests."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from harness.emulator.app import EmulatorApp, create_app
from harness.emulator.ledger import LedgerEntry
from harness.emulator.settings import EmulatorSettings
from harness.errors import UsageError
from harness.processes.loops import new_event_loop

LOOPBACK = ("127.0.0.1", "::1", "localhost")
START_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningEmulator:
    """A served emulator.

    Attributes:
        base_url: what every SDK wants but OpenAI's, which wants `openai_base_url`.
        app: its state, in the same process.
    """

    base_url: str
    app: EmulatorApp

    @property
    def openai_base_url(self) -> str:
        """The base URL of the OpenAI SDK."""
        return f"{self.base_url}/v1"

    def settled(self, timeout_s: float = 10.0) -> list[LedgerEntry]:
        """The ledger once nothing is in flight; a client may see an answer's end before its line is written.

        Raises:
            TimeoutError: something was still in flight after `timeout_s`.
        """
        deadline_s = time.monotonic() + timeout_s
        while self.app.engine.ledger.in_flight:
            if time.monotonic() > deadline_s:
                raise TimeoutError("requests are still in flight")
            time.sleep(0.001)
        return list(self.app.engine.ledger.entries)


def serve(settings: EmulatorSettings, *, host: str, port: int, on_ready: Callable[[str, int], None]) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready(url, port)` is called once connections are accepted.

    Raises:
        UsageError: the host is not this machine, or the port is taken.
    """
    listener = _listen(host, port)
    url, bound_port = _address(listener)
    app = create_app(settings)
    server = _server(app, on_ready=lambda: on_ready(url, bound_port))
    try:
        with asyncio.Runner(loop_factory=new_event_loop()) as runner:
            runner.run(_until_signalled(server, listener))
    finally:
        app.engine.ledger.close()


@contextmanager
def running_emulator(settings: EmulatorSettings | None = None) -> Iterator[RunningEmulator]:
    """The emulator on a port of the system's choice, served by a thread until the block ends."""
    listener = _listen("127.0.0.1", 0)
    url, _ = _address(listener)
    app = create_app(settings)
    ready = threading.Event()
    server = _server(app, on_ready=ready.set)

    def work() -> None:
        with asyncio.Runner(loop_factory=new_event_loop()) as runner:
            runner.run(server.serve(sockets=[listener]))

    thread = threading.Thread(target=work, name="emulator", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_TIMEOUT_S):
            raise RuntimeError("the emulator did not start")
        yield RunningEmulator(base_url=url, app=app)
    finally:
        server.should_exit = server.force_exit = True
        thread.join(START_TIMEOUT_S)
        listener.close()
        app.engine.ledger.close()


class _Server(uvicorn.Server):
    """Says when it is ready; leaves signals to its starter."""

    on_ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours are set by `_until_signalled`: a stop by signal is a clean end, not raised again."""
        yield


def _server(app: EmulatorApp, *, on_ready: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    server.on_ready = on_ready
    return server


async def _until_signalled(server: _Server, listener: socket.socket) -> None:
    def stop() -> None:
        server.should_exit = server.force_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    if host not in LOOPBACK:
        raise UsageError(f"the emulator listens on this machine only (127.0.0.1), not on {host}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listener.listen(2048)
    return listener


def _address(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}", port
