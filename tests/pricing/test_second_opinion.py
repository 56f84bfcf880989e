"""Another source's prices: read as data from the litellm wheel, compared with ours, never charged."""

import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from harness.errors import ConfigError
from harness.pricing import PriceBook
from harness.pricing.litellm_map import read_cost_map
from harness.pricing.second_opinion import price_differences
from harness.store import ingest
from tests.store.samples import a_call, a_request, a_run, write

AT = datetime(2026, 11, 23, tzinfo=UTC)
BOOK = PriceBook.load()
MAP = {  # in the wheel's own form
    "sample_spec": {"input_cost_per_token": 0.0, "litellm_provider": "one of https://docs.litellm.ai"},
    "gpt-4o": {
        "litellm_provider": "openai",
        "input_cost_per_token": 2.5e-06,
        "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06,
        "input_cost_per_token_batches": 1.25e-06,
        "output_cost_per_token_batches": 5e-06,
        "source": "https://example.com/openai",
    },
    "claude-sonnet-4-5": {
        "litellm_provider": "anthropic",
        "input_cost_per_token": 3e-06,
        "output_cost_per_token": 1.5e-05,
        "cache_read_input_token_cost": 3e-07,
        "cache_creation_input_token_cost": 3.75e-06,
        "cache_creation_input_token_cost_above_1hr": 6e-06,
    },
    "mistral/mistral-large-latest": {
        "litellm_provider": "mistral",
        "input_cost_per_token": 5e-07,
        "output_cost_per_token": 1.5e-06,
    },
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0": {
        "litellm_provider": "bedrock_converse",
        "input_cost_per_token": 3.3e-06,
        "output_cost_per_token": 1.65e-05,
        "input_cost_per_token_above_200k_tokens": 6.6e-06,
    },
    "xai/grok-4.7": {
        "litellm_provider": "xai",
        "input_cost_per_token": 2e-06,
        "input_cost_per_token_above_200k_tokens": 4e-06,
        "output_cost_per_token": 6e-06,
        "output_cost_per_token_above_200k_tokens": 12e-06,
    },
    "azure/gpt-4o": {
        "litellm_provider": "azure",
        "input_cost_per_token": "free",
        "output_cost_per_token": True,
    },
}


@pytest.fixture
def cost_map(tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps(MAP))
    return path


@pytest.mark.parametrize(
    ("provider", "model", "differing"),
    [
        ("openai", "gpt-4o", []),
        ("openai", "gpt-4o-2024-08-06", []),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", [("input", 200_000)]),
        ("xai", "grok-4.7", []),  # the same cliff, told as `above 199,999` and as `above 200,000`
        (
            "mistral",
            "mistral-large-latest",
            [("input", 0), ("output", 0)],
        ),
    ],
)
def test_prices_are_compared_kind_by_kind_and_cliff_by_cliff(cost_map, provider, model, differing):
    quote = BOOK.quote(provider, model, at=AT)
    theirs = read_cost_map(cost_map).find(provider, model, quote.priced_as).card("standard")
    assert [(d.kind, d.above_input_tokens) for d in price_differences(quote.card, theirs)] == differing


def test_a_name_of_another_provider_or_without_a_price_is_not_found(cost_map):
    other = read_cost_map(cost_map)
    assert other.find("groq", "gpt-4o", None) is None
    assert other.find("openai", "no-such-model", None) is None
    assert other.find("azure", "gpt-4o", None).card("standard") is None
    assert other.find("openai", "gpt-4o", None).card("batch").input.base_usd_per_mtok == Decimal("1.25")
    assert other.find("openai", "gpt-4o", None).card("fast") is None


