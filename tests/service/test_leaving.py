"""A client that leaves stops the spending, unless the service is told to finish what was begun."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from harness.emulator import EmulatorSettings, FaultRule, RunningEmulator, running_emulator
from tests.service.running import emulated_env, rows, service

BODY = b'{"brief":"Should we hire two engineers or outsource?"}'


@contextmanager
def hybrid(
    settings: EmulatorSettings, store_dir: Path, **options: Any
) -> Iterator[tuple[RunningEmulator, httpx2.Client]]:
    with running_emulator(settings) as emulator:
        env = {**emulated_env(emulator), "LLM_STRATEGY": "hybrid"}
        with service(env, store_dir=store_dir, **options) as client:
            yield emulator, client


def send(port: int, path: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    connection.sendall(head + BODY)
    return connection


def test_leaving_a_stream_cancels_its_calls_and_records_them(tmp_path: Path) -> None:
    stall = FaultRule(kind="stall", delay_ms=60_000)
    with hybrid(EmulatorSettings(speed=200, faults=(stall,)), tmp_path) as (emulator, client):
        connection = send(client.base_url.port or 0, "/assist/draft-graph/stream")
        while b"DRAFTING" not in connection.recv(65_536):
            pass
        wait_for(lambda: emulator.app.engine.ledger.in_flight == 1)
        connection.close()
        wait_for(lambda: bool(rows(tmp_path, "SELECT * FROM requests")))
    (call,) = rows(tmp_path, "SELECT * FROM calls")
    assert (call["error_kind"], call["cost_usd"]) == ("cancelled", None)
    (request,) = rows(tmp_path, "SELECT * FROM requests")
    assert (request["status"], request["error_kind"]) == ("error", "cancelled")


def test_leaving_a_plain_request_cancels_its_calls_too(tmp_path: Path) -> None:
    stall = FaultRule(kind="stall", delay_ms=60_000)
    with hybrid(EmulatorSettings(speed=200, faults=(stall,)), tmp_path) as (emulator, client):
        connection = send(client.base_url.port or 0, "/assist/draft-graph")
        wait_for(lambda: emulator.app.engine.ledger.in_flight == 1)
        connection.close()
        wait_for(lambda: bool(rows(tmp_path, "SELECT * FROM requests")))
        assert 'harness_http_refused_total{reason="client_left"} 1.0' in client.get("/metrics").text
    (call,) = rows(tmp_path, "SELECT * FROM calls")
    assert (call["error_kind"], call["cost_usd"]) == ("cancelled", None)
    (request,) = rows(tmp_path, "SELECT * FROM requests")
    assert (request["error_kind"], request["http_status"]) == ("cancelled", None)


@pytest.mark.parametrize("path", ["/assist/draft-graph", "/assist/draft-graph/stream"])
def test_abandoned_work_may_be_told_to_finish(tmp_path: Path, path: str) -> None:
    settings = EmulatorSettings(speed=10, defect_rate=0)
    with hybrid(settings, tmp_path, finish_abandoned=True) as (emulator, client):
        connection = send(client.base_url.port or 0, path)
        wait_for(lambda: emulator.app.engine.ledger.in_flight == 1)
        connection.close()
        wait_for(lambda: bool(rows(tmp_path, "SELECT * FROM requests")))
    (request,) = rows(tmp_path, "SELECT * FROM requests")
    assert request["status"] == "ok"
    assert request["cost_usd"] is not None


def wait_for(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
