"""No token charged twice or dropped, whichever way the provider counts."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from harness.providers.anthropic_reading import UsageCount
from harness.providers.openai_reading import usage_of
from harness.records import Usage

counts = st.integers(0, 10**7)


@given(uncached=counts, read=counts, written_5m=counts, written_1h=counts, output=counts, data=st.data())
def test_anthropic_leaves_cached_tokens_out_of_its_input_count(
    uncached: int, read: int, written_5m: int, written_1h: int, output: int, data: st.DataObject
) -> None:
    thinking = data.draw(st.integers(0, output))
    start = SimpleNamespace(
        input_tokens=uncached,
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written_5m + written_1h,
        cache_creation=SimpleNamespace(
            ephemeral_5m_input_tokens=written_5m, ephemeral_1h_input_tokens=written_1h
        ),
        output_tokens=1,
    )
    count = UsageCount()
    count.start(start)
    end = SimpleNamespace(
        output_tokens=output, output_tokens_details=SimpleNamespace(thinking_tokens=thinking)
    )
    usage = count.finish(end)
    assert usage is not None
    assert usage.uncached_input_tokens == uncached
    assert usage.input_tokens == uncached + read + written_5m + written_1h
    assert (usage.cache_read_tokens, usage.cache_write_5m_tokens) == (read, written_5m)
    assert (usage.cache_write_1h_tokens, usage.reasoning_tokens) == (written_1h, thinking)
    assert usage.output_tokens == output, "the first token counted at the start is not billed again"


def test_anthropic_final_counts_are_cumulative_and_replace_the_first_ones() -> None:
    count = UsageCount()
    count.start(SimpleNamespace(input_tokens=10, output_tokens=1))
    final = SimpleNamespace(
        input_tokens=12, output_tokens=5, cache_read_input_tokens=3, cache_creation_input_tokens=0
    )
    assert count.finish(final) == Usage(input_tokens=15, output_tokens=5, cache_read_tokens=3)


@given(uncached=counts, read=counts, written=counts, output=counts, data=st.data())
def test_openai_has_cached_tokens_in_its_prompt_count(
    uncached: int, read: int, written: int, output: int, data: st.DataObject
) -> None:
    reasoning = data.draw(st.integers(0, output))
    told = SimpleNamespace(
        prompt_tokens=uncached + read + written,
        completion_tokens=output,
        prompt_tokens_details=SimpleNamespace(cached_tokens=read, cache_write_tokens=written),
        completion_tokens_details=SimpleNamespace(reasoning_tokens=reasoning),
    )
    usage = usage_of(told)
    assert usage is not None
    assert usage.uncached_input_tokens == uncached
    assert usage.input_tokens == uncached + read + written
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (read, written)
    assert (usage.output_tokens, usage.reasoning_tokens) == (output, reasoning)


def test_counts_that_are_missing_or_contradict_themselves_are_unknown() -> None:
    assert usage_of(SimpleNamespace(prompt_tokens=None, completion_tokens=3)) is None
    details = SimpleNamespace(cached_tokens=9)
    assert (
        usage_of(SimpleNamespace(prompt_tokens=1, completion_tokens=3, prompt_tokens_details=details)) is None
    )
    assert usage_of(SimpleNamespace(prompt_tokens="11", completion_tokens=3)) is None
    assert UsageCount().finish(SimpleNamespace(output_tokens=None)) is None
    assert UsageCount().finish(SimpleNamespace(output_tokens=5)) is None, "an untold input is not 0 tokens"
