"""The end of a service: what runs may finish, nothing new begins, and nobody is left without an answer."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from harness.emulator import EmulatorSettings, FaultRule, RunningEmulator, running_emulator
from harness.orchestration import resolve_routing, resolve_strategy
from harness.service import ServiceSettings, create_app
from harness.service.connection import ConnectionLimits
from harness.service.server import Server
from tests.service.running import emulated_env, rows, sse
from tests.service.test_leaving import wait_for

BODY = {"brief": "Should we hire two engineers or outsource?"}
DRAFT = "/assist/draft-graph"


@dataclass
class Running:
    server: Server
    thread: threading.Thread
    url: str

    def sigterm(self) -> None:
        self.server.handle_exit(15, None)

    def ended_within(self, seconds: float) -> bool:
        self.thread.join(seconds)
        return not self.thread.is_alive()


@contextmanager
def served(
    env: dict[str, str],
    *,
    grace_s: float = 20,
    limits: ConnectionLimits | None = None,
    **settings: object,
) -> Iterator[Running]:
    """The service as `harness serve` runs it, in a thread of this process."""
    routing = resolve_routing(env)
    options: dict[str, object] = {"routing": routing, "strategy": resolve_strategy(routing), **settings}
    app = create_app(ServiceSettings(**options))  # type: ignore[arg-type]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)  # unread answers are soon noticed
    listener.bind(("127.0.0.1", 0))
    server = Server(app, limits or ConnectionLimits(), grace_s=grace_s)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    running = Running(server, thread, f"http://127.0.0.1:{listener.getsockname()[1]}")
    try:
        yield running
    finally:
        running.sigterm()
        running.sigterm()
        assert running.ended_within(10)


def in_flight(emulator: RunningEmulator) -> int:
    return emulator.app.engine.ledger.in_flight


def test_requests_in_flight_are_answered_while_the_service_drains(tmp_path: Path) -> None:
    slow = FaultRule(kind="slow_first_byte", delay_ms=1_500)
    with (
        running_emulator(EmulatorSettings(speed=200, defect_rate=0, faults=(slow,))) as emulator,
        served(emulated_env(emulator), store_dir=tmp_path) as running,
        ThreadPoolExecutor(2) as pool,
    ):
        plain = pool.submit(httpx2.post, running.url + DRAFT, json=BODY, timeout=20)
        stream = pool.submit(httpx2.post, f"{running.url}{DRAFT}/stream", json=BODY, timeout=20)
        wait_for(lambda: in_flight(emulator) == 2)
        running.sigterm()
        wait_for(lambda: httpx2.get(running.url + "/healthz").status_code == 503)
        health = httpx2.get(running.url + "/healthz").json()
        assert (health["ok"], health["draining"]) == (False, True)
        refused = httpx2.post(running.url + DRAFT, json=BODY)
        assert (refused.status_code, refused.json()["schema"]) == (503, "error.v1")
        assert refused.json()["details"]["reason"] == "draining"
        assert plain.result().status_code == 200
        assert sse(stream.result().text)[-1][1]["stage"] == "COMPLETE"
        assert running.ended_within(5)
    assert {row["status"] for row in rows(tmp_path, "SELECT status FROM requests")} == {"ok"}


@pytest.mark.parametrize("how", ["the grace is over", "a second signal"])
def test_what_is_left_is_told_so_and_recorded(tmp_path: Path, how: str) -> None:
    stall = FaultRule(kind="stall", delay_ms=60_000)
    grace_s = 0.3 if how == "the grace is over" else 20
    with (
        running_emulator(EmulatorSettings(speed=200, faults=(stall,))) as emulator,
        served(emulated_env(emulator), store_dir=tmp_path, grace_s=grace_s) as running,
        ThreadPoolExecutor(3) as pool,
    ):
        plain = pool.submit(httpx2.post, running.url + DRAFT, json=BODY, timeout=20)
        stream = pool.submit(httpx2.post, f"{running.url}{DRAFT}/stream", json=BODY, timeout=20)
        wait_for(lambda: in_flight(emulator) == 2)
        with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))) as half:
            half.sendall(f"POST {DRAFT} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
            wait_for(lambda: len(running.server.server_state.tasks) == 3)
            running.sigterm()
            if how == "a second signal":
                running.sigterm()
            assert running.ended_within(5)
            assert half.recv(4096).startswith(b"HTTP/1.1 503 ")
        assert plain.result().status_code == 503
        assert plain.result().json()["details"]["reason"] == "stopped"
        assert sse(stream.result().text)[-1][0] == "error"
        assert "Internal Server Error" not in plain.result().text + stream.result().text
    kept = rows(tmp_path, "SELECT error_kind, http_status FROM requests")
    assert kept == [{"error_kind": "cancelled", "http_status": 503}] * 2


def test_many_in_flight_end_quickly(tmp_path: Path) -> None:
    stall = FaultRule(kind="stall", delay_ms=60_000)
    with (
        running_emulator(EmulatorSettings(speed=200, faults=(stall,))) as emulator,
        served(emulated_env(emulator), store_dir=tmp_path, grace_s=0) as running,
        ThreadPoolExecutor(60) as pool,
    ):
        answers = [pool.submit(httpx2.post, running.url + DRAFT, json=BODY, timeout=30) for _ in range(60)]
        wait_for(lambda: in_flight(emulator) == 60)
        began = time.monotonic()
        running.sigterm()
        assert running.ended_within(10)
        assert time.monotonic() - began < 5
        assert {answer.result().status_code for answer in answers} == {503}
    assert rows(tmp_path, "SELECT count(*) AS n FROM requests")[0]["n"] == 60
