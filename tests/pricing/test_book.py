"""Names match exactly, contexts are known ones, and what has no price is unknown, never 0."""

import json
import socket
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from harness.errors import ConfigError, UnpricedModelError
from harness.pricing import PriceBook
from harness.pricing.catalogue import find_listed, genai_providers
from harness.records import UnpricedReason, Usage

AT = datetime(2026, 11, 1, tzinfo=UTC)
USAGE = Usage(input_tokens=2_000, output_tokens=1_000)
CACHED = Usage(input_tokens=2_000, output_tokens=1_000, cache_read_tokens=500)


@pytest.fixture(scope="module")
def book():
    return PriceBook.load()


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-3-5-sonnet-typo"),
        ("anthropic", "claude-3-5-sonnet-20241399"),
        ("anthropic", "claude-3-5-sonnet-20240230"),
        ("anthropic", "claude-3-opus-2024022"),
        ("anthropic", "claude-3-7-sonnet-20250219-thinking"),
        ("anthropic", " claude-3-5-sonnet"),
        ("anthropic", "claude-3-7-sonnet-latest-latest"),
        ("anthropic", "claude-3-7-sonnet-latest-20250219"),
        ("anthropic", "claude-3-5-sonnet-20241022-latest"),
        ("anthropic", "claude-3-5-sonnet-20241022-20241022"),
        ("anthropic", "claude-3-5-sonnet-\uff12\uff10\uff12\uff14\uff11\uff10\uff12\uff12"),
        ("fixtures", "gpt-4o"),
        ("anthropic", ""),
        ("openai", "gpt-4o-realtime-preview-fast"),
        ("openai", "gpt-4o-minii"),
        ("openai", "ft:gpt-4.1-mini-2025-04-14:acme::1"),
        ("my-openai-proxy", "gpt-4o"),
        ("OpenAI.com", "gpt-4o"),
        ("nobody", "gpt-4o"),
        ("litellm", "gpt-4o"),
        ("my-gateway", "openai/gpt-4o"),
    ],
)
def test_a_name_that_only_resembles_a_priced_one_is_unpriced(book, provider, model):
    priced = book.price(provider, model, USAGE, at=AT)
    assert priced.cost_usd is None
    assert priced.unpriced_reason is UnpricedReason.UNPRICED
    assert book.worst_case_usd(provider, model, prompt_bytes=10, max_tokens=10, at=AT) is None
    with pytest.raises(UnpricedModelError, match="no price is known"):
        book.require(provider, model, at=AT)


