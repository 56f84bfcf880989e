"""A broken file behind every option and variable that takes one: exit 2, one sentence, no traceback, no key shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.records import RunEnd, RunStatus
from tests.inputs.config_documents import CANARY
from tests.store.samples import T0, a_request, a_run, write

BROKEN = f'{{"{CANARY}": [1, 2,\n'.encode() + b"\xff\xfe"
SUITE = "name: s\ntask: draft_graph\ndataset: broken\nstrategies: [hybrid]\n"

COMMANDS: dict[str, tuple[dict[str, str], list[str]]] = {
    "providers file": ({}, ["config", "show", "--config", "broken"]),
    "providers file of the environment": ({"PROVIDERS_CONFIG_PATH": "broken"}, ["config", "show"]),
    "strategy file": ({}, ["prices", "check", "--strategy", "./broken"]),
    "suite file": ({}, ["eval", "./broken"]),
    "dataset of a suite": ({}, ["eval", "suite.yaml"]),
    "gate limits, YAML": ({}, ["gate", "--config", "broken"]),
    "gate limits, TOML": ({}, ["gate", "--config", "broken.toml"]),
    "gate limits of the folder": ({}, ["runs", "publish", "latest", "--store", "store"]),
    "alert rules": ({}, ["alerts", "rules", "--rules", "broken"]),
    "alert rules, for Datadog": ({"HARNESS_ALERT_RULES": "broken"}, ["export", "datadog", "--out", "dd"]),
    "price overrides": ({}, ["prices", "list", "--prices", "broken"]),
    "price overrides of a run": ({"HARNESS_PRICES": "broken"}, ["runs", "show", "latest", "--store", "store"]),
    "arrivals to replay": ({}, ["baseline", "--arrivals", "replay", "--replay", "broken"]),
    "report file": ({}, ["gate", "./broken"]),
    "report file to compare": ({}, ["compare", "./broken", "./broken"]),
    "fault rules": ({}, ["emulate", "--faults", "broken"]),
    "redaction patterns": ({"HARNESS_REDACT": "broken"}, ["ingest", "suite.yaml", "--store", "store"]),
    "text to estimate": ({}, ["cost", "--draft", "openai/gpt-4o:text/1", "--text", "broken"]),
}  # fmt: skip
VARIABLES: dict[str, tuple[dict[str, str], list[str]]] = {
    "COST_MAX_USD": ({"COST_MAX_USD": CANARY}, ["config", "show"]),
    "LLM_PROVIDER": ({"LLM_PROVIDER": CANARY}, ["config", "show"]),
    "LLM_STRATEGY": ({"LLM_STRATEGY": CANARY, "LLM_PROVIDER": "fixtures"}, ["serve", "--port", "0"]),
    "OPENAI_BASE_URL": ({"OPENAI_BASE_URL": CANARY}, ["config", "show"]),
    "ANTHROPIC_API_KEY": ({"ANTHROPIC_API_KEY": f"{CANARY} x"}, ["config", "show"]),
    "DD_AGENT_PORT": (
        {"DD_AGENT_PORT": CANARY, "DD_AGENT_HOST": "127.0.0.1", "LLM_PROVIDER": "fixtures"},
        ["serve", "--port", "0", "--store", "store"],
    ),
    "HARNESS_ALERT_WEBHOOK": ({"HARNESS_ALERT_WEBHOOK": CANARY}, ["alerts", "check", "--store", "store"]),
}


@pytest.fixture
def broken(cli, monkeypatch, tmp_path):
    """Runs a command among broken files, with these variables; checks how it ends."""
    for name in ("broken", "broken.toml", "gate.yaml"):
        (tmp_path / name).write_bytes(BROKEN)
    (tmp_path / "suite.yaml").write_text(SUITE)
    write(
        tmp_path / "store",
        a_run(),
        a_request(1),
        RunEnd(run_id="run-1", ended_at=T0, status=RunStatus.COMPLETED),
    )

    def check(env: dict[str, str], arguments: list[str], named: str) -> None:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        code, output, remarks = cli(*arguments)
        assert code == 2, remarks + output
        (sentence,) = remarks.splitlines()
        assert sentence.startswith("harness: ")
        assert named in sentence
        assert CANARY[13:] not in remarks + output
        assert len(sentence) < 900

    return check


@pytest.mark.parametrize("name", COMMANDS)
def test_a_broken_file_is_one_sentence_and_exit_2(broken, name: str) -> None:
    env, arguments = COMMANDS[name]
    broken(env, arguments, "gate.yaml" if name == "gate limits of the folder" else "broken")


@pytest.mark.parametrize("name", VARIABLES)
def test_a_wrong_variable_is_one_sentence_and_exit_2(broken, name: str) -> None:
    env, arguments = VARIABLES[name]
    broken(env, arguments, name)


def test_a_broken_plan_ends_locust_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(BROKEN)
    command = [
        "-m",
        "harness.load.locust_main",
        "-f",
        str(Path(__file__).parents[2] / "scenarios" / "baseline.py"),
    ]
    done = subprocess.run(
        [sys.executable, *command, "--headless", "--run-time", "1s", "--host", "http://127.0.0.1:9"],
        env={**os.environ, "HARNESS_LOAD_PLAN": str(tmp_path / "broken")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert f"harness: {tmp_path / 'broken'}: is not UTF-8 text" in done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    assert CANARY[13:] not in done.stderr
