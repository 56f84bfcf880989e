"""What a bill rests on beside its tokens: priced where the book knows it, else unpriced with the reason."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from harness.pricing import PriceBook
from harness.pricing.served import family_of
from harness.records import NO_TERMS, ServedTerms, UnpricedReason, Usage, terms_from

AT = datetime(2026, 11, 20, tzinfo=UTC)
BOOK = PriceBook.load()
USAGE = Usage(input_tokens=1_000_000, output_tokens=100_000)

PRICED = [  # provider, model, terms, USD of 1,000,000 in and 100,000 out
    ("anthropic", "claude-opus-4-8", {}, "7.5"),
    ("anthropic", "claude-opus-4-8", {"inference_geo": "us"}, "8.25"),
    ("anthropic", "claude-opus-4-8", {"inference_geo": "global", "speed": "standard"}, "7.5"),
    ("anthropic", "claude-opus-4-8", {"inference_geo": "not_available", "service_tier": "standard"}, "7.5"),
    ("anthropic", "claude-opus-4-8", {"speed": "fast"}, "15"),
    ("anthropic", "claude-opus-4-8", {"speed": "fast", "inference_geo": "us"}, "16.5"),
    ("anthropic", "claude-opus-4-8", {"searches": 3}, "7.53"),
    ("anthropic", "claude-opus-4-8", {"searches": 3, "inference_geo": "us"}, "8.28"),  # a search is no token
    ("openai", "gpt-4o", {"service_tier": "default"}, "3.5"),
    ("openai", "gpt-4o", {"service_tier": "auto", "searches": 0, "audio_input_tokens": 0}, "3.5"),
    ("openai", "gpt-4o", {"service_tier": "priority"}, "5.95"),
    ("openai", "gpt-4o", {"service_tier": "fast"}, "5.95"),
    ("openai", "gpt-5.4", {"service_tier": "flex"}, "3.625"),
    ("openai", "gpt-4o", {"searches": 2}, "3.52"),
    ("perplexity", "sonar", {"searches": 4}, "1.112"),  # the fee for the request pays for them
    ("perplexity", "sonar-deep-research", {"searches": 10, "citation_tokens": 5_000}, "2.86"),
    ("google", "gemini-2.5-flash", {"image_input_tokens": 250_000}, "0.55"),
    ("google", "gemini-2.5-flash", {"audio_input_tokens": 250_000}, "0.725"),
]

UNPRICED = [  # provider, model, terms, usage, the reason
    ("anthropic", "claude-opus-4-8", {"inference_geo": "eu"}, USAGE, "costs in 'eu' is not known"),
    ("openai", "gpt-4o", {"inference_geo": "us"}, USAGE, "costs in 'us' is not known"),
    ("anthropic", "claude-haiku-4-5", {"speed": "fast"}, USAGE, "no fast price"),
    ("anthropic", "claude-opus-4-8", {"speed": "turbo"}, USAGE, "no turbo price"),
    (
        "anthropic",
        "claude-opus-4-8",
        {"speed": "fast", "service_tier": "priority"},
        USAGE,
        "no priority fast price",
    ),
    ("openai", "gpt-4o", {"service_tier": "scale"}, USAGE, "no scale price"),
    ("openai", "gpt-3.5-turbo", {"service_tier": "flex"}, USAGE, "no flex price"),
    ("groq", "llama-3.3-70b-versatile", {"service_tier": "performance"}, USAGE, "no performance price"),
    ("groq", "llama-3.3-70b-versatile", {"searches": 1}, USAGE, "web searches"),
    ("openai", "gpt-4o", {"tool_calls": 1}, USAGE, "calls of server-side tools"),
    ("openai", "gpt-4o", {"audio_input_tokens": 5}, USAGE, "audio input tokens"),
    ("openai", "gpt-4o", {"audio_output_tokens": 5}, USAGE, "audio output tokens"),
    ("openai", "gpt-4o", {"image_output_tokens": 5}, USAGE, "image output tokens"),
    ("google", "gemini-2.5-flash", {"audio_input_tokens": 1_000_001}, USAGE, "fewer than their parts"),
    (
        "google",
        "gemini-2.5-flash",
        {"audio_input_tokens": 5},
        Usage(input_tokens=1_000, output_tokens=1, cache_read_tokens=10),
        "cached input that may be audio",
    ),
    (
        "openai",
        "gpt-4o",
        {},
        Usage(input_tokens=1_000, output_tokens=1, cache_write_1h_tokens=10),
        "1-hour cache writes",
    ),
    ("openai", "gpt-4o", {}, Usage(input_tokens=2 * 10**18, output_tokens=1), "more tokens than any call"),
]


@pytest.mark.parametrize(("provider", "model", "told", "usd"), PRICED)
def test_what_the_book_knows_is_priced(provider, model, told, usd):
    terms = ServedTerms(**told)
    priced = BOOK.price(provider, model, USAGE, at=AT, terms=terms)
    assert (priced.cost_usd, priced.unpriced_reason) == (Decimal(usd), None)
    assert sum(line.cost_usd for line in priced.lines) == priced.cost_usd
    assert BOOK.cost_usd(provider, model, USAGE, at=AT, terms=terms) == priced.cost_usd
    kept = json.loads(json.dumps(terms.material()))  # as a store gives it back
    assert BOOK.cost_usd(provider, model, USAGE, at=AT, terms=terms_from(kept)) == priced.cost_usd


@pytest.mark.parametrize(("provider", "model", "told", "usage", "said"), UNPRICED)
def test_what_the_book_does_not_know_is_unpriced_and_says_why(provider, model, told, usage, said):
    priced = BOOK.price(provider, model, usage, at=AT, terms=ServedTerms(**told))
    assert (priced.cost_usd, priced.unpriced_reason) == (None, UnpricedReason.UNPRICED)
    assert said in priced.problem
    assert BOOK.cost_usd(provider, model, usage, at=AT, terms=ServedTerms(**told)) is None


def test_a_batch_serves_in_a_place_too_and_its_searches_cost_the_standard_fee():
    us = ServedTerms(inference_geo="us", service_tier="batch", searches=1)
    priced = BOOK.price("anthropic", "claude-opus-4-8", USAGE, at=AT, context="batch", terms=us)
    assert priced.cost_usd == Decimal("3.75") * Decimal("1.1") + Decimal("0.01")


def test_only_what_is_unusual_is_kept():
    usual = ServedTerms(service_tier="default", speed="standard", inference_geo="global", searches=0)
    assert usual.material() == {}
    assert ServedTerms(searches=2, speed="fast").material() == {"searches": 2, "speed": "fast"}
    assert terms_from({"searches": 2, "speed": "fast", "x": 1, "tool_calls": "many"}) == ServedTerms(
        searches=2, speed="fast"
    )
    assert terms_from(None) is NO_TERMS


def test_overrides_name_fees_and_other_kinds_of_token(tmp_path):
    entry = {
        "provider": "openai",
        "model": "gpt-4o-search-preview",
        "start_date": "2026-01-01",
        "source_url": "https://example.com/prices",
        "input_usd_per_mtok": "2.5",
        "output_usd_per_mtok": "10",
        "audio_input_usd_per_mtok": "40",
        "usd_per_1000_requests": "35",
        "usd_per_1000_searches": "10",
    }
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"prices": [entry]}))
    terms = ServedTerms(searches=1, audio_input_tokens=1_000)
    priced = PriceBook.load(path).price("openai", "gpt-4o-search-preview", USAGE, at=AT, terms=terms)
    assert priced.cost_usd == Decimal("3.5") + Decimal("0.0375") + Decimal("0.035") + Decimal("0.01")


@pytest.mark.parametrize(
    ("provider", "asked", "served", "charged", "is_another"),
    [
        ("openai", "gpt-4o", None, "gpt-4o", False),
        ("openai", "gpt-4o", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13", False),
        ("openai", "gpt-4o", "gpt-4o-2029-01-01", "gpt-4o", False),
        ("openai", "gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18", True),
        ("openai", "gpt-4o", "who-knows-1", "who-knows-1", True),
        ("deepseek", "deepseek-reasoner", "deepseek-v4-flash", "deepseek-v4-flash", True),
        ("azure", "my-deployment", "gpt-4o-2024-08-06", "gpt-4o-2024-08-06", False),
        ("azure", "gpt-4o", "gpt-35-turbo-0125", "gpt-35-turbo-0125", True),
        ("mistral", "mistral-large-latest", "mistral-large-2411", "mistral-large-2411", False),
        ("openrouter", "meta/llama-9:free", "qwen/qwen3-32b", "qwen/qwen3-32b", True),
        (
            "together",
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "llama-3.3-70b-instruct-turbo",
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            False,
        ),
        (
            "aws",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "claude-sonnet-4-5-20250929",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            False,
        ),
    ],
)
def test_the_model_that_answered_is_charged(provider, asked, served, charged, is_another):
    assert BOOK.charged_model(provider, asked, served) == charged
    assert BOOK.is_another_model(provider, asked, served) == is_another


def test_a_users_own_price_of_a_name_stands_whoever_answers(tmp_path):
    entry = {
        "provider": "acme",
        "model": "acme-large",
        "start_date": "2026-01-01",
        "source_url": "https://example.com/prices",
        "input_usd_per_mtok": "1",
        "output_usd_per_mtok": "2",
    }
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"prices": [entry]}))
    book = PriceBook.load(path)
    assert book.charged_model("acme", "acme-large", "llama-3-70b") == "acme-large"
    assert book.is_another_model("acme", "acme-large", "llama-3-70b")


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("openai/gpt-4o-2024-05-13", "gpt-4o"),
        ("gpt-4-0613", "gpt-4"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("eu.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("claude-opus-4-0", "claude-opus-4"),
        ("models/gemini-2.5-pro-preview-05-06", "gemini-2.5-pro"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("deepseek/deepseek-r1:free", "deepseek-r1"),
        ("ft:gpt-4o-mini-2024-07-18:acme::1", "ft:gpt-4o-mini"),
        ("", ""),
    ],
)
def test_a_family_is_a_name_without_seller_version_and_date(name, family):
    assert family_of(name) == family