@pytest.mark.parametrize(
    ("provider", "model", "priced_as"),
    [
        ("anthropic", "claude-3-5-sonnet", "claude-3-5-sonnet"),
        ("anthropic", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet"),
        ("anthropic", "claude-3-5-sonnet-latest", "claude-3-5-sonnet"),
        ("anthropic", "claude-3-7-sonnet-20250219", "claude-3-7-sonnet-latest"),
        ("anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4-0"),
        ("google", "claude-sonnet-4@20250514", "claude-4-sonnet"),
        ("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "gpt-4-0613", "gpt-4"),
        ("azure", "gpt-4o", "gpt-4o"),
    ],
)
def test_a_name_or_its_dated_or_latest_form_is_priced_and_the_match_recorded(
    book, provider, model, priced_as
):
    priced = book.price(provider, model, USAGE, at=AT)
    assert priced.cost_usd > 0
    assert (priced.priced_as, priced.price_source) == (priced_as, "genai-prices")
    assert priced.price_version
    assert book.require(provider, model, at=AT).priced_as == priced_as


def test_a_snapshot_with_its_own_price_does_not_get_the_family_price(book):
    old = book.price("openai", "gpt-4o-2024-05-13", Usage(input_tokens=1_000_000, output_tokens=0), at=AT)
    assert old.cost_usd == 5


def test_every_exact_name_in_the_data_finds_its_own_model():
    for provider in genai_providers:
        for model in provider.models:
            listed = find_listed(provider.id, model.id)
            assert listed is None or listed.model is model, (provider.id, model.id)


@pytest.mark.parametrize("context", ["bacth", "Batch", "", "default", "standard "])
def test_a_misspelt_context_is_unpriced_where_the_data_would_say_standard(book, context):
    assert book.price("openai", "gpt-4o", USAGE, at=AT, context=context).cost_usd is None


def test_batch_is_half_price_where_it_is_known(book):
    for provider, model in [
        ("openai", "gpt-4o"),
        ("anthropic", "claude-haiku-4-5"),
        ("anthropic", "claude-3-5-sonnet-20241022"),
        ("anthropic", "claude-3-haiku-20240307"),
        ("anthropic", "claude-sonnet-4-20250514"),
    ]:
        standard = book.price(provider, model, USAGE, at=AT).cost_usd
        assert book.price(provider, model, USAGE, at=AT, context="batch").cost_usd * 2 == standard


def test_batch_and_cache_discounts_stack_on_anthropic(book):
    usage = Usage(
        input_tokens=1_000,
        output_tokens=10,
        cache_read_tokens=300,
        cache_write_5m_tokens=200,
        cache_write_1h_tokens=100,
    )
    for model in ("claude-3-7-sonnet-20250219", "claude-haiku-4-5"):
        standard = book.price("anthropic", model, usage, at=AT).cost_usd
        assert book.price("anthropic", model, usage, at=AT, context="batch").cost_usd * 2 == standard


@pytest.mark.parametrize(
    ("provider", "model", "usage", "at", "context"),
    [
        ("anthropic", "claude-3-sonnet-20240229", USAGE, AT, "batch"),  # no batch prices at all
        ("openai", "gpt-4o", USAGE, datetime(2026, 10, 1, tzinfo=UTC), "batch"),  # before they start
        ("openai", "o3", CACHED, AT, "batch"),  # batch prices, but none for cached tokens
        ("azure", "gpt-4o", USAGE, AT, "batch"),  # prices lent by another provider
        ("anthropic", "claude-3-5-sonnet", USAGE, AT, "priority"),
    ],
)
def test_a_context_without_prices_is_unpriced_where_the_data_would_say_standard(
    book, provider, model, usage, at, context
):
    assert book.price(provider, model, usage, at=at).cost_usd > 0
    priced = book.price(provider, model, usage, at=at, context=context)
    assert (priced.cost_usd, priced.unpriced_reason) == (None, UnpricedReason.UNPRICED)


def test_models_not_priced_by_token_are_unpriced_where_the_data_would_say_zero(book):
    for model in ("omni-moderation", "tts-1", "whisper-1", "gpt-live-1"):
        assert book.price("openai", model, USAGE, at=AT).cost_usd is None
        assert book.worst_case_usd("openai", model, prompt_bytes=10, max_tokens=10, at=AT) is None
    only_input = Usage(input_tokens=1_000_000, output_tokens=0)
    assert book.price("openai", "text-embedding-3-small", only_input, at=AT).cost_usd == Decimal("0.02")
    assert book.price("openai", "text-embedding-3-small", USAGE, at=AT).cost_usd is None


def test_prices_depend_on_the_date(book):
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    assert book.price("openai", "o3", usage, at=datetime(2025, 6, 9, 23, 59, tzinfo=UTC)).cost_usd == 10
    assert book.price("openai", "o3", usage, at=datetime(2025, 6, 10, tzinfo=UTC)).cost_usd == 2


def test_unknown_usage_is_unknown_cost_and_free_is_free_by_declaration(book):
    cut = book.price("openai", "gpt-4o", None, at=AT)
    assert (cut.cost_usd, cut.unpriced_reason, cut.priced_as) == (
        None,
        UnpricedReason.USAGE_UNKNOWN,
        "gpt-4o",
    )
    for free in (
        book.price("fixtures", "fixture-v1", USAGE, at=AT),
        book.price("my-vllm", "llama", USAGE, at=AT, local=True),
        book.price("my-vllm", "llama", None, at=AT, local=True),
    ):
        assert (free.cost_usd, free.unpriced_reason, free.price_source) == (0, None, "declared")
    assert book.worst_case_usd("fixtures", "fixture-v1", prompt_bytes=9, max_tokens=9, at=AT) == 0


def test_a_price_per_request_is_a_line_of_the_arithmetic(book):
    priced = book.price("perplexity", "sonar", USAGE, at=AT)
    by_kind = {line.kind: line.cost_usd for line in priced.lines}
    assert priced.cost_usd == sum(by_kind.values())


def test_the_book_reads_no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the price book opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert PriceBook.load().price("openai", "gpt-4o", USAGE, at=AT).cost_usd == Decimal("0.015")


def entry(**changes):
    return {
        "provider": "groq-eu",
        "model": "llama-9",
        "start_date": "2026-01-01",
        "source_url": "https://example.com/prices",
        "input_usd_per_mtok": "0.05",
        "output_usd_per_mtok": 0.08,
    } | changes


def written(tmp_path, *entries, **top):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"prices": list(entries)} | top))
    return path


