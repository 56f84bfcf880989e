"""Calls priced by column cost what each costs alone, to the digit, and a million of them little time."""

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.pricing import MONEY_UNIT_USD, PriceBook
from harness.pricing.breakdown import told_usage
from harness.pricing.catalogue import find_listed, genai_providers
from harness.pricing.columns import UsageColumns, cost_column

BOOK = PriceBook.load()
LISTED = [
    (provider.id, model.id)
    for provider in genai_providers
    for model in provider.models
    if find_listed(provider.id, model.id)
]
CHANGING = [ref for ref in LISTED if BOOK.price_changes(*ref) != BOOK.price_changes(ref[0], "no-such-model")]
ODD_DIGITS = [
    ("openrouter", "google/gemini-2.5-flash"),
    ("huggingface_together", "Qwen/Qwen3-VL-8B-Instruct"),
]
EXTREME = [("openai", "gpt-6.2-sol"), ("perplexity", "sonar-deep-research"), ("deepseek", "deepseek-v4-pro")]
MOST_USD = (2**63 // 10**6) * 10**6 * MONEY_UNIT_USD  # what 64 bits hold
NAMES = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
)

counts = (
    st.none() | st.integers(0, 400_000) | st.sampled_from([0, 1, 200_000, 200_001, 272_000, 272_001, 10**12])
)
moments = st.datetimes(
    datetime.fromisoformat("2023-01-01"), datetime.fromisoformat("2027-06-01")
) | st.sampled_from(
    [
        datetime.fromisoformat("2026-11-17"),
        datetime.fromisoformat("2026-11-16T23:59:59.999999"),
        datetime.fromisoformat("2026-09-01T06:00"),
        datetime.fromisoformat("2026-09-01T10:00"),
    ]
)
contexts = st.sampled_from(["standard", "batch", "priority", "flex", "fast", "no-such-context", "cached"])


