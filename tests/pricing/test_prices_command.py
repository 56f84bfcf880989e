"""`harness prices`: what is known, from where, and what is not."""

import json


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