def test_overrides_go_first_from_their_start_date_and_say_so(tmp_path, book):
    path = written(
        tmp_path,
        entry(provider="openai", model="gpt-4o", input_usd_per_mtok="2", output_usd_per_mtok="8"),
        entry(
            provider="openai",
            model="gpt-4o",
            start_date="2026-10-01",
            input_usd_per_mtok="1",
            output_usd_per_mtok="4",
        ),
    )
    own = PriceBook.load(path)
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    costs = [
        own.price("openai", "gpt-4o", usage, at=datetime(y, m, 1, tzinfo=UTC))
        for y, m in [(2025, 12), (2026, 9), (2026, 10)]
    ]
    assert [c.cost_usd for c in costs] == [Decimal("2.5"), 2, 1]
    assert [c.price_source for c in costs] == [
        "genai-prices",
        "overrides:prices.json",
        "overrides:prices.json",
    ]
    assert len(costs[1].price_version) == 12
    assert own.price("openai", "gpt-4o-2026-02-03", usage, at=AT).priced_as == "gpt-4o"
    assert own.price("openai", "gpt-4o-typo", usage, at=AT).cost_usd is None


def test_an_override_of_a_family_leaves_snapshots_with_their_own_price_alone(tmp_path):
    path = written(tmp_path, entry(provider="openai", model="gpt-4o", input_usd_per_mtok="1"))
    own = PriceBook.load(path)
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    costs = {
        m: own.price("openai", m, usage, at=AT).cost_usd
        for m in ("gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-05-13")
    }
    assert list(costs.values()) == [1, 1, 5]


def test_an_override_of_the_standard_price_leaves_other_contexts_unknown(tmp_path):
    standard = entry(provider="openai", model="gpt-4o")
    own = PriceBook.load(written(tmp_path, standard))
    assert own.price("openai", "gpt-4o", USAGE, at=AT, context="batch").cost_usd is None
    both = PriceBook.load(
        written(tmp_path, standard, standard | {"context": "batch", "input_usd_per_mtok": "0.01"})
    )
    assert both.price("openai", "gpt-4o", USAGE, at=AT, context="batch").cost_usd == Decimal("0.0001")


def test_overrides_price_unlisted_models_tiers_and_aliases(tmp_path):
    above = {"above_input_tokens": 1000, "input_usd_per_mtok": "0.5", "output_usd_per_mtok": "0.8"}
    path = written(tmp_path, entry(long_context=above), provider_aliases={"my-proxy": "openai"})
    book = PriceBook.load(path)
    assert book.price(
        "groq-eu", "llama-9", Usage(input_tokens=1000, output_tokens=0), at=AT
    ).cost_usd == Decimal("0.00005")
    assert book.price(
        "groq-eu", "llama-9", Usage(input_tokens=1001, output_tokens=0), at=AT
    ).cost_usd == Decimal("0.0005005")
    assert book.price("groq-eu", "llama-9", CACHED, at=AT).cost_usd is None  # no cache price was given
    assert book.price("my-proxy", "gpt-4o", USAGE, at=AT).cost_usd == Decimal("0.015")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a mapping"),
        ('{"prices": [{"provider": "x"}]}', "'prices.0.model': field required"),
        (json.dumps({"prices": [entry(input_usd_per_mtok=-1)]}), "input_usd_per_mtok"),
        (json.dumps({"prices": [entry(input_usd_per_mtok="NaN")]}), "input_usd_per_mtok"),
        ('{"prices": [], "x": NaN}', "is not JSON"),
        (json.dumps({"prices": [entry(input_usd_per_mtok="1e300")]}), "input_usd_per_mtok"),
        (json.dumps({"prices": [entry(source_url="")]}), "source_url"),
        (json.dumps({"prices": [entry(context="bacth")]}), "context"),
        (json.dumps({"price": []}), "'price': there is no such key"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_wrong_overrides_file_is_one_sentence_naming_file_and_field(tmp_path, text, problem):
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem) as caught:
        PriceBook.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_overrides_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        PriceBook.load(tmp_path / "none.json")
