"""`harness doctor`: the checklist of a set-up that is ready, and of ones that are not."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.doctor import app
from harness.emulator import EmulatorSettings, running_emulator
from harness.providers.aws import _located
from harness.records import GateResult, GateVerdict
from harness.store import Spool
from tests.load.target import running_target
from tests.service.running import emulated_env, service

RUNNER = CliRunner()
ANT_KEY = "sk-ant-api03-canaryAbC123xyz"
OAI_KEY = "sk-proj-canaryAbC123xyz"


def examine(store: Path, *arguments: str) -> tuple[int, dict[str, tuple[str, str]], str]:
    result = RUNNER.invoke(app, ["--store", str(store), "--json", *arguments])
    checks = json.loads(result.stdout)["checks"]
    return (
        result.exit_code,
        {check["name"]: (check["answer"], check["sentence"]) for check in checks},
        result.output,
    )


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HARNESS_ENV": "production",
        "ANTHROPIC_API_KEY": ANT_KEY,
        "OPENAI_API_KEY": OAI_KEY,
        "HARNESS_ALERT_WEBHOOK": "https://hooks.example.com/services/T0/B0/canary",
    }.items():
        monkeypatch.setenv(name, value)


def passed(store: Path) -> None:
    with Spool.open(store) as spool:
        result = GateResult(run_id="run-1", ts=datetime.now(UTC), verdict=GateVerdict.PASS, checks=[])
        spool.append(result).result(5)


@pytest.mark.usefixtures("production")
def test_production_on_emulated_providers_is_told_apart_and_all_else_is_ready(tmp_path: Path) -> None:
    passed(tmp_path)
    with running_emulator(EmulatorSettings(speed=100)) as emulator:
        env = {**emulated_env(emulator), "HARNESS_ENV": "production"}
        with service(env, store_dir=tmp_path, telemetry=True) as client:
            code, checks, output = examine(tmp_path, "--production", "--target", str(client.base_url))
            relaxed, _, _ = examine(tmp_path, "--target", str(client.base_url))
    not_ok = {name: sentence for name, (answer, sentence) in checks.items() if answer != "ok"}
    assert not_ok == {"test request": "answered by emulated providers"}
    assert (code, relaxed) == (1, 0)
    assert "canary" not in output


@pytest.mark.usefixtures("production")
def test_fixtures_in_production_fail_the_checklist(tmp_path: Path) -> None:
    env = {"LLM_PROVIDER": "fixtures", "HARNESS_ENV": "production"}
    with service(env, store_dir=tmp_path, allow_fixtures=True) as client:
        code, checks, _ = examine(tmp_path, "--production", "--target", str(client.base_url))
    assert code == 1
    assert checks["service provider"][0] == "fail"
    assert checks["test request"] == ("fail", "answered from fixtures")
    assert checks["alerts"][0] == "fail"
    assert "fixtures_in_production" in checks["alerts"][1]


AWS = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(autouse=True)
def located_anew() -> None:
    _located.cache_clear()


@pytest.mark.parametrize(
    ("variables", "check", "sentence"),
    [
        ({"ANTHROPIC_API_KEY": "canary"}, "key", "does not look like a key"),
        ({"ANTHROPIC_API_KEY": ""}, "key", "ANTHROPIC_API_KEY is not set"),
        ({"LLM_PROVIDER": "gemini", "GEMINI_API_KEY": ""}, "key", "GEMINI_API_KEY is not set"),
        ({"LLM_PROVIDER": "gemini", "GEMINI_API_KEY": "canary"}, "key", "does not look like a key (AIza"),
        (
            {"LLM_PROVIDER": "bedrock", "AWS_BEARER_TOKEN_BEDROCK": "canary"} | AWS,
            "key",
            "AWS_BEARER_TOKEN_BEDROCK does not look like a key",
        ),
        ({"LLM_PROVIDER": "bedrock"} | AWS, "key", "no AWS credentials were found"),
        (
            {"LLM_PROVIDER": "bedrock"} | AWS | {"AWS_DEFAULT_REGION": ""},
            "key",
            "AWS_DEFAULT_REGION: is not set",
        ),
        ({"LLM_PROVIDER": "fixtures"}, "provider", "canned answers"),
        ({"LLM_PROVIDER": "nobody"}, "configuration", "unknown provider 'nobody'"),
        ({"HARNESS_ENV": "staging"}, "environment", "set HARNESS_ENV=production"),
        ({"HARNESS_ALERT_WEBHOOK": ""}, "alerts", "HARNESS_ALERT_WEBHOOK is not set"),
        ({"HARNESS_ALERT_WEBHOOK": "canary"}, "alerts", "is not an http or https address"),
    ],
)
@pytest.mark.usefixtures("production")
def test_each_wrong_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], check: str, sentence: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, checks, output = examine(tmp_path, "--production")
    assert code == 1
    assert checks[check][0] == "fail"
    assert sentence in checks[check][1]
    assert "canary" not in output


@pytest.mark.parametrize("payload", [{"graph": {}}, [1], "no"])
@pytest.mark.usefixtures("production")
def test_a_service_that_tells_nothing_is_unknown_not_fine(tmp_path: Path, payload: Any) -> None:
    with running_target() as target:
        target.payload = payload
        code, checks, _ = examine(tmp_path, "--production", "--target", target.url)
    assert code == 1
    assert checks["test request"][0] == "unknown"
    assert checks["telemetry"][0] == "fail"


def test_nobody_there_is_one_sentence(tmp_path: Path) -> None:
    code, checks, _ = examine(tmp_path, "--target", "http://127.0.0.1:9")
    assert code == 1
    assert checks["health"] == ("fail", "/healthz: no answer to use (ConnectError)")
