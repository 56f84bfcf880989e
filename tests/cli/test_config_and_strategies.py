"""`harness config show` and `harness strategies list`, as people and machines read them."""

import json
from pathlib import Path

import pytest

from harness.cli.app import main

CANARY = "sk-ant-canary-424242"


def run(arguments: list[str], monkeypatch: pytest.MonkeyPatch, **env: str) -> int:
    monkeypatch.setattr("sys.argv", ["harness", *arguments])
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_config_show_tells_every_origin_and_masks_keys(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["config", "show", "--json"], monkeypatch, ANTHROPIC_API_KEY=CANARY, LLM_MODEL="claude-x") == 0
    text = capsysbinary.readouterr().out
    assert CANARY.encode() not in text
    settings = json.loads(text)["settings"]
    assert settings["draft_graph.model"] == {"value": "claude-x", "origin": "LLM_MODEL"}
    assert settings["ANTHROPIC_API_KEY"]["value"] == f"******** ({len(CANARY)} characters)"
    assert {"COST_MAX_USD", "environment", "PERF_RPS", "DD_AGENT_HOST", "HARNESS_STORE"} <= set(settings)


def test_config_show_ends_with_2_when_a_key_is_missing_and_still_shows_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "show"], monkeypatch) == 2
    shown = capsys.readouterr()
    assert "draft_graph.provider" in shown.out
    assert shown.err == "harness: ANTHROPIC_API_KEY: is not set, but provider 'anthropic' needs it\n"


def test_config_show_names_a_wrong_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "p.json"
    path.write_text("{\n  nope\n}")
    assert run(["config", "show", "--config", str(path)], monkeypatch) == 2
    assert capsys.readouterr().err.startswith(f"harness: {path}:2: is not JSON")


def test_strategies_list_shows_every_shipped_file(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["strategies", "list", "--json"], monkeypatch) == 0
    listed = {s["name"]: s for s in json.loads(capsysbinary.readouterr().out)["strategies"]}
    assert listed["hybrid"]["routes"] == {
        "draft": "anthropic/claude-3-5-sonnet-20241022",
        "repair": "openai/gpt-4o-mini",
    }
    assert listed["fallback"]["routes"]["fallback 1"] == "openai/gpt-4o"
