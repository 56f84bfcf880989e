"""Nothing of ours, nor of what we depend on, speaks to anybody but this machine unless it is told to."""

import json
import subprocess
import sys

import pytest

from tests.network.watching import attempts, watched_env

DRAFT, REPAIR = "anthropic/claude-3-5-sonnet-20241022:2000/1500", "openai/gpt-4o-mini:800/400"
COMMANDS = [
    ["doctor"],
    ["runs", "list"],
    ["runs", "show", "--json"],
    ["gate"],
    ["compare", "latest", "latest"],
    ["cost", "--draft", DRAFT, "--repair", REPAIR],
    ["prices", "list"],
    ["prices", "check"],
    ["strategies", "list"],
    ["strategies", "frontier"],
    ["suites", "list"],
    ["savings"],
    ["config", "show"],
    ["store", "check"],
    ["store", "stats"],
    ["alerts", "check"],
    ["power", "--true", "7.5s", "--limit", "8s"],
    ["export", "datadog"],
    ["export", "csv", "requests"],
    ["runs", "publish", "latest"],
]
EACH = """
import json, sys, traceback
from harness.cli.app import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["harness", *words]
    try:
        main()
    except SystemExit as end:
        print(f"{' '.join(words)}: {end.code}", flush=True)
"""


def run(*words, log, cwd, **env):
    return subprocess.run(
        [sys.executable, *words],
        env=watched_env(log, **env),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A baseline, with Locust, the service, the emulator and the OTLP sink, then every command on its store."""
    folder = tmp_path_factory.mktemp("quiet")
    log = folder / "attempts"
    sinks = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    load = run(
        "-m", "harness", "baseline", "--rps", "5", "--duration", "2", "--speed", "50", log=log, cwd=folder, **sinks
    )  # fmt: skip
    suite = run(
        "-m", "harness", "eval", "smoke", "--strategy", "hybrid", "--speed", "100",
        log=log, cwd=folder,
    )  # fmt: skip
    commands = run("-c", EACH, json.dumps(COMMANDS), log=log, cwd=folder, LLM_PROVIDER="fixtures")
    return load, suite, commands, log


def test_the_watch_refuses_and_tells(tmp_path):
    log = tmp_path / "attempts"
    code = "import socket; socket.create_connection(('192.0.2.1', 9), 1)"
    done = run("-c", code, log=log, cwd=tmp_path)
    assert "is outside of this machine" in done.stderr
    assert "192.0.2.1" in attempts(log)[0]


def test_no_command_speaks_to_anybody_else(used):
    load, suite, commands, log = used
    assert load.returncode == 0, load.stderr
    assert suite.returncode in (0, 1), suite.stderr
    for words in COMMANDS:
        assert f"{' '.join(words)}: 2" not in commands.stdout, commands.stderr
        assert f"{' '.join(words)}: " in commands.stdout, commands.stderr
    assert "Traceback" not in commands.stderr
    assert attempts(log) == []
