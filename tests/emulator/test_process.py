"""The command as a process: ready when it says so, gone when told, whole lines whatever kills it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import anthropic
import httpx2
import orjson
import pytest

from harness.emulator import EmulatorSettings, running_emulator

COMMAND = [sys.executable, "-c", "from harness.cli.app import main; main()", "emulate"]
ROOT = Path(__file__).parents[2]


@contextmanager
def emulate(tmp_path: Path, *flags: str, **options) -> Iterator[tuple[subprocess.Popen, str]]:
    port_file = tmp_path / "port"
    command = [*COMMAND, "--port-file", str(port_file), "--ledger", str(tmp_path / "ledger.jsonl"), *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        assert line.strip().endswith(f":{port_file.read_text().strip()}")
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()


def ask(url: str, number: int) -> None:
    client = anthropic.Anthropic(api_key="secret-canary", base_url=url, max_retries=0)
    messages = [{"role": "user", "content": f"Question {number}"}]
    client.messages.create(model="claude-3-5-sonnet-20241022", max_tokens=40, messages=messages)


def test_a_terminated_emulator_ends_soon_and_records_what_was_in_flight(tmp_path):
    with emulate(tmp_path) as (process, url):
        asking = ThreadPoolExecutor(1).submit(ask, url, 1)
        deadline = time.monotonic() + 10
        while httpx2.get(f"{url}/_emulator/stats").json()["in_flight"] == 0:
            assert time.monotonic() < deadline
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - started < 3
        assert isinstance(asking.exception(timeout=20), anthropic.APIError | httpx2.TransportError)
    entry = orjson.loads((tmp_path / "ledger.jsonl").read_bytes())
    assert entry["outcome"] in ("cut", "disconnected")


def test_a_killed_emulator_leaves_whole_lines(tmp_path):
    with emulate(tmp_path, "--speed", "400") as (process, url):
        done = []

        def keep_asking(worker: int) -> None:
            for number in range(200):
                try:
                    ask(url, worker * 1000 + number)
                except anthropic.APIError:
                    return
                done.append(number)

        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(keep_asking, worker) for worker in range(4)]
            while len(done) < 30 and not all(future.done() for future in futures):
                time.sleep(0.005)
            process.kill()
    lines = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") and orjson.loads(line)["seq"] for line in lines)
    assert len(lines) >= 30
    assert b"canary" not in b"".join(lines)


def test_the_emulator_ends_with_its_parent(tmp_path):
    read_fd, write_fd = os.pipe()
    env = os.environ | {"HARNESS_LIFELINE_FD": str(read_fd)}
    with emulate(tmp_path, env=env, pass_fds=(read_fd,)) as (process, _):
        os.close(read_fd)
        os.close(write_fd)
        process.wait(timeout=5)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--speed", "0"], "--speed must be"),
        (["--host", "0.0.0.0"], "this machine only"),
        (["--faults", '{"kind":"x"}'], "--faults"),
        (["--defect-rate", "2"], "--defect-rate must be"),
        (["--ledger", "/proc/nowhere/ledger"], "cannot write the ledger"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(flags, sentence):
    ended = subprocess.run(
        [*COMMAND, *flags], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_ledger_agrees_with_what_the_sdk_was_told(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with running_emulator(EmulatorSettings(speed=300, ledger=path)) as emulator:
        client = anthropic.Anthropic(api_key="k", base_url=emulator.base_url, max_retries=0)
        told = {}
        for number in range(8):
            raw = client.messages.with_raw_response.create(
                model="claude-3-5-sonnet-20241022", max_tokens=99,
                messages=[{"role": "user", "content": f"Q{number % 3}"}],
                extra_headers={"X-Client-Request-Id": f"call-{number}"},
            )  # fmt: skip
            told[f"call-{number}"] = (raw.parse(), raw.headers["request-id"])
        stats = httpx2.get(f"{emulator.base_url}/_emulator/stats").json()
        served = httpx2.get(f"{emulator.base_url}/_emulator/ledger", params={"since": 6}).json()["entries"]
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, 9))
    assert [row["seq"] for row in served] == [7, 8]
    assert [row["occurrence"] for row in rows] == [1, 1, 1, 2, 2, 2, 3, 3]
    for row in rows:
        message, request_id = told[row["call_id"]]
        assert (row["input_tokens"], row["output_tokens"]) == (
            message.usage.input_tokens,
            message.usage.output_tokens,
        )
        assert message.id.endswith(row["response_id"])
        assert row["request_id"] == request_id
    assert stats["tokens"]["output_tokens"] == sum(row["output_tokens"] for row in rows)
    assert stats["in_flight"] == 0
