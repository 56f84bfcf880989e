"""Names as providers and gateways write them: the unambiguous ones are priced, the others say what would be."""

import importlib.metadata
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from harness.pricing import PriceBook, naming
from harness.pricing.catalogue import DATA_DATES, genai_providers

AT = datetime(2026, 11, 30, tzinfo=UTC)
BOOK = PriceBook.load()
ARN = "arn:aws:bedrock:us-east-1:123456789012:"

PRICED = [  # provider, model, input USD per million tokens, lent by
    ("bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0", "3", None),
    ("aws", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "3", None),
    ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", None),  # the regional surcharge
    ("aws", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", None),
    ("aws", "anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", None),
    ("amazon_bedrock", "us.anthropic.claude-opus-5", "5.5", None),
    ("aws", "global.anthropic.claude-opus-5", "5", None),
    ("aws", "us.meta.llama3-3-70b-instruct-v1:0", "0.72", None),
    ("aws", "amazon.nova-pro-v1:0", "0.8", None),
    ("aws", "global.amazon.nova-2-lite-v1:0", "0.3", None),
    ("bedrock-converse", "us.amazon.nova-2-lite-v1:0", "0.33", None),
    ("aws", f"{ARN}inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", None),
    ("aws", f"{ARN}foundation-model/amazon.nova-lite-v1:0", "0.06", None),
    ("bedrock", "bedrock/us-west-2/anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", None),
    ("bedrock", "bedrock/converse/us.amazon.nova-2-lite-v1:0", "0.33", None),
    ("vertex", "claude-sonnet-4-5@20250929", "3", None),
    ("vertex_ai", "claude-opus-5@default", "5", None),
    ("Vertex-AI", "vertex_ai/claude-sonnet-4-5@20250929", "3", None),
    ("google", "publishers/anthropic/models/claude-sonnet-4-5@20250929", "3", None),
    ("google", "projects/p/locations/global/publishers/google/models/gemini-2.5-pro", "1.25", None),
    ("gemini", "models/gemini-2.5-flash", "0.3", None),
    ("gemini", "gemini/gemini-2.5-flash", "0.3", None),
    ("gemini", "gemini-2.0-flash-001", "0.1", None),
    ("openai", "ft:gpt-4o-mini:org::id", "0.3", None),
    ("openai", "ft:gpt-4o-mini-2024-07-18:acme::1", "0.3", None),
    ("openai", "ft:gpt-4o-2024-08-06:acme:my-suffix:AbC1", "3.75", None),
    ("openai", "ft:gpt-3.5-turbo-0125:acme::x", "3", None),
    ("openai", "openai/gpt-4o", "2.5", None),
    ("azure", "gpt-4o-mini-2024-07-18.ft-0123456789abcdef", "0.3", "openai"),
    ("azure-openai", "gpt-4o", "2.5", "openai"),
    ("azure", "azure/gpt-4o", "2.5", "openai"),
    ("azure", "azure/global-standard/gpt-4o", "2.5", "openai"),
    ("azure", "gpt-35-turbo-0125", "0.5", "openai"),
    ("azure", "o3-mini", "1.1", None),
    ("openrouter", "openai/gpt-4o", "2.5", None),
    ("openrouter", "openrouter/openai/gpt-4o-2024-08-06", "2.5", None),
    ("litellm", "openai/gpt-4o", "2.5", "openai"),
    ("litellm", "azure/gpt-4o", "2.5", "openai"),
    ("litellm", "openrouter/openai/gpt-4o", "2.5", "openrouter"),
    ("litellm", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "3.3", "aws"),
    ("litellm", "vertex_ai/claude-sonnet-4-5@20250929", "3", "google"),
    ("xai", "grok-4.7", "2", None),
    ("xai", "xai/grok-4.7", "2", None),
    ("mistralai", "mistral-large-latest", "2", None),
    ("fireworks_ai", "accounts/fireworks/models/deepseek-v4-flash", "0.14", None),
    ("fireworks", "deepseek-v4-flash", "0.14", None),
    ("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "0.88", None),
    ("groq", "groq/llama-3.3-70b-versatile", "0.59", None),
    ("deepseek", "deepseek/deepseek-v4-flash", None, None),
]

REFUSED = [  # provider, model, what the sentence says
    ("aws", "global.anthropic.claude-3-5-sonnet-20241022-v2:0", "regional.anthropic.claude-3-5-sonnet"),
    ("aws", "anthropic.claude-3-haiku-20240307-v1:0-typo", "regional.anthropic.claude-3-haiku-20240307"),
    ("aws", "anthropic.claude-3-haiku-20240307-v1:0:48k", "accepted"),
    ("aws", "mars.anthropic.claude-sonnet-4-5-20250929-v1:0", "accepted"),
    ("aws", "claude-sonnet-4-5-20250929", "a name of anthropic"),
    ("aws", "moonshotai.kimi-k3.1", "accepted"),
    ("aws", f"{ARN}application-inference-profile/abc123", "does not say which model"),
    ("aws", f"{ARN}provisioned-model/abc123", "not billed by token"),
    ("anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "a name of aws"),
    (
        "google",
        "projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5",
        "`locations/global`",
    ),
    ("google", "models/gemini-2.5-flash-typo", "accepted"),
    ("google", "gemini-2.5-flash-0001", "accepted"),
    ("openai", "ft:gpt-4.1-mini-2025-04-14:acme::x", "accepted"),
    ("openai", "ft:gpt-4o-minii:acme::x", "accepted"),
    ("openai", "gpt-4o-search-preview", "a fee for each request"),
    ("openai", "gpt-4o-mini-search-preview-2025-03-11", "a fee for each request"),
    ("azure", "azure/eu/gpt-4o", "regional deployments cost more"),
    ("azure", "my-deployment", "accepted"),
    ("openrouter", "openai/gpt-4o:nitro", "many prices"),
    ("openrouter", "openai/gpt-4o:online", "a fee for each search"),
    ("openrouter", "openrouter/auto", "chooses the model"),
    ("openrouter", "gpt-4o", "a name of openai"),
    ("litellm", "gpt-4o", "a name of openai"),
    ("litellm", "no-such-provider/gpt-4o", "accepted"),
    ("my-gateway", "openai/gpt-4o", "has no provider 'my-gateway'"),
    ("groq", "groq/compound-mini", "tools are billed apart"),
]


@pytest.mark.parametrize(("provider", "model", "input_usd", "lent_by"), PRICED)
def test_an_unambiguous_name_is_priced(provider, model, input_usd, lent_by):
    quote = BOOK.require(provider, model, at=AT)
    assert input_usd is None or quote.card.input.base_usd_per_mtok == Decimal(input_usd)
    assert quote.lent_by == lent_by
    assert quote.price_version.endswith(f"lent by {lent_by}") == (lent_by is not None)


@pytest.mark.parametrize(("provider", "model", "said"), REFUSED)
def test_an_ambiguous_name_has_no_price_and_the_sentence_says_what_would_be_accepted(provider, model, said):
    assert BOOK.quote(provider, model, at=AT) is None
    sentence = BOOK.unpriced_because(provider, model, at=AT)
    assert said in sentence
    assert "accepted" in sentence
    assert "misspelt" not in sentence


@pytest.mark.parametrize(("alias", "provider"), sorted(naming.provider_aliases().items()))
def test_every_alias_of_a_provider_lists_its_models(alias, provider):
    assert provider in {p.id for p in genai_providers}
    assert BOOK.listed_models(alias, at=AT) == BOOK.listed_models(provider, at=AT)


def test_every_model_that_a_provider_sells_by_the_token_is_listed():
    for provider in genai_providers:
        if provider.id in {"fireworks", "aws"}:
            assert len(BOOK.listed_models(provider.id, at=AT)) == len(provider.models)


@pytest.mark.parametrize(
    ("provider", "model", "moving", "since"),
    [
        ("mistral", "mistral-large-latest", True, "2026-11-10"),
        ("deepseek", "deepseek-chat", True, "2026-11-10"),
        ("mistral", "mistral-medium-latest", True, "2026-06-16"),
        ("google", "gemini-flash-latest", True, "2026-11-10"),
        ("vertex", "claude-opus-5@default", True, "2026-11-10"),
        ("mistral", "mistral-large-2411", False, None),
        ("openai", "o3", False, "2025-06-10"),
    ],
)
def test_a_name_that_moves_carries_the_date_of_its_price(provider, model, moving, since):
    quote = BOOK.require(provider, model, at=AT)
    assert (quote.moving, quote.start_date and quote.start_date.isoformat()) == (moving, since)


def test_the_installed_price_data_has_a_known_date():
    assert importlib.metadata.version("genai-prices") in DATA_DATES


def test_a_users_alias_and_entries_go_before_the_known_names(tmp_path: Path):
    entry = {
        "provider": "xai",
        "model": "grok-4.7",
        "start_date": "2026-01-01",
        "source_url": "https://example.com/prices",
        "input_usd_per_mtok": "7",
        "output_usd_per_mtok": "8",
    }
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"prices": [entry], "provider_aliases": {"gemini": "openai"}}))
    book = PriceBook.load(path)
    assert book.require("xai", "grok-4.7", at=AT).card.input.base_usd_per_mtok == 7
    assert book.require("x-ai", "grok-4.7", at=AT).card.input.base_usd_per_mtok == 2
    assert book.require("gemini", "gpt-4o", at=AT).priced_as == "gpt-4o"


def test_a_context_that_begins_on_a_date_says_so():
    before = datetime(2026, 10, 1, tzinfo=UTC)
    assert BOOK.quote("openai", "gpt-4o", at=before, context="batch") is None
    assert "begin on 2026-10-14" in BOOK.unpriced_because("openai", "gpt-4o", at=before, context="batch")
    assert "lends its standard prices only" in BOOK.unpriced_because(
        "azure", "gpt-4o", at=AT, context="batch"
    )
    assert "accepted contexts" in BOOK.unpriced_because("openai", "gpt-4o", at=AT, context="bacth")


def test_the_commands_say_who_lends_and_what_moves(run_harness):
    code, text, _ = run_harness("prices", "show", "azure/gpt-4o")
    assert (code, "openai; azure has no price of its own" in text) == (0, True)
    code, text, _ = run_harness("prices", "show", "mistralai/mistral-large-latest")
    assert (code, "its price of 2026-11-10" in text) == (0, True)
    code, text, _ = run_harness("prices", "list", "--provider", "fireworks", "--json")
    assert (code, len(json.loads(text)["models"])) == (0, 48)
    code, _, error = run_harness("prices", "show", "openrouter/openai/gpt-4o:nitro")
    assert (code, "cost: provider" in error) == (2, True)
