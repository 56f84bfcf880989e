"""The dashboard answers to its own names only, and looks nothing up when a foreign page knocks."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store import ingest
from tests.network.watching import attempts, watched_env
from tests.store.samples import a_request, a_run, write


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    folder = tmp_path_factory.mktemp("hosts")
    write(folder / "store", a_run(), a_request(1))
    ingest(folder / "store")
    command = [sys.executable, "-m", "harness", "dashboard", "--store", str(folder / "store"), "--port", "0"]
    command += ["--port-file", str(folder / "port"), "--allow-host", "dash.example.com"]
    env = watched_env(folder / "attempts")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 90
        while not (folder / "port").exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield int((folder / "port").read_text()), folder
    finally:
        process.kill()
        process.wait()


def knock(port: int, host: str, origin: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {
        "Host": host,
        "Origin": origin,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    connection.request("GET", "/_stcore/stream", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_only_its_own_names_are_answered_and_nothing_is_looked_up(dashboard: tuple[int, Path]) -> None:
    port, folder = dashboard
    assert knock(port, f"127.0.0.1:{port}", f"http://127.0.0.1:{port}") == 101
    assert knock(port, f"localhost:{port}", f"http://localhost:{port}") == 101
    assert knock(port, "dash.example.com", "https://dash.example.com") == 101
    assert knock(port, f"evil.example:{port}", f"http://evil.example:{port}") == 403
    assert knock(port, f"127.0.0.1:{port}", "http://evil.example") == 403
    assert attempts(folder / "attempts") == []
