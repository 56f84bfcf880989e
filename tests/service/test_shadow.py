"""Shadow mode and circuits in a running service: unseen, within a budget, recorded apart, paired."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.emulator import EmulatorSettings, FaultRule, running_emulator
from harness.figures.sides import sides_of
from harness.orchestration import resolve_routing, resolve_strategy
from harness.service.shadow import ShadowSettings
from harness.store import open_store
from harness.strategies.cells import load_cells
from tests.cli.test_config_and_strategies import run as run_harness
from tests.service.running import emulated_env, rows, service

BRIEF = {"brief": "Should we hire two engineers for 240,000 dollars or outsource the project to a vendor?"}


def until(client: Any, line: str) -> str:
    """The metrics, once they hold a line."""
    deadline = time.monotonic() + 20
    while line not in (text := client.get("/metrics").text):
        assert time.monotonic() < deadline, text
        time.sleep(0.02)
    return text


def shadowed(env: dict[str, str], share: float, budget_usd: str) -> ShadowSettings:
    strategy = resolve_strategy(resolve_routing(env), "all-anthropic")
    return ShadowSettings(strategy=strategy, share=share, budget_usd=Decimal(budget_usd))


def test_a_shadow_answers_the_same_requests_in_a_run_of_its_own(tmp_path: Path) -> None:
    with running_emulator(EmulatorSettings(speed=500, defect_rate=0)) as emulator:
        env = {**emulated_env(emulator), "LLM_STRATEGY": "all-openai", "HARNESS_ENV": "production"}
        with service(env, store_dir=tmp_path, shadow=shadowed(env, 1.0, "5")) as client:
            for n in range(6):
                answer = client.post("/assist/draft-graph", json=BRIEF, headers={"x-request-id": f"q-{n}"})
                assert answer.status_code == 200
            text = until(client, 'harness_shadow_requests_total{outcome="answered"} 6.0')
            assert "olumi_assist_draft_completed_total{" in text
            assert text.count('strategy="all-anthropic"') == 0  # no metric of production knows of it
    found = rows(tmp_path, "SELECT * FROM requests ORDER BY environment, request_id")
    assert {row["environment"] for row in found} == {"production", "production-shadow"}
    live, unseen = found[:6], found[6:]
    assert [row["request_id"] for row in live] == [row["request_id"] for row in unseen]
    assert {row["strategy"] for row in unseen} == {"all-anthropic"}
    assert {row["run_id"] for row in live}.isdisjoint(row["run_id"] for row in unseen)
    with open_store(tmp_path).snapshot() as view:
        runs = sorted({row["run_id"] for row in found})
        sides = [side for run in runs for side in sides_of(view, view.run(run))]
        cells = load_cells([(side.way or "?", side) for side in sides])
    assert cells.n == 6  # paired by the request's id
    assert {source.ref.provider for source in cells.sources} == {"openai", "anthropic"}


def test_a_shadow_ends_with_its_budget_and_takes_its_share(tmp_path: Path) -> None:
    with running_emulator(EmulatorSettings(speed=500, defect_rate=0)) as emulator:
        env = {**emulated_env(emulator), "LLM_STRATEGY": "all-openai"}
        with service(env, store_dir=tmp_path / "a", shadow=shadowed(env, 1.0, "0.0001")) as client:
            assert client.post("/assist/draft-graph", json=BRIEF).status_code == 200
            until(client, 'harness_shadow_requests_total{outcome="failed"} 1.0')
        with service(env, store_dir=tmp_path / "b", shadow=shadowed(env, 0.0, "5")) as client:
            assert client.post("/assist/draft-graph", json=BRIEF).status_code == 200
            assert "harness_shadow_requests_total{" not in client.get("/metrics").text
    refused = rows(tmp_path / "a", "SELECT * FROM calls WHERE provider = 'anthropic'")
    assert [(call["outcome"], call["error_kind"]) for call in refused] == [("refused", "cost_guard")]


def test_a_circuit_opens_in_a_service_and_shows_in_metrics_and_calls(tmp_path: Path) -> None:
    down = FaultRule(kind="unavailable", model="claude-*")
    with running_emulator(EmulatorSettings(speed=500, faults=(down,))) as emulator:
        env = {**emulated_env(emulator), "LLM_STRATEGY": "all-anthropic"}
        with service(env, store_dir=tmp_path, circuit_open_s=60.0) as client:
            statuses = [client.post("/assist/draft-graph", json=BRIEF).status_code for _ in range(5)]
            last = client.post("/assist/draft-graph", json=BRIEF)
            text = client.get("/metrics").text
    assert statuses[0] in (502, 503)
    assert last.status_code == 503
    assert last.json()["details"]["error_kind"] == "circuit_open"
    assert 0 < int(last.headers["retry-after"]) <= 60
    assert 'harness_circuit_transitions_total{provider="anthropic",state="open"} 1.0' in text
    assert "harness_circuits_not_closed 1.0" in text
    assert rows(tmp_path, "SELECT * FROM calls WHERE error_kind = 'circuit_open'")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--shadow", "all-openai"], "--shadow-budget USD"),
        (["--shadow-budget", "5"], "--shadow-budget needs --shadow"),
        (["--shadow", "all-openai", "--shadow-budget", "-1"], "--shadow-budget: '-1' must be more than 0"),
        (["--shadow", "nobody", "--shadow-budget", "1"], "unknown strategy 'nobody'"),
    ],
)
def test_a_wrong_shadow_is_one_sentence(
    arguments: list[str],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run_harness(["serve", "--port", "0", *arguments], monkeypatch, LLM_PROVIDER="fixtures")
    assert code == 2
    assert problem in capsys.readouterr().err
