"""`harness baseline` at a target of our own: workers, limits, refusals, secrets."""

import json
import os
import socket
import subprocess
import sys
import time

import psutil
import pytest
from rich.console import Console

from harness.errors import TargetError, UsageError
from harness.load.run import BaselinePlan, run_baseline
from harness.records import RunStatus
from harness.store import open_store
from tests.load.target import running_target


def start(store, *options, **env):
    command = [sys.executable, "-m", "harness", "baseline", "--store", str(store), "--json", *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **env}
    )


def finish(process):
    output, remarks = process.communicate(timeout=100)
    return process.returncode, output.decode(), remarks.decode()


def stored(folder):
    with open_store(folder).snapshot() as view:
        run = view.run("latest")
        return run, view.requests(run.run_id)


def wait_for(condition, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not within the time allowed"
        time.sleep(0.02)


def test_workers_share_the_schedule_exactly(tmp_path):
    with running_target() as target:
        options = ("--target", target.url, "--workers", "3", "--rps", "60", "--duration", "2")
        code, _, remarks = finish(start(tmp_path, *options))
        seen = [request_id for request_id, _, _ in target.seen]
    run, rows = stored(tmp_path)
    assert code == 0, remarks
    assert run.status is RunStatus.COMPLETED
    assert sorted(row.seq for row in rows) == list(range(120))
    assert all(row.seq % 3 == row.worker for row in rows)
    assert sorted(seen) == sorted([row.request_id for row in rows] + [f"{run.run_id}-warmup"])


def test_a_bare_model_at_compressed_time_is_no_pass(tmp_path):
    options = ("--scenario", "openai-chat", "--model", "gpt-4o-mini", "--speed", "50")
    code, output, remarks = finish(start(tmp_path, *options, "--rps", "40", "--duration", "2"))
    assert code == 0, remarks
    assert json.loads(output)["gate"]["verdict"] == "INCONCLUSIVE"
    assert "speed x50" in output
    assert {row.itl_ms is not None for row in stored(tmp_path)[1] if not row.warmup} == {True}


def test_kill_9_of_a_worker_loses_no_acknowledged_record(tmp_path):
    with running_target() as target:
        target.delay_s = 0.02
        options = ("--target", target.url, "--workers", "2", "--rps", "40", "--duration", "60")
        process = start(tmp_path, *options)
        wait_for(lambda: len(target.seen) > 40)
        children = psutil.Process(process.pid).children()
        worker = next(child for child in children if "--worker" in child.cmdline())
        worker.kill()
        code, output, remarks = finish(process)
        assert not [c for c in children if c.is_running() and c.status() != psutil.STATUS_ZOMBIE]
        seen = {request_id for request_id, _, _ in target.seen}
    run, rows = stored(tmp_path)
    assert code == 1, remarks
    assert json.loads(output)["status"] == "interrupted"
    assert run.status is RunStatus.INTERRUPTED
    ids = [row.request_id for row in rows]
    assert len(ids) == len(set(ids))
    assert set(ids) <= seen
    assert len(ids) > 20


@pytest.mark.parametrize("own", [False, True], ids=["shipped", "own file"])
def test_workers_on_other_machines_ship_every_record_once(tmp_path, own):
    scenario = ()
    if own:
        (tmp_path / "own.yaml").write_text("path: /ask\nbody: {q: 1}\ntags: {kind: fixed}\n")
        scenario = ("--scenario", str(tmp_path / "own.yaml"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with running_target() as target:
        options = ("--target", target.url, "--workers", "2", "--rps", "60", "--duration", "2", *scenario)
        master = start(tmp_path, *options, "--master", address)
        command = [sys.executable, "-m", "harness", "baseline", "--worker", address, *scenario]
        workers = [
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in "12"
        ]
        code, output, remarks = finish(master)
        for worker in workers:
            worker.wait(timeout=30)
    run, rows = stored(tmp_path)
    assert code == 0, remarks
    assert run.status is RunStatus.COMPLETED
    assert sorted(row.seq for row in rows) == list(range(120))
    assert {row.worker for row in rows} == {0, 1}
    assert json.loads(output)["summary"]["requests"] == 120


def test_cut_run_with_a_protected_header(tmp_path):
    with running_target() as target:
        target.extra_headers = {"X-Echo": "x"}
        options = ("--target", target.url, "--rps", "50", "--duration", "10", "--max-requests", "30")
        header = ("--header", "Authorization: env:STAGING_TOKEN")
        process = start(tmp_path, *options, *header, STAGING_TOKEN="canary-token-value")
        code, output, remarks = finish(process)
        sent = [headers["Authorization"] for _, _, headers in target.seen]
    run, rows = stored(tmp_path)
    assert code == 0, remarks
    assert (run.status, len(rows)) == (RunStatus.TRUNCATED, 30)
    assert sent == ["canary-token-value"] * 31
    assert "canary-token" not in output + remarks
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"canary-token" in p.read_bytes()]


def test_failing_service_stops_early_as_decided(tmp_path):
    with running_target() as target:
        target.delay_s = 0.15
        options = ("--target", target.url, "--rps", "40", "--duration", "60", "--max-p95", "100ms")
        code, output, remarks = finish(start(tmp_path, *options, "--stop-early"))
    run, rows = stored(tmp_path)
    assert code == 0, remarks
    assert run.status is RunStatus.STOPPED_EARLY
    assert run.summary["sequential"]["decision"] == "above"
    assert len(rows) == run.summary["sent"] < 300  # what was in flight has been waited for
    assert json.loads(output)["gate"]["verdict"] == "FAIL"


def test_a_disk_that_fills_ends_the_run_as_failed(tmp_path):
    room = (
        "import resource as r, runpy, sys; r.setrlimit(r.RLIMIT_FSIZE, (120_000, 120_000)); "
        "sys.argv[0] = 'harness'; runpy.run_module('harness', run_name='__main__')"
    )
    with running_target() as target:
        options = ("--target", target.url, "--rps", "60", "--duration", "60", "--store", str(tmp_path))
        process = subprocess.Popen(
            [sys.executable, "-c", room, "baseline", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        code, _, remarks = finish(process)
        sent = len(target.seen)
    run, rows = stored(tmp_path)
    assert code != 0
    assert "Traceback" not in remarks
    assert run.status is RunStatus.FAILED
    assert 20 < len(rows) <= sent < 2000  # 3,600 were planned: what cannot be recorded is not sent


def test_nonsense_is_one_sentence_and_exit_2(tmp_path):
    code, output, remarks = finish(start(tmp_path, "--arrivals", "zigzag"))
    assert (code, output) == (2, "")
    assert remarks.startswith("harness: no arrivals 'zigzag'")
    assert len(remarks.splitlines()) == 1


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"target": "https://staging.example"}, "another machine"),
        ({"target": "http://127.0.0.1:9"}, "healthz does not answer"),
        ({"scenario": "nothing"}, "no scenario 'nothing'"),
        ({"load": {"rps": 0}}, "not a single request"),
        ({"load": {"rps": float("nan")}}, "rps"),
        ({"load": {"header_env": {"A": "NOT_SET_ANYWHERE"}}}, "NOT_SET_ANYWHERE"),
        ({"load": {"cases_path": "nowhere.jsonl"}}, "nowhere.jsonl"),
        ({"scenario": "openai-chat"}, "--model"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(tmp_path, plan, sentence):
    with pytest.raises(UsageError, match=sentence):
        run_baseline(BaselinePlan(store_dir=tmp_path, **plan), Console(quiet=True))


@pytest.mark.parametrize(
    ("status", "payload", "said"),
    [
        (500, {"message": "the database is down"}, "500.*the database is down"),
        (503, {}, "503"),
        (200, "<html>Sign in</html>", "no /graph|not JSON"),
        (200, {}, "no /graph"),
        (302, {}, "302"),
    ],
)
def test_a_target_that_fails_the_warm_up_is_not_loaded(tmp_path, status, payload, said):
    with running_target() as target:
        target.status, target.payload = status, payload
        plan = BaselinePlan(
            store_dir=tmp_path / "store", target=target.url, load={"rps": 50, "duration_s": 2}
        )
        with pytest.raises(TargetError, match=f"(?s)warm-up.*({said}).*--keep-going"):
            run_baseline(plan, Console(quiet=True))
        assert len(target.seen) == 1
    assert not (tmp_path / "store").exists()


def test_a_failing_target_is_loaded_on_purpose(tmp_path):
    with running_target() as target:
        target.status = 500
        options = ("--target", target.url, "--rps", "20", "--duration", "0.5", "--keep-going")
        code, output, remarks = finish(start(tmp_path, *options))
    assert "warm-up request failed (500" in remarks
    assert json.loads(output)["gate"]["verdict"] == "FAIL", code
