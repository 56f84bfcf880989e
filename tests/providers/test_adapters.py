"""Both adapters, with the real SDKs, over real HTTP against scripted bytes."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import ProviderError
from harness.providers import LLMAdapter
from harness.records import NO_USAGE, ErrorKind, Prompt, Role, Usage
from tests.providers.conftest import CANARY
from tests.providers.wire import (
    RESET,
    STALL,
    Asked,
    Reply,
    anthropic_stream,
    openai_stream,
    sse,
    wire_server,
)

Build = Callable[..., LLMAdapter]
STREAMS = {"anthropic": anthropic_stream, "openai": openai_stream}
SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
WHOLE = {
    "anthropic": {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "a",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
    "openai": {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "a",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    },
}
PLAIN = Prompt(role=Role.DRAFT, system="Be brief.", user="Hello")
HELD = Prompt(role=Role.DRAFT, system="Be brief.", user="Hello", output_schema=SCHEMA)


async def ask(adapter: LLMAdapter, prompt: Prompt = PLAIN, *, timeout_s: float = 20.0) -> Any:
    try:
        return await adapter.generate(prompt, call_id="call-1", timeout_s=timeout_s)
    finally:
        await adapter.aclose()


async def failure(adapter: LLMAdapter, prompt: Prompt = PLAIN, *, timeout_s: float = 20.0) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await ask(adapter, prompt, timeout_s=timeout_s)
    return caught.value


async def test_an_answer_with_all_it_tells(kind: str, adapter_at: Build) -> None:
    headers = {
        "request-id": "req_7",
        "x-request-id": "req_7",
        "x-harness-emulated": "1",
        "X-RateLimit-Remaining-Requests": "9",
    }
    async with wire_server([Reply(STREAMS[kind]("hello"), headers=headers)]) as server:
        answer = await ask(adapter_at(kind, server.url))
    assert answer.text == "hello"
    assert answer.usage == Usage(input_tokens=11, output_tokens=7)
    assert answer.model.endswith("-test-answered")
    assert answer.provider_request_id == "req_7"
    assert answer.emulated
    assert answer.rate_limits == {"x-ratelimit-remaining-requests": "9"}
    assert answer.ttft_ns > 0
    sent = server.asked[0]
    assert sent.headers["x-client-request-id"] == "call-1"
    assert sent.body["stream"] is True


async def test_an_answer_in_one_piece_has_no_time_to_first_token(kind: str, adapter_at: Build) -> None:
    reply = Reply(
        [json.dumps(WHOLE[kind])], content_type="application/json", headers={"x-harness-emulated": "1"}
    )
    async with wire_server([reply]) as server:
        answer = await ask(adapter_at(kind, server.url, stream=False))
    assert (answer.text, answer.ttft_ns, answer.emulated) == ("hello", None, True)
    assert answer.usage == Usage(input_tokens=3, output_tokens=2)


async def test_an_endpoint_that_cannot_stream_answers_whole_all_the_same(
    kind: str, adapter_at: Build
) -> None:
    async with wire_server([Reply([json.dumps(WHOLE[kind])], content_type="application/json")]) as server:
        answer = await ask(adapter_at(kind, server.url))
    assert (answer.text, answer.ttft_ns) == ("hello", None)
    assert answer.usage == Usage(input_tokens=3, output_tokens=2)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", "<html>Welcome to the gateway</html>"),
        ("application/json", "{}"),
        ("application/json", "[1]"),
        ("application/json", '{"choices": [], "content": []}'),
        ("application/json", '{"model": "m", "choi'),
        ("application/octet-stream", ""),
    ],
)
async def test_a_200_that_holds_no_answer(
    kind: str, adapter_at: Build, stream: bool, content_type: str, body: str
) -> None:
    async with wire_server([Reply([body] if body else [], content_type=content_type)]) as server:
        error = await failure(adapter_at(kind, server.url, stream=stream))
    assert error.kind == ErrorKind.BAD_OUTPUT
    assert error.usage is None


@pytest.mark.parametrize("stream", [True, False])
async def test_an_error_in_the_guise_of_a_success(kind: str, adapter_at: Build, stream: bool) -> None:
    body = {"type": "error", "error": {"type": "rate_limit_error", "code": 429, "message": "Slow down"}}
    async with wire_server([Reply([json.dumps(body)], content_type="application/json")]) as server:
        error = await failure(adapter_at(kind, server.url, stream=stream))
    assert error.kind == ErrorKind.RATE_LIMITED


async def test_events_with_missing_and_odd_fields_do_not_break_the_reading(
    kind: str, adapter_at: Build
) -> None:
    odd = [
        {"type": "message_start"},
        {"type": "content_block_delta"},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": None}},
        {"type": "never_heard_of", "value": 1},
        {"choices": None},
        {"choices": [{}]},
        {"choices": [{"delta": {"content": 5}}]},
        {"usage": {"prompt_tokens": "many"}},
    ]
    async with wire_server([Reply([*sse(*odd), *STREAMS[kind]("hello")])]) as server:
        answer = await ask(adapter_at(kind, server.url))
    assert answer.text == "hello"
    assert answer.usage == Usage(input_tokens=11, output_tokens=7)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"type": "invalid_request_error", "message": "no"}, ErrorKind.BAD_REQUEST),
        (401, {"type": "authentication_error", "message": "no"}, ErrorKind.AUTH),
        (403, {"type": "permission_error", "message": "no"}, ErrorKind.AUTH),
        (404, {"type": "not_found_error", "message": "no"}, ErrorKind.BAD_REQUEST),
        (413, {"type": "request_too_large", "message": "no"}, ErrorKind.BAD_REQUEST),
        (429, {"type": "rate_limit_error", "message": "no"}, ErrorKind.RATE_LIMITED),
        (429, {"type": "insufficient_quota", "code": "insufficient_quota", "message": "no"}, ErrorKind.AUTH),
        (400, {"code": "content_filter", "message": "no"}, ErrorKind.CONTENT_FILTER),
        (500, {"type": "api_error", "message": "no"}, ErrorKind.UPSTREAM_5XX),
        (502, {}, ErrorKind.UPSTREAM_5XX),
        (503, {"type": "service_unavailable", "message": "no"}, ErrorKind.UPSTREAM_5XX),
        (504, {"type": "timeout_error", "message": "no"}, ErrorKind.TIMEOUT),
        (529, {"type": "overloaded_error", "message": "no"}, ErrorKind.OVERLOADED),
    ],
)
async def test_refusals_are_classified_and_bill_nothing(
    kind: str, adapter_at: Build, status: int, body: dict[str, str], expected: ErrorKind
) -> None:
    reply = Reply(
        [json.dumps({"type": "error", "error": body})],
        status=status,
        content_type="application/json",
        headers={"retry-after": "2", "request-id": "req_1", "x-request-id": "req_1"},
    )
    async with wire_server([reply]) as server:
        error = await failure(adapter_at(kind, server.url))
        assert len(server.asked) == 1, "the SDK must not retry"
    assert error.kind == expected
    assert error.http_status == status
    assert error.retry_after_ms == 2000
    assert error.provider_request_id == "req_1"
    assert error.emulated is False
    assert error.usage == (None if expected is ErrorKind.TIMEOUT else NO_USAGE)


async def test_a_redirect_is_not_followed(kind: str, adapter_at: Build) -> None:
    reply = Reply(status=307, headers={"location": "http://127.0.0.1:1/v1/messages"})
    async with wire_server([reply]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == ErrorKind.BAD_REQUEST


async def test_a_reset_connection(kind: str, adapter_at: Build) -> None:
    async with wire_server([Reply([RESET])]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == ErrorKind.CONNECTION
    assert error.usage is None, "the request may have been worked on"
    assert error.emulated is None


async def test_nobody_listening_bills_nothing(kind: str, adapter_at: Build) -> None:
    async with wire_server([Reply()]) as server:
        url = server.url
    error = await failure(adapter_at(kind, url))
    assert error.kind == ErrorKind.CONNECTION
    assert error.usage == NO_USAGE


@pytest.mark.parametrize("how", ["reset", "cut", "ended"])
async def test_a_stream_cut_before_the_bill_leaves_it_unknown(kind: str, adapter_at: Build, how: str) -> None:
    begun = STREAMS[kind]("hello")[: 4 if kind == "anthropic" else 2]
    pieces = [*begun, RESET] if how == "reset" else begun
    async with wire_server([Reply(pieces, end_chunks=how == "ended")]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == ErrorKind.CONNECTION
    assert error.usage is None
    assert error.emulated is False


async def test_a_stream_cut_after_the_bill_keeps_it(kind: str, adapter_at: Build) -> None:
    pieces = [*STREAMS[kind]("hello")[:-1], RESET]
    async with wire_server([Reply(pieces)]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == ErrorKind.CONNECTION
    assert error.usage == Usage(input_tokens=11, output_tokens=7)


@pytest.mark.parametrize("said", [0, 2])
async def test_a_stall_ends_at_the_deadline(kind: str, adapter_at: Build, said: int) -> None:
    async with wire_server([Reply([*STREAMS[kind]("hello")[:said], STALL])]) as server:
        error = await failure(adapter_at(kind, server.url), timeout_s=0.5)
    assert error.kind == ErrorKind.TIMEOUT
    assert error.usage is None


async def test_cancellation_goes_through_and_closes_the_stream(kind: str, adapter_at: Build) -> None:
    async with wire_server([Reply([*STREAMS[kind]("hello")[:3], STALL])]) as server:
        adapter = adapter_at(kind, server.url)
        task = asyncio.create_task(adapter.generate(PLAIN, call_id="c", timeout_s=20))
        await server.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await server.was_left.wait()
        await adapter.aclose()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("overloaded_error", ErrorKind.OVERLOADED),
        ("rate_limit_error", ErrorKind.RATE_LIMITED),
        ("api_error", ErrorKind.UPSTREAM_5XX),
        ("never_heard_of", ErrorKind.UPSTREAM_5XX),
    ],
)
async def test_an_error_event_in_mid_stream(
    kind: str, adapter_at: Build, word: str, expected: ErrorKind
) -> None:
    event = sse({"type": "error", "error": {"type": word, "message": "Overloaded"}})
    async with wire_server([Reply([*STREAMS[kind]("hello")[:3], *event])]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == expected
    assert error.usage is None
    assert "mid-stream" in str(error)


async def test_an_unreadable_event(kind: str, adapter_at: Build) -> None:
    pieces = [*STREAMS[kind]("hello")[:2], "event: content_block_delta\ndata: {broken\n\n"]
    async with wire_server([Reply(pieces)]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == ErrorKind.BAD_OUTPUT


async def test_an_empty_answer_is_no_answer_but_is_billed(kind: str, adapter_at: Build) -> None:
    async with wire_server([Reply(STREAMS[kind](""))]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == ErrorKind.BAD_OUTPUT
    assert error.usage == Usage(input_tokens=11, output_tokens=7)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (
            {"anthropic": {"stop_reason": "max_tokens"}, "openai": {"finish_reason": "length"}},
            ErrorKind.TRUNCATED,
        ),
        (
            {"anthropic": {"stop_reason": "refusal"}, "openai": {"finish_reason": "content_filter"}},
            ErrorKind.CONTENT_FILTER,
        ),
        (
            {"anthropic": {"stop_reason": "refusal"}, "openai": {"refusal": "I can't."}},
            ErrorKind.CONTENT_FILTER,
        ),
    ],
)
async def test_answers_that_are_none_are_billed(
    kind: str, adapter_at: Build, ends: dict[str, Any], expected: ErrorKind
) -> None:
    async with wire_server([Reply(STREAMS[kind]("half", **ends[kind]))]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == expected
    assert error.usage == Usage(input_tokens=11, output_tokens=7)
    assert error.stop_reason


async def test_keys_and_bodies_do_not_leak(kind: str, adapter_at: Build) -> None:
    said = f"Incorrect API key provided: {CANARY}. " + "x y " * 5000
    for content_type, body in [
        ("application/json", json.dumps({"error": {"message": said}})),
        ("text/html", f"<html>{said}</html>"),
    ]:
        async with wire_server([Reply([body], status=401, content_type=content_type)]) as server:
            error = await failure(adapter_at(kind, server.url))
        assert "canary" not in str(error)
        assert len(str(error)) < 250
        assert error.__suppress_context__, "a printed chain would carry the body"


async def test_a_schema_is_sent_the_way_the_model_takes_it(kind: str, adapter_at: Build) -> None:
    async with wire_server([Reply(STREAMS[kind]())]) as server:
        answer = await ask(adapter_at(kind, server.url), HELD)
    assert json.loads(answer.text) == {"ok": True}
    body = server.asked[0].body
    if kind == "anthropic":
        assert body["output_config"]["format"]["schema"] == SCHEMA
        assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    else:
        assert body["response_format"]["json_schema"] == {"name": "answer", "schema": SCHEMA, "strict": True}
        assert body["prompt_cache_key"]
        assert body["stream_options"] == {"include_usage": True}


async def test_older_anthropic_models_answer_through_a_tool(adapter_at: Build) -> None:
    async with wire_server([Reply(anthropic_stream(tool=True, stop_reason="tool_use"))]) as server:
        answer = await ask(adapter_at("anthropic", server.url, model="claude-3-5-sonnet-20241022"), HELD)
    body = server.asked[0].body
    assert "output_config" not in body
    assert body["tools"][0]["input_schema"] == SCHEMA
    assert body["tool_choice"] == {"type": "tool", "name": "answer"}
    assert json.loads(answer.text) == {"ok": True}


async def test_models_without_any_schema_answer_in_a_fence(adapter_at: Build) -> None:
    fenced = 'Here it is:\n```json\n{"ok": true}\n```\nThat is all.'
    async with wire_server([Reply(openai_stream(fenced))]) as server:
        answer = await ask(adapter_at("openai", server.url, model="gpt-4"), HELD)
    body = server.asked[0].body
    assert "response_format" not in body
    assert '"additionalProperties":false' in body["messages"][0]["content"]
    assert json.loads(answer.text) == {"ok": True}


async def test_temperature_goes_only_to_models_that_accept_it(adapter_at: Build) -> None:
    warm = Prompt(role=Role.JUDGE, system="", user="Hello", temperature=0.0)
    for kind, model, expected in [
        ("anthropic", "claude-3-5-sonnet-20241022", True),
        ("anthropic", "claude-sonnet-5-5", False),
        ("openai", "gpt-4o", True),
        ("openai", "gpt-5.4", False),
    ]:
        async with wire_server([Reply(STREAMS[kind]())]) as server:
            await ask(adapter_at(kind, server.url, model=model), warm)
        assert ("temperature" in server.asked[0].body) is expected, model


REFUSED_FIELDS = {
    "stream_options": "Unknown field: stream_options",
    "prompt_cache_key": "Unrecognized request argument supplied: prompt_cache_key",
    "max_completion_tokens": "Unsupported parameter: 'max_completion_tokens', use 'max_tokens' instead.",
}


async def test_an_endpoint_that_lacks_fields_is_asked_without_them_and_remembered(adapter_at: Build) -> None:
    def endpoint(asked: Asked) -> Reply:
        for field, complaint in REFUSED_FIELDS.items():
            if field in asked.body:
                return Reply([json.dumps({"detail": complaint})], status=400, content_type="application/json")
        form = asked.body.get("response_format", {}).get("type")
        if form is not None:
            complaint = f"response_format of type '{form}' is not supported"
            return Reply([json.dumps({"error": complaint})], status=422, content_type="application/json")
        return Reply(openai_stream())

    async with wire_server(endpoint) as server:
        adapter = adapter_at("openai", server.url)
        first = await adapter.generate(HELD, call_id="c1", timeout_s=20)
        probes = len(server.asked)
        await adapter.generate(HELD, call_id="c2", timeout_s=20)
        await adapter.aclose()
    assert json.loads(first.text) == {"ok": True}
    assert probes == 6, "five fields given up, one at a time"
    assert len(server.asked) == 7, "the second question goes straight through"
    assert server.asked[-1].body["max_tokens"] == HELD.max_tokens


async def test_an_anthropic_gateway_without_structured_output_gets_a_tool_then_a_fence(
    adapter_at: Build,
) -> None:
    def gateway(asked: Asked) -> Reply:
        for field in ("output_config", "tools"):
            if field in asked.body:
                said = {"error": {"message": f"{field}: Extra inputs are not permitted"}}
                return Reply([json.dumps(said)], status=400, content_type="application/json")
        return Reply(anthropic_stream('```json\n{"ok": true}\n```'))

    async with wire_server(gateway) as server:
        answer = await ask(adapter_at("anthropic", server.url), HELD)
    assert json.loads(answer.text) == {"ok": True}
    assert len(server.asked) == 3


async def test_a_complaint_about_our_own_schema_is_not_papered_over(kind: str, adapter_at: Build) -> None:
    said = {
        "anthropic": "output_config.format.schema: additionalProperties must be false",
        "openai": "Invalid schema for response_format 'answer'",
    }[kind]
    reply = Reply([json.dumps({"error": {"message": said}})], status=400, content_type="application/json")
    async with wire_server([reply]) as server:
        error = await failure(adapter_at(kind, server.url), HELD)
    assert error.kind == ErrorKind.BAD_REQUEST
    assert len(server.asked) == 1


async def test_a_refusal_that_stays_is_not_asked_again_and_again(kind: str, adapter_at: Build) -> None:
    said = "cache_control, output_config, tools, stream_options, response_format, max_tokens: not supported, extra"
    reply = Reply([json.dumps({"error": {"message": said}})], status=400, content_type="application/json")
    async with wire_server([reply]) as server:
        adapter = adapter_at(kind, server.url)
        error = await failure(adapter, HELD)
        given_up = len(server.asked) - 1
        await failure(adapter, HELD)
    assert error.kind == ErrorKind.BAD_REQUEST
    assert given_up <= 4
    assert len(server.asked) == given_up + 2, "nothing is left to give up"


async def test_a_limit_that_is_too_large_is_not_sent_under_another_name(adapter_at: Build) -> None:
    said = "max_tokens is too large: 4096. This model supports at most 1024 completion tokens."
    reply = Reply([json.dumps({"error": {"message": said}})], status=400, content_type="application/json")
    async with wire_server([reply]) as server:
        await failure(adapter_at("openai", server.url))
    assert len(server.asked) == 1


async def test_a_json_object_is_asked_for_without_a_fence(adapter_at: Build) -> None:
    async with wire_server([Reply(openai_stream())]) as server:
        await ask(adapter_at("openai", server.url, model="gpt-3.5-turbo"), HELD)
    body = server.asked[0].body
    assert body["response_format"] == {"type": "json_object"}
    assert "JSON schema" in body["messages"][0]["content"]
    assert "fence" not in body["messages"][0]["content"]


async def test_an_unknown_usage_is_not_a_zero(adapter_at: Build) -> None:
    pieces = [piece for piece in openai_stream("hi") if "prompt_tokens" not in piece]
    async with wire_server([Reply(pieces)]) as server:
        answer = await ask(adapter_at("openai", server.url))
    assert answer.text == "hi"
    assert answer.usage is None


async def test_adapters_of_one_provider_share_a_client_until_the_last_lets_go(
    kind: str, adapter_at: Build
) -> None:
    async with wire_server([Reply(STREAMS[kind]())]) as server:
        first, second = adapter_at(kind, server.url), adapter_at(kind, server.url)
        for adapter in (first, second):
            await adapter.generate(PLAIN, call_id="c", timeout_s=20)
        await first.aclose()
        assert (await second.generate(PLAIN, call_id="c", timeout_s=20)).text
        await second.aclose()
        assert (await second.generate(PLAIN, call_id="c", timeout_s=20)).text, "a closed adapter reopens"
        await second.aclose()
