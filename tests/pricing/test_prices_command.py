"""`harness prices`: what is known, from where, and what is not."""

import json

import pytest

from harness.orchestration.strategy import strategy_files


def test_list_shows_the_prices_of_a_provider(run_harness):
    code, text, _ = run_harness("prices", "list", "--provider", "openai", "--match", "gpt-4o-mini", "--json")
    models = {m["model"]: m for m in json.loads(text)["models"]}
    assert code == 0
    assert models["gpt-4o-mini"]["usd_per_mtok"]["input"] == 0.15
    assert models["gpt-4o-mini"]["price_source"] == "genai-prices"
    assert "gpt-4o-mini " in run_harness("prices", "list", "--match", "gpt-4o-mini")[1]


def test_show_has_every_context_its_source_and_the_cliff(run_harness):
    code, text, _ = run_harness("prices", "show", "anthropic/claude-sonnet-4-5-20250929")
    assert code == 0
    for shown in ("standard", "batch", "200,000 input tokens", "genai-prices", "https://", "priority, flex"):
        assert shown in text
    shown = json.loads(run_harness("prices", "show", "anthropic/claude-3-haiku-20240307", "--json")[1])[
        "prices"
    ]
    batch = next(entry for entry in shown if entry["context"] == "batch")
    assert (batch["usd_per_mtok"]["input"], batch["start_date"]) == (0.125, "2024-10-08")
    assert batch["source_url"].startswith("https://docs.anthropic.com/")


def test_show_refuses_a_misspelling_and_names_what_was_meant(run_harness):
    code, text, error = run_harness("prices", "show", "anthropic/claude-3-5-sonnet-typo")
    assert (code, text) == (2, "")
    assert "'claude-3-5-sonnet'" in error
    assert run_harness("prices", "show", "nobody/m")[0] == 2
    assert run_harness("prices", "list", "--provider", "nobody")[0] == 2
    assert run_harness("prices", "list", "--context", "bacth")[0] == 2


@pytest.fixture
def no_llm_settings(monkeypatch):
    for name in ("LLM_PROVIDER", "LLM_MODEL", "LLM_STRATEGY", "PROVIDERS_CONFIG_PATH", "HARNESS_PRICES"):
        monkeypatch.delenv(name, raising=False)


def config_file(tmp_path, repair_model):
    path = tmp_path / "providers.json"
    choices = {
        "draft_graph": {"provider": "openai"},
        "repair_graph": {"provider": "mine", "model": repair_model},
    }
    mine = {"kind": "openai", "base_url": "http://127.0.0.1:9", "local": repair_model == "free"}
    path.write_text(json.dumps({"overrides": choices, "providers": {"mine": mine}}))
    return path


@pytest.mark.usefixtures("no_llm_settings")
def test_check_names_each_configured_model_without_a_price(run_harness, tmp_path):
    code, text, _ = run_harness("prices", "check", "--config", config_file(tmp_path, "my-model"), "--json")
    answer = json.loads(text)
    assert (code, answer["unpriced"]) == (1, 1)
    unpriced = next(row for row in answer["models"] if not row["priced"])
    assert (unpriced["provider"], unpriced["model"], unpriced["used_by"]) == (
        "mine",
        "my-model",
        ["repair_graph"],
    )
    code, text, _ = run_harness("prices", "check", "--config", config_file(tmp_path, "my-model"))
    assert (code, "NONE" in text) == (1, True)
    code, text, _ = run_harness("prices", "check", "--config", config_file(tmp_path, "free"))
    assert (code, "free by declaration" in text) == (0, True)


@pytest.mark.usefixtures("no_llm_settings")
def test_every_shipped_default_and_strategy_has_a_price(run_harness, monkeypatch):
    names = [file.stem for file in strategy_files()]
    assert names
    strategies = [part for name in names for part in ("--strategy", name)]
    for provider in ("anthropic", "openai", "fixtures"):
        monkeypatch.setenv("LLM_PROVIDER", provider)
        code, text, _ = run_harness("prices", "check", *strategies)
        assert code == 0, text
