"""Usages and errors of any shape: no paid call without a row, no number out of nothing, nothing of a prompt."""

import json
import os
import string
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.clock import SYSTEM_CLOCK
from harness.errors import ProviderError
from harness.orchestration.attempt import AttemptRecord, CallScope
from harness.orchestration.ledger import Ledger
from harness.orchestration.routing import Route
from harness.pricing import Budget, PriceBook
from harness.providers import Attempt, ProviderSettings
from harness.providers.reading import (
    ChatReading,
    ConverseReading,
    GeminiReading,
    MessagesReading,
    ResponsesReading,
)
from harness.providers.reading.body import BodyReader
from harness.records import ErrorKind, Prompt, Role, Usage, dump_json
from tests.providers.shapes.shape import CHAT_MODEL, MESSAGES_MODEL, event

N_USAGES = int(os.environ.get("FUZZED_USAGES", "1000"))
"""Of each run; the campaign asks for ten thousand."""
MOST_TOKENS = 10**9
CANARY = "Zebra-4711"
PROMPT = Prompt(role=Role.DRAFT, system="Be brief.", user=f'The {CANARY} prefers oats,\nnot "hay".')
BOOK = PriceBook.load()

raw_numbers = st.one_of(
    *(st.integers(1, 5000).map(str) for _ in range(6)),  # often enough right for some usages to be known
    st.integers(-5, 5000).map(str),
    st.integers().map(str),
    st.floats().map(json.dumps),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "1e400", "1e30", "500.0", "9" * 5000, "2" + "0" * 18]),
    st.sampled_from(["null", "true", '"7"', '""', "[]", "{}", "[5]", '{"n": 5}']),
)
names = {
    "openai": (
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "cost",
    ),
    "anthropic": ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    "responses": ("input_tokens", "output_tokens", "total_tokens"),
    "gemini": (
        "promptTokenCount",
        "candidatesTokenCount",
        "totalTokenCount",
        "cachedContentTokenCount",
        "thoughtsTokenCount",
    ),
    "bedrock": (
        "inputTokens",
        "outputTokens",
        "totalTokens",
        "cacheReadInputTokens",
        "cacheWriteInputTokens",
    ),
}
details = {
    "openai": ("prompt_tokens_details", "completion_tokens_details"),
    "anthropic": ("cache_creation", "server_tool_use", "output_tokens_details"),
    "responses": ("input_tokens_details", "output_tokens_details"),
    "gemini": (),
    "bedrock": ("cacheDetails",),
}
parts = (
    "cached_tokens",
    "reasoning_tokens",
    "audio_tokens",
    "ephemeral_1h_input_tokens",
    "web_search_requests",
)


@st.composite
def usages(draw: st.DrawFn, wire: str) -> str:
    """The JSON text of a usage: any of its fields missing, of any type, sign and size."""
    fields = [f'"{name}": {draw(raw_numbers)}' for name in names[wire] if draw(st.booleans())]
    for name in details[wire]:
        if draw(st.booleans()):
            inner = [f'"{part}": {draw(raw_numbers)}' for part in parts if draw(st.booleans())]
            fields.append(f'"{name}": {{{", ".join(inner)}}}')
    return "{" + ", ".join(fields) + "}"


READINGS = {
    "openai": ChatReading,
    "anthropic": MessagesReading,
    "responses": ResponsesReading,
    "gemini": GeminiReading,
    "bedrock": ConverseReading,
}


def record_of(wire: str, body: bytes, *, status: int = 200) -> tuple[AttemptRecord, Attempt, CallScope]:
    """What the caller makes of one answer, without a connection: the room, the attempt and its row."""
    provider, model = ("anthropic", MESSAGES_MODEL) if wire == "anthropic" else ("openai", CHAT_MODEL)
    adapter = type("Asked", (), {"name": provider, "model": model, "local": False})()
    route = Route(provider=provider, model=model, settings=ProviderSettings(name=provider, kind=provider))
    scope = CallScope(
        request_id="r-1", run_id=None, budget=Budget("request", Decimal(5)), deadline_ns=0, ledger=Ledger()
    )
    record = AttemptRecord(BOOK, SYSTEM_CLOCK, adapter, route, PROMPT, scope, 1)
    record.start(record.worst_case_usd())
    reading = READINGS[wire]()
    attempt = Attempt(
        provider=provider,
        model=model,
        clock=SYSTEM_CLOCK,
        reading=reading,
        asked=(PROMPT.system, PROMPT.user),
    )
    attempt.saw_response({"content-type": "text/event-stream"})
    reader = BodyReader(attempt)
    if status == 200 and reader.feed(body):
        reader.end()
    return record, attempt, scope


