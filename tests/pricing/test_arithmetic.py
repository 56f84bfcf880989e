"""Properties: every token is charged once, as genai-prices itself charges it, and never above the worst case."""

from datetime import UTC, datetime
from decimal import Decimal

from genai_prices import Usage as GenaiUsage
from hypothesis import given
from hypothesis import strategies as st

from harness.pricing import FRAMING_TOKENS, MONEY_UNIT_USD, PriceBook
from harness.pricing.catalogue import STANDARD, find_listed, genai_providers
from harness.records import Usage

AT = datetime(2026, 11, 1, tzinfo=UTC)
BOOK = PriceBook.load()
LISTED = [
    (provider.id, model.id)
    for provider in genai_providers
    for model in provider.models
    if (listed := find_listed(provider.id, model.id)) and listed.card(AT, STANDARD).input
]
parts = st.integers(0, 400_000)


@st.composite
def usages(draw):
    plain, read, write, write_1h, output = (draw(parts) for _ in range(5))
    return Usage(
        input_tokens=plain + read + write + write_1h,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_5m_tokens=write,
        cache_write_1h_tokens=write_1h,
        reasoning_tokens=draw(st.integers(0, output)),
    )


@given(st.sampled_from(LISTED), usages(), st.sampled_from(["standard", "batch", "priority", "flex"]))
def test_every_token_is_charged_exactly_once(listed, usage, context):
    priced = BOOK.price(*listed, usage, at=AT, context=context)
    if priced.cost_usd is None:
        return
    tokens = [line.tokens for line in priced.lines if line.kind != "request"]
    kinds = [line.kind for line in priced.lines]
    assert sum(tokens) == usage.input_tokens + usage.output_tokens
    assert len(kinds) == len(set(kinds))
    assert abs(priced.cost_usd - sum(line.cost_usd for line in priced.lines)) <= MONEY_UNIT_USD / 2


@given(
    st.sampled_from([*LISTED, ("fixtures", "fixture-v1"), ("openai", "no-such-model")]),
    st.none() | usages(),
    st.sampled_from(["standard", "batch", "priority", "flex"]),
)
def test_the_cost_alone_is_the_full_prices_own(listed, usage, context):
    alone = BOOK.cost_usd(*listed, usage, at=AT, context=context)
    assert str(alone) == str(BOOK.price(*listed, usage, at=AT, context=context).cost_usd)


def theirs_usd(listed, usage):
    found = find_listed(*listed)
    return found.model.calc_price(
        GenaiUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            output_reasoning_tokens=usage.reasoning_tokens,
        ),
        found.provider,
        genai_request_timestamp=AT,
    ).total_price


@given(st.sampled_from(LISTED), usages())
def test_a_standard_cost_is_what_the_price_data_itself_computes(listed, usage):
    """The oracle is genai-prices' own arithmetic, fed the total input and its cached parts."""
    priced = BOOK.price(*listed, usage, at=AT)
    if priced.cost_usd is None:  # an hour's cache write without a price of its own, or no output price
        return
    assert abs(theirs_usd(listed, usage) - priced.cost_usd) <= MONEY_UNIT_USD


def test_every_listed_model_agrees_with_the_price_data_on_both_sides_of_every_cliff():
    priced = 0
    for listed in LISTED:
        for total in (1_000, 128_001, 200_000, 200_001, 272_001, 1_000_000):
            usage = Usage(
                input_tokens=total, cache_read_tokens=333, cache_write_5m_tokens=77, output_tokens=501
            )
            cost = BOOK.price(*listed, usage, at=AT).cost_usd
            if cost is not None:
                priced += 1
                assert abs(theirs_usd(listed, usage) - cost) <= MONEY_UNIT_USD, listed
    assert priced > 10_000


@given(st.integers(0, 300_000), st.integers(0, 300_000), st.integers(0, 300_000), st.integers(0, 20_000))
def test_both_providers_ways_of_counting_lead_to_the_same_bill(plain, read, write, output):
    """Anthropic reports the uncached part beside the cached ones, OpenAI the total: one usage, one bill."""
    anthropic = Usage(
        input_tokens=plain + read + write,
        cache_read_tokens=read,
        cache_write_5m_tokens=write,
        output_tokens=output,
    )
    bill = BOOK.price("anthropic", "claude-3-7-sonnet-20250219", anthropic, at=AT).cost_usd
    by_hand = (3 * plain + Decimal("0.3") * read + Decimal("3.75") * write + 15 * output) / 1_000_000
    assert bill == by_hand
    openai = Usage(input_tokens=plain + read, cache_read_tokens=read, output_tokens=output)
    bill = BOOK.price("openai", "gpt-4o", openai, at=AT).cost_usd
    assert bill == (Decimal("2.5") * plain + Decimal("1.25") * read + 10 * output) / 1_000_000


@given(
    st.sampled_from(LISTED),
    usages(),
    st.integers(0, 1_000),
    st.integers(0, 1_000),
    st.sampled_from(["standard", "batch", "priority"]),
)
def test_no_call_costs_more_than_its_worst_case(listed, usage, spare_bytes, spare_tokens, context):
    prompt_bytes = max(0, usage.input_tokens - FRAMING_TOKENS) + spare_bytes
    bound = BOOK.worst_case_usd(
        *listed,
        prompt_bytes=prompt_bytes,
        max_tokens=usage.output_tokens + spare_tokens,
        at=AT,
        context=context,
    )
    cost = BOOK.price(*listed, usage, at=AT, context=context).cost_usd
    assert bound is None or cost is None or cost <= bound


def test_the_worst_case_takes_the_dearest_kind_and_tier_it_can_reach():
    below = BOOK.worst_case_usd(
        "anthropic", "claude-sonnet-4-5", prompt_bytes=200_000 - FRAMING_TOKENS, max_tokens=1_000, at=AT
    )
    above = BOOK.worst_case_usd(
        "anthropic", "claude-sonnet-4-5", prompt_bytes=200_001 - FRAMING_TOKENS, max_tokens=1_000, at=AT
    )
    assert below == Decimal("1.215")  # 200,000 x $6 (a one-hour cache write) + 1,000 x $15
    assert above == Decimal("2.422512")  # 200,001 x $12 + 1,000 x $22.5, in the dearer tier


@given(usages())
def test_costs_never_need_more_digits_than_the_store_keeps(usage):
    for listed in (
        ("deepseek", "deepseek-v4-pro"),
        ("openai", "gpt-4o"),
        ("openrouter", "google/gemini-2.5-flash"),
    ):
        cost = BOOK.price(*listed, usage, at=AT).cost_usd
        assert cost is None or cost == cost.quantize(MONEY_UNIT_USD)
