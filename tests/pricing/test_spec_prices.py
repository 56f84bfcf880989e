"""The spec's price list, invoice vector and long-context cliff, to the digit."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from harness.pricing import PriceBook
from harness.records import Usage

AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def book():
    return PriceBook.load()


@pytest.mark.parametrize(
    ("provider", "model", "input_usd", "output_usd"),
    [
        ("anthropic", "claude-3-5-sonnet-20241022", "3", "15"),
        ("anthropic", "claude-3-opus-20240229", "15", "75"),
        ("anthropic", "claude-3-sonnet-20240229", "3", "15"),
        ("anthropic", "claude-3-haiku-20240307", "0.25", "1.25"),
        ("openai", "gpt-4o", "2.5", "10"),
        ("openai", "gpt-4o-mini", "0.15", "0.6"),
        ("openai", "gpt-4-turbo", "10", "30"),
        ("openai", "gpt-4", "30", "60"),
        ("openai", "gpt-3.5-turbo", "0.5", "1.5"),
    ],
)
def test_a_million_tokens_cost_the_listed_price(book, provider, model, input_usd, output_usd):
    only_input = book.price(provider, model, Usage(input_tokens=1_000_000, output_tokens=0), at=AT)
    only_output = book.price(provider, model, Usage(input_tokens=0, output_tokens=1_000_000), at=AT)
    assert str(only_input.cost_usd) == input_usd
    assert str(only_output.cost_usd) == output_usd


def test_the_invoice_vector_comes_out_to_the_digit(book):
    usage = Usage(input_tokens=3 + 12_304, cache_write_5m_tokens=12_304, output_tokens=550)
    priced = book.price("anthropic", "claude-3-7-sonnet-20250219", usage, at=AT)
    assert str(priced.cost_usd) == "0.054399"
    assert priced.priced_as == "claude-3-7-sonnet-latest"


@pytest.mark.parametrize(("tokens", "cost"), [(200_000, "0.615"), (200_001, "1.222506")])
def test_the_long_context_cliff_stands_between_200000_and_200001(book, tokens, cost):
    usage = Usage(input_tokens=tokens, output_tokens=1_000)
    assert book.price("anthropic", "claude-sonnet-4-5", usage, at=AT).cost_usd == Decimal(cost)