@st.composite
def calls(draw):
    total, output = draw(counts), draw(counts)
    read, write_5m, write_1h = (draw(st.none() | st.integers(0, (total or 0) // 3)) for _ in range(3))
    reasoning = draw(st.none() | st.integers(0, output or 0))
    if draw(st.integers(0, 9)) == 0:
        read = (total or 0) + 1  # the parts contradict the whole
    return (total, output, read, write_5m, write_1h, reasoning), draw(moments)


def alone(book, ref, tokens, at, **how):
    total, output, read, write_5m, write_1h, reasoning = tokens
    try:
        usage = told_usage(total, output, read, (write_5m, write_1h), reasoning)
    except ValueError:
        usage = None
    cost_usd = book.cost_usd(*ref, usage, at=at.replace(tzinfo=UTC), **how)
    return None if cost_usd is not None and cost_usd >= MOST_USD else cost_usd


def column(values, kind):
    if kind == "masked":
        return np.ma.array(
            [0 if v is None else v for v in values], np.int64, mask=[v is None for v in values]
        )
    return np.array([np.nan if v is None else v for v in values], np.float64)


def by_column(book, ref, rows, kind, **how):
    usage = UsageColumns(
        **{name: column([tokens[i] for tokens, _ in rows], kind) for i, name in enumerate(NAMES)}
    )
    at = np.array([at for _, at in rows], "datetime64[us]")
    return cost_column(book, *ref, usage, at, **how)


@settings(max_examples=300)
@given(
    st.sampled_from(LISTED) | st.sampled_from(CHANGING) | st.sampled_from(ODD_DIGITS + EXTREME),
    st.lists(calls(), min_size=1, max_size=25),
    contexts,
    st.sampled_from(["masked", "floats"]),
)
@example(
    ("fixtures", "fixture-v1"), [((None,) * 6, datetime.fromisoformat("2026-01-01"))], "standard", "floats"
)
@example(
    ("openai", "no-such-model"),
    [((1, 1, None, None, None, None), datetime.fromisoformat("2026-01-01"))],
    "standard",
    "masked",
)
def test_a_column_costs_what_each_call_costs_alone(ref, rows, context, kind):
    costs = by_column(BOOK, ref, rows, kind, context=context)
    expected = [alone(BOOK, ref, tokens, at, context=context) for tokens, at in rows]
    found = [int(u) * MONEY_UNIT_USD if k else None for u, k in zip(costs.units, costs.known, strict=True)]
    assert found == expected
    assert costs.total_usd() == sum((c for c in expected if c is not None), Decimal(0))


@settings(max_examples=100)
@given(
    st.lists(st.decimals(0, 100_000, places=13), min_size=5, max_size=5),
    st.lists(calls(), min_size=1, max_size=10),
    st.integers(1, 300_000),
)
def test_prices_of_any_number_of_digits_are_exact(tmp_path_factory, prices, rows, above):
    names = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"]
    rates = {f"{name}_usd_per_mtok": str(price) for name, price in zip(names, prices, strict=True)}
    long = {"above_input_tokens": above} | {k: str(Decimal(v) / 2) for k, v in rates.items()}
    entry = {
        "provider": "acme",
        "model": "m",
        "start_date": "2025-01-01",
        "source_url": "https://acme.example/p",
    }
    path = tmp_path_factory.mktemp("prices") / "prices.json"
    path.write_text(json.dumps({"prices": [entry | rates | {"long_context": long}]}))
    book = PriceBook.load(path)
    costs = by_column(book, ("acme", "m"), rows, "masked")
    expected = [alone(book, ("acme", "m"), tokens, at) for tokens, at in rows]
    found = [int(u) * MONEY_UNIT_USD if k else None for u, k in zip(costs.units, costs.known, strict=True)]
    assert found == expected


def test_a_call_without_a_time_has_no_known_price():
    usage = UsageColumns(input_tokens=np.array([1_000_000] * 2), output_tokens=np.array([0, 0]))
    costs = cost_column(BOOK, "openai", "gpt-4o", usage, np.array(["2026-01-01", "NaT"], "datetime64[us]"))
    assert (costs.known.tolist(), costs.total_usd()) == ([True, False], Decimal("2.5"))


def test_no_calls_cost_nothing():
    usage = UsageColumns(input_tokens=np.array([], np.int64), output_tokens=np.array([], np.int64))
    costs = cost_column(BOOK, "openai", "gpt-4o", usage, np.array([], "datetime64[us]"))
    assert (len(costs.units), costs.total_usd()) == (0, 0)


@pytest.mark.parametrize(
    "ref",
    [("openai", "gpt-4o-mini"), ("deepseek", "deepseek-v4-pro"), ("openrouter", "google/gemini-2.5-flash")],
)
def test_a_million_calls_are_priced_in_well_under_a_second(ref):
    n, rng = 1_000_000, np.random.default_rng(7)
    total = rng.integers(0, 300_000, n)
    usage = UsageColumns(
        input_tokens=total,
        output_tokens=rng.integers(0, 9_000, n),
        cache_read_tokens=total // 3,
        cache_write_5m_tokens=np.ma.array(total // 4, mask=rng.random(n) < 0.1),
    )
    at = np.datetime64("2026-01-01", "us") + rng.integers(0, 300 * 86_400, n).astype("timedelta64[s]")
    begun = time.process_time()
    costs = cost_column(BOOK, *ref, usage, at)
    assert time.process_time() - begun < 1
    assert costs.known.any()
    row = int(np.flatnonzero(costs.known)[-1])
    one = (
        int(total[row]),
        int(usage.output_tokens[row]),
        int(total[row] // 3),
        int(usage.cache_write_5m_tokens.filled(0)[row]),
        None,
        None,
    )
    assert int(costs.units[row]) * MONEY_UNIT_USD == alone(BOOK, ref, one, at[row].astype(datetime))
    assert timedelta(0) < at.max() - at.min()