@pytest.mark.parametrize(
    ("form", "wire"),
    [*(("whole", wire) for wire in READINGS), ("stream", "openai"), ("stream", "anthropic")],
)
def test_no_usage_loses_the_row_or_makes_up_a_price(wire: str, form: str) -> None:
    known = 0

    @settings(
        max_examples=N_USAGES // 4, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(told=usages(wire))
    def check(told: str) -> None:
        nonlocal known
        body = BODIES[wire](form, told)
        record, attempt, scope = record_of(wire, body.encode())
        completion = attempt.completion()
        call = record.answered(completion)
        assert scope.ledger.calls == [call]
        assert completion.text == "Hello there"
        dump_json(call)
        if call.cost_usd is None:
            assert call.unpriced_reason is not None
        else:
            known += 1
            assert call.cost_usd > 0
            assert 0 < call.input_tokens <= 4 * MOST_TOKENS
            assert 0 < call.output_tokens <= 4 * MOST_TOKENS

    check()
    assert known > 0


def _chat_body(form: str, told: str) -> str:
    if form == "whole":
        return f'{{"choices": [{{"message": {{"content": "Hello there"}}, "finish_reason": "stop"}}], "usage": {told}}}'
    said = {"choices": [{"delta": {"content": "Hello there"}, "finish_reason": "stop"}]}
    return event(said) + event(f'{{"choices": [], "usage": {told}}}') + event("[DONE]")


def _messages_body(form: str, told: str) -> str:
    if form == "whole":
        return (
            '{"type": "message", "content": [{"type": "text", "text": "Hello there"}], '
            f'"stop_reason": "end_turn", "usage": {told}}}'
        )
    return (
        event(f'{{"type": "message_start", "message": {{"usage": {told}}}}}')
        + event({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello there"}})
        + event(f'{{"type": "message_delta", "delta": {{"stop_reason": "end_turn"}}, "usage": {told}}}')
        + event({"type": "message_stop"})
    )


def _responses_body(_: str, told: str) -> str:
    said = '[{"type": "message", "content": [{"type": "output_text", "text": "Hello there"}]}]'
    return f'{{"object": "response", "status": "completed", "output": {said}, "usage": {told}}}'


def _gemini_body(_: str, told: str) -> str:
    said = '[{"content": {"parts": [{"text": "Hello there"}]}, "finishReason": "STOP"}]'
    return f'{{"candidates": {said}, "usageMetadata": {told}}}'


def _converse_body(_: str, told: str) -> str:
    said = '{"message": {"role": "assistant", "content": [{"text": "Hello there"}]}}'
    return f'{{"output": {said}, "stopReason": "end_turn", "usage": {told}}}'


BODIES = {
    "openai": _chat_body,
    "anthropic": _messages_body,
    "responses": _responses_body,
    "gemini": _gemini_body,
    "bedrock": _converse_body,
}
keys = st.sampled_from(
    [
        "message",
        "error",
        "detail",
        "msg",
        "input",
        "code",
        "type",
        "param",
        "body",
        "loc",
        "errors",
        "details",
    ]
)
echoes = st.sampled_from(
    [
        CANARY,
        PROMPT.user,
        json.dumps(PROMPT.user),
        repr(PROMPT.user),
        f"Invalid content: {PROMPT.user}",
        f"Invalid content: '{PROMPT.user[:20]}...'",
        json.dumps({"messages": [{"role": "user", "content": PROMPT.user}]}),
        str({"input": PROMPT.user}),
        f"422: {json.dumps([{'loc': ['body'], 'msg': 'no', 'input': PROMPT.user}])}",
        PROMPT.user.upper(),
        " ".join(PROMPT.user),
        f"<html>{PROMPT.user}</html>",
        "x" * 150 + PROMPT.user,
    ]
)
bodies = st.recursive(
    echoes | st.integers() | st.none() | st.text(string.ascii_letters, max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)


def _shows_canary(text: str) -> bool:
    plain = "".join(char for char in text.lower() if char.isalnum())
    return "zebra" in plain or "prefersoats" in plain


@settings(max_examples=1500, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    body=bodies,
    status=st.sampled_from([400, 401, 413, 422, 429, 500, 502, 529]),
    wire=st.sampled_from(list(READINGS)),
)
def test_no_refusal_carries_the_prompt(body: Any, status: int, wire: str) -> None:
    record, attempt, _ = record_of(wire, b"", status=status)
    error = attempt.refusal(status, body)
    assert not _shows_canary(str(error)), str(error)
    call = record.failed(error)
    assert not _shows_canary(dump_json(call).decode())


@settings(max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(body=bodies, wire=st.sampled_from(["openai", "anthropic", "responses", "gemini"]))
def test_no_error_inside_an_answer_carries_the_prompt(body: Any, wire: str) -> None:
    said = event({"type": "error", "error": body or "no"}, "error")
    _, attempt, _ = record_of(wire, said.encode())
    with pytest.raises(ProviderError) as caught:
        attempt.completion()
    assert not _shows_canary(str(caught.value)), str(caught.value)
    assert caught.value.kind in set(ErrorKind)
    assert caught.value.usage is None or isinstance(caught.value.usage, Usage)
