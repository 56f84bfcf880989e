"""Cached tokens are counted the providers' ways: none twice, none dropped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator import RunningEmulator
from harness.emulator.bill import tokens_of
from harness.emulator.prompt_cache import Block, CacheShare, PromptCache

LONG = "stable words " * 400
HELLO = [{"role": "user", "content": "Hello"}]


class Hands:
    """A clock turned by hand, seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_prefix_is_written_once_and_then_read():
    cache = PromptCache()
    blocks = [Block(text=LONG, cache_ttl="5m"), Block(text="question")]
    size = tokens_of(len(LONG))
    assert cache.marked("m", blocks, 1024) == CacheShare(write_5m=size)
    assert cache.marked("m", blocks, 1024) == CacheShare(read=size)
    assert cache.marked("other", blocks, 1024) == CacheShare(write_5m=size)


def test_reading_renews_five_minutes_and_an_hour_lasts_longer():
    clock = Hands()
    cache = PromptCache(clock)
    short, long = [Block(text=LONG, cache_ttl="5m")], [Block(text=LONG + "h", cache_ttl="1h")]
    cache.marked("m", short, 1024)
    cache.marked("m", long, 1024)
    clock.now = 299
    assert cache.marked("m", short, 1024).read
    clock.now = 598
    assert cache.marked("m", short, 1024).read
    clock.now = 899
    assert cache.marked("m", short, 1024).write_5m
    assert cache.marked("m", long, 1024).read


def test_a_later_breakpoint_reads_the_earlier_one_and_writes_the_rest():
    cache = PromptCache()
    cache.marked("m", [Block(text=LONG, cache_ttl="1h")], 1024)
    share = cache.marked("m", [Block(text=LONG, cache_ttl="1h"), Block(text=LONG, cache_ttl="5m")], 1024)
    assert share == CacheShare(
        read=tokens_of(len(LONG)), write_5m=tokens_of(2 * len(LONG)) - tokens_of(len(LONG))
    )


@pytest.mark.parametrize("least", [None, 4096])
def test_a_short_prefix_or_a_model_without_cache_costs_the_plain_price(least):
    cache = PromptCache()
    blocks = [Block(text=LONG, cache_ttl="5m")]
    assert [cache.marked("m", blocks, least) for _ in range(2)] == [CacheShare(), CacheShare()]


def test_openai_caches_whole_steps_of_the_common_prefix():
    cache = PromptCache()
    assert cache.automatic("m", [Block(text=LONG), Block(text="one")], 1024) == CacheShare()
    share = cache.automatic("m", [Block(text=LONG), Block(text="two")], 1024)
    assert share.read % 128 == 0
    assert 1024 <= share.read <= tokens_of(len(LONG))
    assert cache.automatic("m", [Block(text="x" + LONG)], 1024) == CacheShare()


blocks_of = st.lists(
    st.builds(
        Block,
        text=st.sampled_from(["a" * 5000, "b" * 3000, "é" * 900, "short"]),
        cache_ttl=st.sampled_from([None, "5m", "1h"]),
    ),
    min_size=1,
    max_size=6,
)


@given(st.lists(blocks_of, min_size=1, max_size=6))
def test_cached_tokens_never_exceed_the_prompt(prompts):
    cache = PromptCache()
    for blocks in prompts:
        total = tokens_of(sum(len(block.text.encode()) for block in blocks))
        claude, gpt = cache.marked("c", blocks, 1024), cache.automatic("o", blocks, 1024)
        assert 0 <= claude.read + claude.write_5m + claude.write_1h <= total
        assert 0 <= gpt.read <= total


def test_the_anthropic_sdk_sees_writes_then_reads(claude):
    system = [{"type": "text", "text": LONG + "sdk", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    ask = {"model": "claude-3-5-sonnet-20241022", "max_tokens": 20, "messages": HELLO, "system": system}
    first, second = (claude.messages.create(**ask).usage for _ in range(2))
    assert first.cache_creation.ephemeral_1h_input_tokens == first.cache_creation_input_tokens > 1024
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens == 0
    assert first.input_tokens == second.input_tokens < 20


def test_the_openai_sdk_sees_cached_tokens_inside_the_total(gpt, emulator: RunningEmulator):
    messages = [{"role": "system", "content": LONG + "sdk"}, *HELLO]
    first, second = (
        gpt.chat.completions.create(model="gpt-4o-mini", messages=messages).usage for _ in range(2)
    )
    assert first.prompt_tokens == second.prompt_tokens
    assert first.prompt_tokens_details.cached_tokens == 0
    assert 1024 <= second.prompt_tokens_details.cached_tokens < second.prompt_tokens
    entry = max(emulator.settled(), key=lambda settled: settled.seq)  # in the order of their ends otherwise
    assert entry.cache_read_tokens == second.prompt_tokens_details.cached_tokens
    assert entry.input_tokens == second.prompt_tokens
