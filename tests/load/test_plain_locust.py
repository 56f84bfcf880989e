"""`locust -f scenarios/baseline.py`, as Locust's own users run it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from harness.bundle import bundled
from harness.records import RunStatus
from harness.store import open_store
from tests.load.target import running_target


def locust(*options):
    command = [sys.executable, "-m", "locust", "-f", str(bundled("scenarios", "baseline.py")), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def stored_run(folder):
    store = open_store(folder)
    store.ingest()
    with store.snapshot() as view:
        run = view.run("latest")
        return run, view.requests(run.run_id)


def test_headless(tmp_path):
    with running_target() as target:
        options = ("--headless", "--host", target.url, "--rps", "20", "--duration", "2", "--users", "7")
        process = locust(*options, "--store", str(tmp_path))
        text = process.communicate(timeout=60)[0].decode()
    run, requests = stored_run(tmp_path)
    assert process.returncode == 0, text
    assert run.status is RunStatus.COMPLETED
    assert len(requests) == 40  # seven users do not make it more
    assert len(target.seen) == 40
    assert "/assist/draft-graph" in text


def test_a_scenario_file_of_ones_own(tmp_path):
    (tmp_path / "cases.csv").write_text("question,ts\nwhy,0.5\nwhen,0\n")
    own = tmp_path / "own.yaml"
    own.write_text('path: /ask\nbody: {q: "{question}"}\ncases: cases.csv\narrivals: {column: ts}\n')
    command = [sys.executable, "-m", "locust", "-f", str(bundled("scenarios", "own.py")), "--headless"]
    with running_target() as target:
        options = ("--host", target.url, "--store", str(tmp_path / "store"))
        env = {**os.environ, "HARNESS_SCENARIO": str(own)}
        done = subprocess.run([*command, *options], env=env, capture_output=True, timeout=60, check=False)
        asked = [body for _, body, _ in target.seen]
        own.write_text("path: nowhere\n")
        wrong = subprocess.run([*command, *options], env=env, capture_output=True, timeout=60, check=False)
        assert len(target.seen) == 2
    assert done.returncode == 0, done.stderr
    assert asked == [{"q": "when"}, {"q": "why"}]
    _, requests = stored_run(tmp_path / "store")
    assert {row.scenario for row in requests} == {"own"}
    assert wrong.returncode == 2
    assert b"own.yaml:1: 'path'" in wrong.stderr
    assert b"Traceback" not in wrong.stderr


def test_master_and_workers_share_the_schedule(tmp_path):
    with running_target() as target:
        options = ("--headless", "--host", target.url, "--rps", "20", "--duration", "2", "--processes", "2")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        ports = ("--master-bind-port", port, "--master-port", port, "--master-bind-host", "127.0.0.1")
        process = locust(*options, *ports, "--store", str(tmp_path))
        text = process.communicate(timeout=60)[0].decode()
    run, requests = stored_run(tmp_path)
    assert sorted(row.seq for row in requests) == list(range(40)), text
    assert {row.worker for row in requests} == {0, 1}
    assert run.status is RunStatus.COMPLETED


def test_web_ui_starts_and_stops_a_run(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running_target() as target:
        process = locust("--web-host", "127.0.0.1", "--web-port", str(port), "--store", str(tmp_path))
        try:
            page = fetch(f"http://127.0.0.1:{port}/")
            assert "rps" in page
            form = {"user_count": "1", "spawn_rate": "1", "host": target.url, "rps": "20", "duration": "60"}
            assert json.loads(fetch(f"http://127.0.0.1:{port}/swarm", form))["success"]
            wait_for(lambda: len(target.seen) >= 20)
            stats = json.loads(fetch(f"http://127.0.0.1:{port}/stats/requests"))
            assert stats["stats"][0]["num_requests"] > 0
            fetch(f"http://127.0.0.1:{port}/stop", {"reason": "enough"})
        finally:
            process.terminate()
            process.communicate(timeout=30)
    run, requests = stored_run(tmp_path)
    assert run.status is RunStatus.INTERRUPTED
    assert 19 <= len(requests) <= len(target.seen)


def fetch(url, form=None):
    data = urllib.parse.urlencode(form).encode() if form else None
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, data=data, timeout=10) as response:
                return response.read().decode()
        except urllib.error.HTTPError:
            raise
        except (ConnectionError, urllib.error.URLError):  # it is still starting
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def wait_for(condition, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not within the time allowed"
        time.sleep(0.02)
