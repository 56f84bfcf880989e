"""How the responses route, Gemini and Bedrock count, whatever stands where a count should."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.providers.reading import ConverseReading, GeminiReading, ReadAnswer, ResponsesReading
from harness.records import Usage
from tests.providers.native import converse_whole, gemini_end, response_object

IMPOSSIBLE = [500.0, 1e30, float("nan"), -5, "20", True, [20], {}, 2 * 10**18]


def responses(**usage: Any) -> ReadAnswer:
    room = ResponsesReading()
    room.take_event({"type": "response.output_text.delta", "delta": "hello"})
    room.take_event({"type": "response.completed", "response": response_object("hello", usage=usage)})
    return room.answer()


def gemini(text: str | None = "hello", reason: str = "STOP", **usage: Any) -> ReadAnswer:
    room = GeminiReading()
    chunk = gemini_end(text, reason=reason, usageMetadata=usage)
    chunk["candidates"][0]["content"]["parts"] = [{"text": text}] if text else []
    room.take_event(chunk)
    return room.answer()


def bedrock(**usage: Any) -> ReadAnswer:
    room = ConverseReading()
    room.take_event({"delta": {"text": "hello"}}, name="contentBlockDelta")
    room.take_event({"stopReason": "end_turn"}, name="messageStop")
    room.take_event({"usage": usage}, name="metadata")
    return room.answer()


RIGHT: dict[str, tuple[ReadAnswer, Usage | None, str]] = {
    "responses, plain": (
        responses(input_tokens=20, output_tokens=5, total_tokens=25), Usage(input_tokens=20, output_tokens=5), "",
    ),
    "responses, reasoning and cache within": (
        responses(
            input_tokens=20, output_tokens=305, total_tokens=325, input_tokens_details={"cached_tokens": 12},
            output_tokens_details={"reasoning_tokens": 300},
        ),
        Usage(input_tokens=20, output_tokens=305, cache_read_tokens=12, reasoning_tokens=300), "",
    ),
    "responses, written to the cache": (
        responses(input_tokens=20, output_tokens=5, input_tokens_details={"cache_write_tokens": 8, "cached_tokens": 0}),
        Usage(input_tokens=20, output_tokens=5, cache_write_5m_tokens=8), "",
    ),
    "responses, nothing counted for a text": (responses(input_tokens=0, output_tokens=0), None, "unknown"),
    "gemini, thoughts beside the candidates": (
        gemini(promptTokenCount=20, candidatesTokenCount=5, thoughtsTokenCount=300, totalTokenCount=325),
        Usage(input_tokens=20, output_tokens=305, reasoning_tokens=300), "",
    ),
    "gemini, thoughts only in the total": (
        gemini(promptTokenCount=20, candidatesTokenCount=5, totalTokenCount=325),
        Usage(input_tokens=20, output_tokens=305, reasoning_tokens=300), "total",
    ),
    "gemini, all thinking and no answer": (
        gemini(None, "MAX_TOKENS", promptTokenCount=20, thoughtsTokenCount=300, totalTokenCount=320),
        Usage(input_tokens=20, output_tokens=300, reasoning_tokens=300), "",
    ),
    "gemini, cached within the prompt": (
        gemini(promptTokenCount=20, cachedContentTokenCount=12, candidatesTokenCount=5, totalTokenCount=25),
        Usage(input_tokens=20, output_tokens=5, cache_read_tokens=12), "",
    ),
    "gemini, more cached than asked": (
        gemini(promptTokenCount=20, cachedContentTokenCount=30, candidatesTokenCount=5, totalTokenCount=25),
        Usage(input_tokens=20, output_tokens=5, cache_read_tokens=20), "clamped",
    ),
    "gemini, a tool's results beside the prompt": (
        gemini(promptTokenCount=20, toolUsePromptTokenCount=7, candidatesTokenCount=5, totalTokenCount=32),
        Usage(input_tokens=27, output_tokens=5), "",
    ),
    "gemini, a refusal says nothing": (
        gemini(None, "SAFETY", promptTokenCount=20, totalTokenCount=20), Usage(input_tokens=20, output_tokens=0), "",
    ),
    "gemini, no candidates and no total": (gemini(promptTokenCount=20), None, ""),
    "bedrock, plain": (
        bedrock(inputTokens=20, outputTokens=5, totalTokens=25), Usage(input_tokens=20, output_tokens=5), "",
    ),
    "bedrock, cached beside the input": (
        bedrock(
            inputTokens=8, outputTokens=5, cacheReadInputTokens=4, cacheWriteInputTokens=8, totalTokens=25,
            cacheDetails=[{"ttl": "1h", "inputTokens": 6}, {"ttl": "5m", "inputTokens": 2}],
        ),
        Usage(
            input_tokens=20, output_tokens=5, cache_read_tokens=4, cache_write_5m_tokens=2, cache_write_1h_tokens=6
        ), "",
    ),
    "bedrock, more written for an hour than in all": (
        bedrock(
            inputTokens=8, outputTokens=5, cacheWriteInputTokens=8, cacheDetails=[{"ttl": "1h", "inputTokens": 9}]
        ),
        Usage(input_tokens=16, output_tokens=5, cache_write_1h_tokens=8), "clamped",
    ),
    **{
        f"{name}, {value!r} for a count": (read, None, "unknown")
        for value in IMPOSSIBLE
        for name, read in {
            "responses": responses(input_tokens=value, output_tokens=5),
            "gemini": gemini(promptTokenCount=20, candidatesTokenCount=value, totalTokenCount=25),
            "bedrock": bedrock(inputTokens=20, outputTokens=5, cacheReadInputTokens=value),
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_counts_are_read_as_they_are_meant(case: str) -> None:
    answer, usage, remark = RIGHT[case]
    assert answer.usage == usage
    assert answer.is_complete
    assert any(remark in said for said in answer.remarks) if remark else answer.remarks == ()


def test_what_else_is_billed_is_told() -> None:
    searched = response_object("hello", service_tier="flex")
    searched["output"] += [{"type": "web_search_call"}, {"type": "web_search_call"}, {"type": "mcp_call"}]
    room: Any = ResponsesReading()
    room.take_whole(searched)
    told = room.answer()
    assert (told.price_context, told.terms.searches, told.terms.tool_calls) == ("flex", 2, 1)
    room, answer = GeminiReading(), gemini_end("hello")
    answer["candidates"][0]["groundingMetadata"] = {"webSearchQueries": ["a", "b", "c"]}
    answer["usageMetadata"]["promptTokensDetails"] = [{"modality": "AUDIO", "tokenCount": 9}]
    room.take_whole(answer)
    assert (room.answer().terms.searches, room.answer().terms.audio_input_tokens) == (3, 9)
    room = ConverseReading()
    routed = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"
    more = {
        "serviceTier": {"type": "priority"},
        "performanceConfig": {"latency": "optimized"},
        "trace": {"promptRouter": {"invokedModelId": routed}},
    }
    room.take_whole(converse_whole("hello") | more)
    told = room.answer()
    assert (told.served_model, told.price_context) == ("amazon.nova-pro-v1:0", "priority")
    assert told.terms.speed == "optimized"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
counts = st.one_of(st.integers(-2, 40), anything)
NAMES = {
    ResponsesReading: ("input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"),
    GeminiReading: (
        "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount", "totalTokenCount",
        "toolUsePromptTokenCount",
    ),
    ConverseReading: (
        "inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "cacheDetails",
    ),
}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from([*NAMES]), anything)
def test_no_usage_breaks_a_room_and_none_is_a_bill_of_nothing(data: Any, room_type: Any, noise: Any) -> None:
    usage = data.draw(st.dictionaries(st.sampled_from(NAMES[room_type]), counts) | anything)
    whole: dict[Any, dict[str, Any]] = {
        ResponsesReading: response_object("hello", usage=usage),
        GeminiReading: gemini_end("hello", usageMetadata=usage),
        ConverseReading: {**converse_whole("hello"), "usage": usage},
    }
    room = room_type()
    room.take_event(noise, name="contentBlockDelta")
    room.take_whole(noise)
    room = room_type()
    room.take_whole(whole[room_type])
    told = room.answer()
    assert (told.text, told.is_complete, told.failure) == ("hello", True, None)
    assert told.usage is None or (told.usage.input_tokens > 0 and told.usage.output_tokens > 0)
