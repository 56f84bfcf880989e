"""No token charged twice or dropped, whichever way the provider counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.providers.reading.counts import Counted, chat_usage, messages_usage
from harness.providers.reading.values import merged
from harness.records import Usage

counts = st.integers(0, 10**7)
at_least_one = st.integers(1, 10**7)


def chat(told: dict[str, Any], *, heard: bool = True) -> Counted:
    return chat_usage(told, free_input=False, free_output=not heard)


def messages(told: dict[str, Any], *, heard: bool = True) -> Counted:
    return messages_usage(told, free_input=False, free_output=not heard)


@given(
    uncached=at_least_one,
    read=counts,
    written_5m=counts,
    written_1h=counts,
    output=at_least_one,
    data=st.data(),
)
def test_anthropic_leaves_cached_tokens_out_of_its_input_count(
    uncached: int, read: int, written_5m: int, written_1h: int, output: int, data: st.DataObject
) -> None:
    thinking = data.draw(st.integers(0, output))
    told = {
        "input_tokens": uncached,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written_5m + written_1h,
        "cache_creation": {"ephemeral_5m_input_tokens": written_5m, "ephemeral_1h_input_tokens": written_1h},
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": thinking},
    }
    usage = messages(told).usage
    assert usage is not None
    assert usage.uncached_input_tokens == uncached
    assert usage.input_tokens == uncached + read + written_5m + written_1h
    assert (usage.cache_read_tokens, usage.cache_write_5m_tokens) == (read, written_5m)
    assert (usage.cache_write_1h_tokens, usage.reasoning_tokens) == (written_1h, thinking)
    assert usage.output_tokens == output


@given(uncached=at_least_one, read=counts, written=counts, output=at_least_one, data=st.data())
def test_openai_has_cached_tokens_in_its_prompt_count(
    uncached: int, read: int, written: int, output: int, data: st.DataObject
) -> None:
    reasoning = data.draw(st.integers(0, output))
    told = {
        "prompt_tokens": uncached + read + written,
        "completion_tokens": output,
        "total_tokens": uncached + read + written + output,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    usage = chat(told).usage
    assert usage is not None
    assert usage.uncached_input_tokens == uncached
    assert usage.input_tokens == uncached + read + written
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (read, written)
    assert (usage.output_tokens, usage.reasoning_tokens) == (output, reasoning)


def test_later_counts_replace_earlier_ones_and_a_zero_or_null_erases_nothing() -> None:
    first = {"input_tokens": 10, "cache_read_input_tokens": None, "cache_creation": {"a": 5, "b": 0}}
    later = {"input_tokens": 12, "cache_read_input_tokens": 3, "cache_creation": {"a": 0, "b": 7}}
    assert merged(first, later) == {
        "input_tokens": 12,
        "cache_read_input_tokens": 3,
        "cache_creation": {"a": 5, "b": 7},
    }
    assert merged(later, dict.fromkeys(later)) == later
    assert merged({"n": None}, {"n": 0}) == {"n": 0}


@pytest.mark.parametrize(
    "told",
    [
        {"prompt_tokens": None, "completion_tokens": 3},
        {"prompt_tokens": 3},
        {"prompt_tokens": "a", "completion_tokens": 3},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"prompt_tokens": 9, "completion_tokens": 0},
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1.5}},
    ],
)
def test_counts_that_are_missing_none_or_impossible_are_unknown(told: dict[str, Any]) -> None:
    assert chat(told).usage is None


def test_parts_that_contradict_their_totals_are_clamped_and_that_is_said() -> None:
    told = {
        "prompt_tokens": 2168,
        "completion_tokens": 10,
        "total_tokens": 2178,
        "prompt_tokens_details": {"cached_tokens": 2161, "cache_write_tokens": 2161},
        "completion_tokens_details": {"reasoning_tokens": 11},
    }
    counted = chat(told)
    assert counted.usage == Usage(
        input_tokens=2168,
        output_tokens=10,
        cache_read_tokens=2161,
        cache_write_5m_tokens=7,
        reasoning_tokens=10,
    )
    assert [remark.rsplit(": ", 1)[1] for remark in counted.remarks] == ["clamped", "clamped"]