def test_the_command_shows_who_differs_by_how_much_and_both_dates(run_harness, cost_map, monkeypatch):
    monkeypatch.setenv("LLM_PROVIDER", "openai")
    monkeypatch.setenv("LLM_MODEL", "gpt-4o")
    code, text, _ = run_harness("prices", "check", "--against", cost_map, "--json")
    assert (code, json.loads(text)["disagreeing"]) == (0, 0)
    args = ("prices", "check", "--against", cost_map, "--model", "mistral/mistral-large-latest")
    code, text, _ = run_harness(*args, "--json")
    answer = json.loads(text)
    (opinion,) = [row for row in answer["opinions"] if row["provider"] == "mistral"]
    assert (code, answer["disagreeing"], opinion["our_date"]) == (1, 1, "2026-11-10")
    assert opinion["differences"][0] == {
        "kind": "input",
        "above_input_tokens": 0,
        "our_usd_per_mtok": 2,
        "their_usd_per_mtok": 0.5,
        "change_ratio": -0.75,
    }
    code, text, _ = run_harness(*args)
    assert (code, "-75.0%" in text, "1 of 2 models agree with map.json" in text) == (1, True, True)
    assert (
        "Not known to map.json: groq/llama-3.3-70b-versatile"
        in (
            run_harness("prices", "check", "--against", cost_map, "--model", "groq/llama-3.3-70b-versatile")[
                1
            ]
        )
    )


def test_the_wheel_is_read_without_being_imported(run_harness, tmp_path, monkeypatch):
    package, info = tmp_path / "litellm", tmp_path / "litellm-9.9.dist-info"
    (info / "sboms").mkdir(parents=True)
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model_prices_and_context_window_backup.json").write_text(json.dumps(MAP))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: litellm\nVersion: 9.9\n")
    (info / "sboms" / "x.cyclonedx.json").write_text('{"metadata": {"timestamp": "2026-11-20T03:38:35Z"}}')
    (info / "RECORD").write_text("litellm-9.9.dist-info/sboms/x.cyclonedx.json,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    code, text, error = run_harness(
        "prices", "check", "--against", "litellm", "--model", "openai/gpt-4o", "--json"
    )
    assert (code, error) == (0, "")
    assert json.loads(text)["against"] == {"source": "litellm 9.9", "published": "2026-11-20"}
    assert "litellm" not in sys.modules


def test_what_is_no_cost_map_is_one_sentence(run_harness, tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_cost_map(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        read_cost_map(tmp_path / "bad.json")
    assert run_harness("prices", "drift", "latest", "--against", tmp_path / "none.json")[0] == 2


@pytest.fixture
def store(tmp_path):
    told = {"provider": "openai", "model": "gpt-4o", "input_tokens": 1_000_000, "output_tokens": 0}
    stale = {"provider": "mistral", "model": "mistral-large-latest"}
    path = tmp_path / "store"
    write(
        path,
        a_run("run-1"),
        *(a_request(n) for n in range(1, 7)),
        a_request(7, warmup=True),
        a_call(1, **told),
        a_call(2, **told | {"served_model": "gpt-4o-2024-08-06"}),
        a_call(3, **told | stale),
        a_call(4, **told | {"input_tokens": None}),
        a_call(5, **told | {"served_terms": {"searches": 1}}),
        a_call(6, **told | {"price_source": "declared"}),
        a_call(7, **told),
    )
    ingest(path)
    return path


def test_drift_tells_what_a_run_costs_under_either(run_harness, cost_map, store):
    args = ("prices", "drift", "run-1", "--against", cost_map, "--store", store)
    code, text, error = run_harness(*args, "--json")
    answer = json.loads(text)
    assert (code, error) == (0, "")
    assert (answer["calls"], answer["compared_calls"]) == (5, 3)
    assert (answer["our_cost_usd"], answer["their_cost_usd"], answer["change_usd"]) == (7, 5.5, -1.5)
    mistral = next(row for row in answer["by_model"] if row["provider"] == "mistral")
    assert (mistral["our_cost_usd"], mistral["their_cost_usd"]) == (2, 0.5)
    code, text, _ = run_harness(*args)
    assert (code, "2 of 5 calls are not priced by both" in text) == (0, True)


def test_drift_of_a_run_without_calls_is_one_sentence(run_harness, cost_map, tmp_path):
    write(tmp_path / "store", a_run("run-1", started_at=AT + timedelta(days=1)))
    code, _, error = run_harness(
        "prices", "drift", "run-1", "--against", cost_map, "--store", tmp_path / "store"
    )
    assert (code, "recorded no calls" in error) == (2, True)
