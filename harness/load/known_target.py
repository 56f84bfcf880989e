"""`python -m harness.load.known_target`: a loopback server whose latencies are known (`known.py`).

Behind `harness calibrate` and the benchmarks. As small as a server can be, so that what it adds is small.
"""

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

from harness.load.known import MODERATE_POINTS, NO_STALL, Stall, latency_ms
from harness.outputs import replace_file
from harness.processes.lifeline import watch_lifeline

_HEALTH = b'{"ok":true,"provider":"known","provider_mode":"emulated"}'
_ANSWER = b'{"graph":{"nodes":[],"edges":[]},"quality_tier":"high"}'
_ID = b"\r\nx-request-id: "
_LENGTH = b"\r\ncontent-length: "
_WAKE_EARLY_S = 0.002
"""Event-loop timers are coarse by a millisecond or two: wake this early, then wait turn by turn."""


class KnownServer:
    """What all connections share.

    Args:
        zero_delay: answer at once.
        seed: of the latencies.
        stall_after_s: after the first counted request; None for no stall.
        stall_s: how long it lasts.
        stall_file: where its moment is written.
        first_file: made when the first counted request arrives, for who waits for it.
    """

    def __init__(
        self,
        *,
        zero_delay: bool,
        seed: int,
        stall_after_s: float | None,
        stall_s: float,
        stall_file: Path | None,
        first_file: Path | None,
    ) -> None:
        self.served = 0
        self._zero_delay = zero_delay
        self._seed = seed
        self._stall_after_s = stall_after_s
        self._stall_s = stall_s
        self._stall_file = stall_file
        self._first_file = first_file
        self._stall = NO_STALL

    def delay_s(self, request_id: str) -> float:
        """How long to hold the answer to a request that has just arrived."""
        self.served += 1
        if self._zero_delay:
            if self._first_file is not None and not self._first_file.exists():
                self._first_file.touch()
            return 0.0
        now_ns = time.time_ns()
        if request_id.endswith("-warmup"):
            return 0.0
        if self._stall_after_s is not None and self._stall is NO_STALL:
            self._begin_stall(now_ns, self._stall_after_s)
        own_ms = latency_ms(request_id, MODERATE_POINTS, seed=self._seed)
        return (self._stall.answer_ns(now_ns, own_ms) - now_ns) / 1e9

    def _begin_stall(self, now_ns: int, after_s: float) -> None:
        start_ns = now_ns + int(after_s * 1e9)
        self._stall = Stall(start_ns=start_ns, end_ns=start_ns + int(self._stall_s * 1e9))
        if self._stall_file is not None:
            self._stall_file.write_text(json.dumps([self._stall.start_ns, self._stall.end_ns]))


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, server: KnownServer, later: Callable[..., asyncio.TimerHandle]) -> None:
        self._server = server
        self._later = later
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the base class's signature
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        lower = head.lower()
        length = int(_field(lower, _LENGTH) or 0)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        if head.startswith(b"GET "):
            self._answer(_HEALTH)
            return
        arrived_s = time.perf_counter()
        delay_s = self._server.delay_s(_field(lower, _ID).decode("ascii"))
        if delay_s <= 0:
            self._answer(_ANSWER)
        else:
            self._answer_at(arrived_s + delay_s)

    def _answer_at(self, due_s: float) -> None:
        left_s = due_s - time.perf_counter()
        if left_s <= 0:
            self._answer(_ANSWER)
        else:
            self._later(max(0.0, left_s - _WAKE_EARLY_S), self._answer_at, due_s)

    def _answer(self, body: bytes) -> None:
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )


def _field(head: bytes, name: bytes) -> bytes:
    _, mark, rest = head.partition(name)
    return rest.partition(b"\r\n")[0] if mark else b""


async def _serve(server: KnownServer, port_file: Path | None, port: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    listener = await loop.create_server(
        lambda: _Connection(server, loop.call_later), "127.0.0.1", port, backlog=2048
    )
    bound = listener.sockets[0].getsockname()[1]
    if port_file is not None:
        replace_file(port_file, f"{bound}\n".encode())
    print(f"listening on http://127.0.0.1:{bound}", flush=True)  # noqa: T201 - a server says where it is
    async with listener:
        await ended.wait()


def main() -> None:
    """Serve until SIGTERM."""
    watch_lifeline()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--zero-delay", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stall-after", type=float)
    parser.add_argument("--stall", type=float, default=10.0)
    parser.add_argument("--stall-file", type=Path)
    parser.add_argument("--first-file", type=Path)
    options = parser.parse_args()
    server = KnownServer(
        zero_delay=options.zero_delay,
        seed=options.seed,
        stall_after_s=options.stall_after,
        stall_s=options.stall,
        stall_file=options.stall_file,
        first_file=options.first_file,
    )
    asyncio.run(_serve(server, options.port_file, options.port))


if __name__ == "__main__":
    main()
