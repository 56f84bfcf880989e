"""Good answers and odd ones, with the real SDKs, over real HTTP against scripted bytes."""

import json

import pytest

from harness.errors import ProviderError
from harness.records import ErrorKind, Usage
from tests.providers.asking import PLAIN, STREAMS, WHOLE, Build, ask, failure
from tests.providers.wire import Reply, anthropic_stream, openai_stream, sse, wire_server


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


async def test_a_loopback_endpoint_is_never_asked_through_a_proxy(
    kind: str, adapter_at: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with wire_server([Reply(STREAMS[kind]("hello"))]) as server:
        assert (await ask(adapter_at(kind, server.url))).text == "hello"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("tier", "context"),
    [
        ("priority", "priority"),
        ("flex", "flex"),
        ("default", "standard"),
        (None, "standard"),
        (7, "standard"),
    ],
)
async def test_the_tier_that_served_is_told(
    kind: str, stream: bool, tier: object, context: str, adapter_at: Build
) -> None:
    whole = json.loads(json.dumps(WHOLE[kind]))
    (whole if kind == "openai" else whole["usage"])["service_tier"] = tier
    spoken = {
        "anthropic": anthropic_stream("hi", usage={"input_tokens": 11, "service_tier": tier}),
        "openai": [
            piece.replace('"model"', f'"service_tier": {json.dumps(tier)}, "model"')
            for piece in openai_stream("hi")
        ],
    }
    reply = Reply(spoken[kind]) if stream else Reply([json.dumps(whole)], content_type="application/json")
    async with wire_server([reply]) as server:
        assert (await ask(adapter_at(kind, server.url, stream=stream))).price_context == context


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


async def test_events_of_any_shape_are_a_failure_or_nothing(kind: str, adapter_at: Build) -> None:
    shapes = [
        "5",
        '"x"',
        "null",
        "[]",
        "[[]]",
        "true",
        "{}",
        '{"choices": 5}',
        '{"choices": [5]}',
        '{"type": 7}',
    ]
    names = ["", "event: message_start\n", "event: content_block_delta\n", "event: message_delta\n"]
    oddities = [f"{name}data: {shape}\n\n" for name in names for shape in shapes]
    async with wire_server([Reply([oddity, *STREAMS[kind]("hello")]) for oddity in oddities]) as server:
        adapter = adapter_at(kind, server.url)
        for oddity in oddities:
            try:
                answer = await adapter.generate(PLAIN, call_id="c", timeout_s=20)
            except ProviderError as error:
                assert error.kind in (ErrorKind.BAD_OUTPUT, ErrorKind.UPSTREAM_5XX), oddity  # noqa: PT017
            else:
                assert answer.text == "hello", oddity
        await adapter.aclose()


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


@pytest.mark.parametrize(
    "token",
    [
        {"reasoning": "hm"},
        {"reasoning_content": "hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"audio": {"data": "AAAA"}},
        {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]},
        {"function_call": {"name": "f", "arguments": "{"}},
    ],
    ids=lambda token: next(iter(token)),
)
async def test_the_first_token_of_any_kind_and_the_first_of_the_answer_are_two_figures(
    adapter_at: Build, token: dict[str, object]
) -> None:
    first = sse(
        {"choices": [{"delta": {"role": "assistant", "content": ""}}]}, {"choices": [{"delta": token}]}
    )
    async with wire_server([Reply([*first, *openai_stream("hello")])]) as server:
        answer = await ask(adapter_at("openai", server.url))
    assert answer.text == "hello"
    assert 0 < answer.ttft_ns < answer.first_answer_ns


async def test_thinking_of_anthropic_is_a_token_and_no_answer(adapter_at: Build) -> None:
    thought = sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_stop", "index": 0},
    )
    started, *rest = anthropic_stream("hello")
    async with wire_server([Reply([started, *thought, *rest])]) as server:
        answer = await ask(adapter_at("anthropic", server.url))
    assert answer.text == "hello"
    assert answer.ttft_ns < answer.first_answer_ns
