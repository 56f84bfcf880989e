"""`harness serve` as a process: its port, its end, its refusals, and what it never lets out."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from harness.cli.app import main
from harness.emulator import EmulatorSettings, FaultRule, running_emulator
from tests.service.running import emulated_env, rows

COMMAND = [sys.executable, "-m", "harness", "serve", "--port", "0"]
BRIEF = {"brief": "Should we hire two engineers or outsource?"}
CANARY = "sk-ant-canary-0123456789abcdef"


@contextmanager
def serving(
    tmp_path: Path, *options: str, env: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], httpx2.Client]]:
    port_file, log = tmp_path / "port", tmp_path / "service.log"
    command = [*COMMAND, "--port-file", str(port_file), "--store", str(tmp_path / "store"), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **(env or {"LLM_PROVIDER": "fixtures"})}, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 60
        while not port_file.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with httpx2.Client(
            base_url=f"http://127.0.0.1:{port_file.read_text().strip()}", timeout=30
        ) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()


def test_sigterm_ends_it_within_a_second_and_leaves_a_completed_run(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, client):
        assert client.post("/assist/draft-graph", json=BRIEF).status_code == 200
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        took_s = time.monotonic() - started
    assert took_s < 3  # the promise is 1 s; this machine may be busy
    (run,) = rows(tmp_path / "store", "SELECT * FROM runs")
    assert (run["kind"], run["status"]) == ("service", "completed")
    assert len(rows(tmp_path / "store", "SELECT * FROM requests")) == 1


def test_requests_in_flight_at_the_end_are_recorded(tmp_path: Path) -> None:
    stall = FaultRule(kind="stall", delay_ms=60_000)
    with running_emulator(EmulatorSettings(speed=200, faults=(stall,))) as emulator:
        env = {**emulated_env(emulator), "LLM_STRATEGY": "hybrid"}
        with serving(tmp_path, "--grace", "0.3", env=env) as (process, client):
            url = f"http://127.0.0.1:{client.base_url.port}/assist/draft-graph"
            sender = subprocess.Popen(
                ["curl", "-s", "-X", "POST", url, "-d", '{"brief":"x"}'], stdout=subprocess.DEVNULL
            )
            deadline = time.monotonic() + 20
            while not emulator.app.engine.ledger.in_flight:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            sender.wait(10)
    (call,) = rows(tmp_path / "store", "SELECT * FROM calls")
    assert (call["error_kind"], call["cost_usd"], call["unpriced_reason"]) == (
        "cancelled",
        None,
        "usage_unknown",
    )
    (request,) = rows(tmp_path / "store", "SELECT * FROM requests")
    assert (request["error_kind"], request["http_status"]) == ("cancelled", 503)


@pytest.mark.parametrize(
    ("env", "options", "sentence"),
    [
        ({}, (), "harness: ANTHROPIC_API_KEY: is not set, but provider 'anthropic' needs it\n"),
        ({"LLM_PROVIDER": "nobody"}, (), "harness: LLM_PROVIDER: unknown provider 'nobody'"),
        ({"LLM_STRATEGY": "nothing"}, (), "harness: LLM_STRATEGY: unknown strategy 'nothing'"),
        (
            {"LLM_PROVIDER": "fixtures"},
            ("--environment", "production"),
            "harness: environment=production: fixtures would serve",
        ),
        (
            {"ANTHROPIC_API_KEY": CANARY, "LLM_MODEL": "claude-3-5-sonet"},
            (),
            "no price is known for model 'claude-3-5-sonet'",
        ),
        ({"LLM_PROVIDER": "fixtures"}, ("--budget", "free"), "harness: --budget"),
        ({"LLM_PROVIDER": "fixtures"}, ("--host", "203.0.113.1"), "harness: cannot listen on 203.0.113.1"),
        ({"LLM_PROVIDER": "fixtures"}, ("--store", "/proc/nowhere"), "harness: /proc/nowhere"),
        ({"LLM_PROVIDER": "fixtures"}, ("--telemetry-jsonl", "/proc/nowhere/x"), "harness: /proc/nowhere/x"),
    ],
)
def test_what_cannot_work_is_one_sentence_and_exit_2(
    tmp_path: Path,
    env: dict[str, str],
    options: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    store = ("--store", str(tmp_path / "store"))
    monkeypatch.setattr("sys.argv", ["harness", "serve", "--port", "0", *store, *options])
    with pytest.raises(SystemExit) as ended:
        main()
    message = capsys.readouterr().err
    assert ended.value.code == 2, message
    assert sentence in message
    assert message.count("\n") == 1
    assert CANARY not in message
    assert not (tmp_path / "store").exists()


def test_fixtures_in_production_serve_only_under_an_alert(tmp_path: Path) -> None:
    with serving(tmp_path, "--environment", "production", "--allow-fixtures") as (process, client):
        assert client.get("/healthz").json()["provider_mode"] == "fixtures"
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert (
        "fixtures serve draft and repair and suggest in production" in (tmp_path / "service.log").read_text()
    )
    (alert,) = rows(tmp_path / "store", "SELECT * FROM alert_events")
    assert (alert["rule"], alert["state"]) == ("fixtures_in_production", "firing")


def test_a_key_appears_nowhere(tmp_path: Path) -> None:
    faults = (
        FaultRule(kind="server_error", rate=0.3, retry_after_ms=1),
        FaultRule(kind="malformed_json", rate=0.3),
    )
    with running_emulator(EmulatorSettings(speed=200, faults=faults)) as emulator:
        env = {**emulated_env(emulator, CANARY), "LLM_STRATEGY": "hybrid"}
        options = ("--telemetry-header", "--telemetry-jsonl", str(tmp_path / "events.jsonl"))
        answers = []
        with serving(tmp_path, *options, env=env) as (process, client):
            for n in range(8):
                body = {"brief": f"Choose {n} or {CANARY[:3]}", "include_debug": True}
                response = client.post("/assist/draft-graph", json=body, headers={"X-Assist-Telemetry": "1"})
                answers.append(f"{response.headers} {response.text}")
            answers += [client.get("/healthz").text, client.get("/metrics").text]
            process.send_signal(signal.SIGTERM)
            process.wait(10)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"assist.draft" in content for content in written)
    assert CANARY not in "".join(answers)
    assert all(CANARY.encode() not in content for content in written)
