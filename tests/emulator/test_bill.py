"""The emulator's own prices come out to the digit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator.bill import TokenBill, cost_usd, tokens_of
from harness.emulator.models import find_model, model_ids

SPEC_PRICES = {
    "claude-3-5-sonnet-20241022": ("3", "15"),
    "claude-3-opus-20240229": ("15", "75"),
    "claude-3-sonnet-20240229": ("3", "15"),
    "claude-3-haiku-20240307": ("0.25", "1.25"),
    "gpt-4o": ("2.5", "10"),
    "gpt-4o-mini": ("0.15", "0.6"),
    "gpt-4-turbo": ("10", "30"),
    "gpt-4": ("30", "60"),
    "gpt-3.5-turbo": ("0.5", "1.5"),
}


def profile(model):
    found = find_model(model, "anthropic") or find_model(model, "openai")
    assert found is not None
    return found


@pytest.mark.parametrize("model", SPEC_PRICES)
def test_a_million_tokens_each_way_cost_the_list_price(model):
    given_usd, made_usd = (Decimal(text) for text in SPEC_PRICES[model])
    assert cost_usd(profile(model), TokenBill(uncached_input=1_000_000)) == given_usd
    assert cost_usd(profile(model), TokenBill(output=1_000_000)) == made_usd


def test_the_invoice():
    bill = TokenBill(uncached_input=3, cache_write_5m=12_304, output=550)
    assert cost_usd(profile("claude-3-7-sonnet-20250219"), bill) == Decimal("0.054399")


@pytest.mark.parametrize(("tokens", "usd"), [(200_000, "0.615"), (200_001, "1.222506")])
def test_the_long_context_cliff(tokens, usd):
    bill = TokenBill(uncached_input=tokens, output=1000)
    assert cost_usd(profile("claude-sonnet-4-5"), bill) == Decimal(usd)


def test_a_batch_costs_half_and_an_unpriced_model_is_unknown():
    bill = TokenBill(uncached_input=800, output=400)
    assert cost_usd(profile("gpt-4o-mini"), bill) == Decimal("0.00036")
    assert cost_usd(profile("gpt-4o-mini"), bill, batch=True) == Decimal("0.00018")
    assert cost_usd(profile("claude-sonnet-5"), bill) is None
    assert cost_usd(profile("gpt-4"), TokenBill(cache_read=1)) is None


def test_no_model_belongs_to_two_wires():
    assert not set(model_ids("anthropic")) & set(model_ids("openai"))
    assert find_model("gpt-4o", "anthropic") is None


@given(st.integers(0, 10**9))
def test_tokens_are_a_quarter_of_the_bytes_rounded_up(size):
    assert (tokens_of(size) - 1) * 4 < size + 1 <= tokens_of(size) * 4 + 1
