"""Connections that never finish what they began: each has a limit, an answer where HTTP allows one, a count."""

import contextlib
import logging
import re
import socket
import time

import httpx2
import orjson
import pytest

from harness.service.connection import ConnectionLimits
from tests.service.running import FIXTURES_ENV
from tests.service.test_draining import BODY, DRAFT, Running, served
from tests.service.test_leaving import wait_for

QUICK = ConnectionLimits(head_timeout_s=0.3, send_timeout_s=0.3, max_head_bytes=8_192, max_connections=20)


def connect(running: Running) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2])))
    connection.settimeout(10)
    return connection


def whole_answer(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def refused_by(running: Running, reason: str) -> float:
    text = httpx2.get(running.url + "/metrics").text
    found = re.search(rf'harness_http_refused_total{{reason="{reason}"}} (\S+)', text)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"", 408, "head_timeout"),
        (b"POST /assist/draft-graph HTTP/1.1\r\nHost: x\r\n", 408, "head_timeout"),
        (b"POST /assist/draft-graph HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{", 408, "body_timeout"),
        (b"GET /healthz HTTP/1.1\r\nA: " + b"a" * 40_000, 431, "head_too_large"),
        (
            b"GET /healthz HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(5_000)),
            431,
            "head_too_large",
        ),
        (b"GET /" + b"a" * 40_000, 431, "head_too_large"),
        (b"nonsense\r\n\r\n", 400, "bad_http"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "bad_http"),
        (b"GET /\xff\xfe HTTP/1.1\r\n\r\n", 400, "bad_http"),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, "bad_http"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", 400, "bad_http"),
    ],
)
def test_what_never_becomes_a_request_is_refused_in_our_own_words(
    sent: bytes, status: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with served(FIXTURES_ENV, limits=QUICK, body_timeout_s=0.3) as running, connect(running) as connection:
        connection.sendall(sent)
        answer = whole_answer(connection)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert int(head.split()[1]) == status, answer[:200]
        problem = orjson.loads(body)
        assert (problem["schema"], problem["code"]) == ("error.v1", "BAD_INPUT")
        assert b"x-request-id: " in head
        assert refused_by(running, reason) == 1
    assert any(reason in record.getMessage() for record in caplog.records)


def test_silent_connections_make_room_for_those_that_ask() -> None:
    limits = ConnectionLimits(max_connections=20)
    with served(FIXTURES_ENV, limits=limits) as running:
        silent = [connect(running) for _ in range(60)]
        wait_for(lambda: len(running.server.server_state.connections) <= 21)
        answer = httpx2.post(running.url + DRAFT, json=BODY)
        assert answer.status_code == 200
        assert refused_by(running, "connection_limit") >= 39
        for connection in silent:
            connection.close()


def test_a_reader_that_stops_reading_is_let_go() -> None:
    with served(FIXTURES_ENV, limits=QUICK) as running, connect(running) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        wait_for(lambda: refused_by(running, "send_timeout") == 1)
        with contextlib.suppress(ConnectionResetError):
            assert whole_answer(connection).count(b"HTTP/1.1 200") < 200


def test_a_connection_serves_many_requests_and_an_idle_one_is_kept() -> None:
    with served(FIXTURES_ENV, limits=QUICK) as running, httpx2.Client(base_url=running.url) as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 200
            time.sleep(0.6)  # twice the limit of a head: idle is not late
        assert len(running.server.server_state.connections) == 1
        assert refused_by(running, "head_timeout") == 0


def test_each_answer_has_an_access_line_when_asked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "harness.access"), served(FIXTURES_ENV, access_log=True) as running:
        httpx2.post(running.url + DRAFT, json=BODY, headers={"X-Request-Id": "mine-1"})
        httpx2.post(running.url + DRAFT, json={})
    lines = [orjson.loads(r.getMessage()) for r in caplog.records if r.name == "harness.access"]
    assert [(line["status"], line["path"]) for line in lines] == [(200, DRAFT), (400, DRAFT)]
    assert lines[0]["request_id"] == "mine-1"
    assert lines[0]["duration_ms"] > 0
    text = [r.getMessage() for r in caplog.records if r.name == "harness.service"]
    assert any("refused (bad_input): brief" in line and lines[1]["request_id"] in line for line in text), text
