"""The responses route, Gemini and Bedrock: what is asked of them, and what their answers are read as."""

import asyncio
import json
import logging
import traceback
from typing import Any

import pytest

from harness.emulator.wire import eventstream
from harness.errors import ProviderError
from harness.records import NO_USAGE, ErrorKind, Usage
from tests.providers.asking import HELD, PLAIN, SCHEMA, ask, failure
from tests.providers.conftest import CANARY
from tests.providers.native import (
    JSON,
    NATIVES,
    Native,
    converse_stream,
    gemini_chunk,
    gemini_end,
    response_object,
    responses_stream,
)
from tests.providers.wire import RESET, STALL, Reply, sse, wire_server


@pytest.fixture(params=[*NATIVES])
def native(request: pytest.FixtureRequest) -> Native:
    return NATIVES[request.param]


def told_usage(native: Native) -> Usage:
    """Of the scripted answers: 11 in, 4 of them cached, 7 out; Bedrock does not tell thinking apart."""
    return Usage(
        input_tokens=11,
        output_tokens=7,
        cache_read_tokens=4,
        reasoning_tokens=0 if native.name == "bedrock" else 3,
    )


async def test_a_streamed_answer_is_told_in_full(native: Native) -> None:
    reply = native.streamed("hello")
    reply.headers |= {"x-request-id": "req_1", "x-amzn-requestid": "req_1"}
    async with wire_server([reply]) as server:
        answer = await ask(native.adapter(server.url, extra_headers=(("x-own", "1"),)))
    assert (answer.text, answer.usage, answer.model) == ("hello", told_usage(native), native.answered)
    assert answer.provider_request_id == "req_1"
    assert answer.ttft_ns <= answer.first_answer_ns
    (asked,) = server.asked
    assert asked.path == native.path
    assert CANARY in asked.headers[native.key_header]
    assert (asked.headers["x-client-request-id"], asked.headers["x-own"]) == ("call-1", "1")


@pytest.mark.parametrize(("end", "path"), [("", "/v1/"), ("/v1beta", "/v1beta/"), ("/gw/v1/", "/gw/v1/")])
async def test_a_base_url_may_name_geminis_api_version(end: str, path: str) -> None:
    native = NATIVES["gemini"]
    async with wire_server([native.streamed()]) as server:
        await ask(native.adapter(server.url + end))
    assert server.asked[0].path == f"{path}models/gemini-2.5-flash:streamGenerateContent?alt=sse"


async def test_a_whole_answer_has_no_time_to_first_token(native: Native) -> None:
    reply = Reply([json.dumps(native.whole("hello"))], content_type=JSON)
    async with wire_server([reply]) as server:
        answer = await ask(native.adapter(server.url, stream=False))
    assert (answer.text, answer.usage, answer.ttft_ns) == ("hello", told_usage(native), None)
    assert server.asked[0].path == native.whole_path


async def test_an_endpoint_that_cannot_stream_answers_whole_all_the_same(native: Native) -> None:
    reply = Reply([json.dumps(native.whole("hello"))], content_type=JSON)
    async with wire_server([reply]) as server:
        assert (await ask(native.adapter(server.url))).text == "hello"


async def test_what_is_asked() -> None:
    bodies = {}
    for name, native in NATIVES.items():
        async with wire_server([native.streamed()]) as server:
            assert json.loads((await ask(native.adapter(server.url), HELD)).text) == {"ok": True}
        bodies[name] = server.asked[0].body
    assert bodies["responses"]["text"]["format"] == {
        "type": "json_schema",
        "name": "answer",
        "schema": SCHEMA,
        "strict": True,
    }
    assert (bodies["responses"]["store"], bodies["responses"]["reasoning"]) == (False, {"effort": "low"})
    assert bodies["gemini"]["generationConfig"] == {
        "maxOutputTokens": 4096,
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
        "thinkingConfig": {"thinking_budget": 1024},
    }
    assert bodies["gemini"]["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert bodies["bedrock"]["system"] == [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]
    form = bodies["bedrock"]["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(form["schema"]) == SCHEMA


@pytest.mark.parametrize(
    ("name", "complaint", "left"),
    [
        ("responses", "Unsupported parameter: 'prompt_cache_key'", ("prompt_cache_key",)),
        ("responses", "Unsupported parameter: 'reasoning.effort' is not supported", ("reasoning",)),
        ("gemini", "Thinking is not enabled for this model.", ("generationConfig", "thinkingConfig")),
        ("gemini", "response_json_schema is not supported", ("generationConfig", "responseJsonSchema")),
        ("gemini", "Developer instruction is not enabled for models/gemma", ("systemInstruction",)),
        ("bedrock", "This model doesn't support the outputConfig.textFormat field.", ("outputConfig",)),
    ],
)
async def test_what_is_refused_is_left_out_once_and_for_all(
    name: str, complaint: str, left: tuple[str, ...]
) -> None:
    native = NATIVES[name]
    refusal = Reply([json.dumps({"error": {"message": complaint}, "message": complaint})], status=400)
    async with wire_server([refusal, native.streamed()]) as server:
        adapter = native.adapter(server.url)
        await adapter.generate(HELD, call_id="c", timeout_s=20)
        await ask(adapter, HELD)
    held = [_at(asked.body, left) for asked in server.asked]
    assert [value is not None for value in held] == [True, False, False]
    assert "Be brief." in json.dumps(server.asked[-1].body)


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        body = body.get(key) if body else None
    return body


def _google(code: int, status: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": "no", "status": status, "details": list(details)}}


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}
KEY_INVALID = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
REFUSALS = [
    ("responses", 429, {"error": {"code": "rate_limit_exceeded", "message": "no"}}, {"retry-after": "2.5"}, ErrorKind.RATE_LIMITED),
    ("responses", 404, {"error": {"code": "model_not_found", "message": "no"}}, {}, ErrorKind.BAD_REQUEST),
    ("gemini", 429, _google(429, "RESOURCE_EXHAUSTED", RETRY_INFO), {}, ErrorKind.RATE_LIMITED),
    ("gemini", 429, [_google(429, "RESOURCE_EXHAUSTED", RETRY_INFO)], {}, ErrorKind.RATE_LIMITED),
    ("gemini", 400, _google(400, "INVALID_ARGUMENT", KEY_INVALID), {}, ErrorKind.AUTH),
    ("gemini", 403, _google(403, "PERMISSION_DENIED"), {}, ErrorKind.AUTH),
    ("gemini", 503, {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}, {}, ErrorKind.OVERLOADED),
    ("gemini", 503, _google(503, "UNAVAILABLE"), {}, ErrorKind.UPSTREAM_5XX),
    ("gemini", 504, _google(504, "DEADLINE_EXCEEDED"), {}, ErrorKind.TIMEOUT),
    ("bedrock", 429, {"message": "no"}, {"x-amzn-errortype": "ThrottlingException:http://x/", "x-amz-retry-after": "2500"}, ErrorKind.RATE_LIMITED),
    ("bedrock", 429, {"message": "no"}, {"x-amzn-errortype": "ModelNotReadyException"}, ErrorKind.OVERLOADED),
    ("bedrock", 408, {"message": "no"}, {"x-amzn-errortype": "ModelTimeoutException"}, ErrorKind.TIMEOUT),
    ("bedrock", 424, {"message": "no"}, {"x-amzn-errortype": "ModelErrorException"}, ErrorKind.UPSTREAM_5XX),
    ("bedrock", 403, {"Message": "no"}, {"x-amzn-errortype": "AccessDeniedException"}, ErrorKind.AUTH),
    ("bedrock", 403, {"__type": "com.amazon#ExpiredTokenException", "message": "no"}, {}, ErrorKind.AUTH),
    ("bedrock", 400, {"message": "no"}, {"x-amzn-errortype": "ValidationException"}, ErrorKind.BAD_REQUEST),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "body", "headers", "expected"), REFUSALS)
async def test_each_providers_own_refusals(
    name: str, status: int, body: Any, headers: dict[str, str], expected: ErrorKind
) -> None:
    reply = Reply([json.dumps(body)], status=status, content_type=JSON, headers=headers)
    async with wire_server([reply]) as server:
        error = await failure(NATIVES[name].adapter(server.url))
        assert len(server.asked) == 1, "nothing below may retry"
    waits = "2.5" in json.dumps([body, headers]) or "2500" in json.dumps(headers)
    assert (error.kind, error.http_status, error.retry_after_ms) == (
        expected,
        status,
        2500 if waits else None,
    )
    assert error.usage == (None if expected is ErrorKind.TIMEOUT else NO_USAGE)
    assert "no" in str(error) or "overloaded" in str(error)


async def test_connections_that_fail(native: Native) -> None:
    async with wire_server([Reply([RESET])]) as server:
        error = await failure(native.adapter(server.url))
        assert len(server.asked) == 1
    assert (error.kind, error.usage) == (ErrorKind.CONNECTION, None)
    error = await failure(native.adapter(server.url))
    assert (error.kind, error.usage) == (ErrorKind.CONNECTION, NO_USAGE), "nobody listens any more"
    async with wire_server([Reply(status=307, headers={"location": "http://127.0.0.1:1/"})]) as server:
        error = await failure(native.adapter(server.url))
    assert error.kind == ErrorKind.BAD_REQUEST


@pytest.mark.parametrize("how", ["reset", "cut", "ended"])
async def test_a_stream_cut_before_its_end_leaves_the_bill_unknown(native: Native, how: str) -> None:
    pieces = native.stream("hello")
    begun = pieces[: {"responses": 4, "gemini": 1, "bedrock": 3}[native.name]]
    reply = Reply(
        [*begun, RESET] if how == "reset" else begun,
        content_type=native.content_type,
        end_chunks=how == "ended",
    )
    async with wire_server([reply]) as server:
        error = await failure(native.adapter(server.url))
    assert (error.kind, error.usage, error.emulated) == (ErrorKind.CONNECTION, None, False)


async def test_deadline_and_cancellation_close_the_connection(native: Native) -> None:
    stalled = Reply([*native.stream("hello")[:1], STALL], content_type=native.content_type)
    async with wire_server([stalled]) as server:
        error = await failure(native.adapter(server.url), timeout_s=0.5)
        assert (error.kind, error.usage) == (ErrorKind.TIMEOUT, None)
        async with asyncio.timeout(5):
            await server.was_left.wait()
    async with wire_server([stalled]) as server:
        adapter = native.adapter(server.url)
        task = asyncio.create_task(adapter.generate(PLAIN, call_id="c", timeout_s=20))
        await server.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await server.was_left.wait()
        await adapter.aclose()


def _failed(**error: Any) -> list[str]:
    told = {"status": "failed", "error": error, "usage": None, "output": []}
    return [
        *responses_stream("half")[:4],
        *sse({"type": "response.failed", "response": response_object("", **told)}),
    ]


def _incomplete(reason: str) -> list[str]:
    return responses_stream("half", status="incomplete", incomplete_details={"reason": reason})


def _refused() -> list[str]:
    part = {"type": "refusal", "refusal": "I can't."}
    ended = response_object("", output=[{"type": "message", "content": [part]}])
    delta = {
        "type": "response.refusal.delta",
        "item_id": "m",
        "output_index": 0,
        "content_index": 0,
        "delta": "I can't.",
    }
    return sse(delta, {"type": "response.completed", "response": ended})


def _blocked(reason: str) -> list[str]:
    usage = {"promptTokenCount": 11, "totalTokenCount": 11}
    return [
        f"data: {json.dumps({'promptFeedback': {'blockReason': reason}, 'usageMetadata': usage})}\r\n\r\n"
    ]


def _gemini(*chunks: dict[str, Any]) -> list[str]:
    return [f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks]


ENDINGS = {
    "responses, limit": ("responses", _incomplete("max_output_tokens"), ErrorKind.TRUNCATED, "max_output_tokens", 7),
    "responses, filter": ("responses", _incomplete("content_filter"), ErrorKind.CONTENT_FILTER, "content_filter", 7),
    "responses, steered": ("responses", _incomplete("steered"), ErrorKind.UNKNOWN_FINISH, "steered", 7),
    "responses, refused": ("responses", _refused(), ErrorKind.CONTENT_FILTER, "completed", 7),
    "responses, failed": ("responses", _failed(code="server_error", message="no"), ErrorKind.UPSTREAM_5XX, "server_error", None),
    "responses, rate": ("responses", _failed(code="rate_limit_exceeded", message="no"), ErrorKind.RATE_LIMITED, "rate_limit_exceeded", None),
    "responses, flagged": ("responses", _failed(code="invalid_prompt", message="no"), ErrorKind.CONTENT_FILTER, "invalid_prompt", None),
    "responses, error event": ("responses", sse({"type": "error", "code": "server_error", "message": "no", "param": None}), ErrorKind.UPSTREAM_5XX, None, None),
    "gemini, limit": ("gemini", _gemini(gemini_end("half", reason="MAX_TOKENS")), ErrorKind.TRUNCATED, "MAX_TOKENS", 7),
    "gemini, safety": ("gemini", _gemini(gemini_end(reason="SAFETY")), ErrorKind.CONTENT_FILTER, "SAFETY", 7),
    "gemini, recitation": ("gemini", _gemini(gemini_end(reason="RECITATION")), ErrorKind.CONTENT_FILTER, "RECITATION", 7),
    "gemini, other": ("gemini", _gemini(gemini_end("half", reason="OTHER")), ErrorKind.UNKNOWN_FINISH, "OTHER", 7),
    "gemini, a word of tomorrow": ("gemini", _gemini(gemini_end("half", reason="TIRED")), ErrorKind.UNKNOWN_FINISH, "TIRED", 7),
    "gemini, malformed": ("gemini", _gemini(gemini_end("half", reason="MALFORMED_RESPONSE")), ErrorKind.BAD_OUTPUT, "MALFORMED_RESPONSE", 7),
    "gemini, blocked": ("gemini", _blocked("PROHIBITED_CONTENT"), ErrorKind.CONTENT_FILTER, "blocked: PROHIBITED_CONTENT", 0),
    "gemini, blocked for other reasons": ("gemini", _blocked("OTHER"), ErrorKind.CONTENT_FILTER, "blocked: OTHER", 0),
    "gemini, error in mid-stream": ("gemini", _gemini(gemini_chunk("half"), {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}), ErrorKind.OVERLOADED, None, None),
    "bedrock, limit": ("bedrock", converse_stream("half", reason="max_tokens"), ErrorKind.TRUNCATED, "max_tokens", 7),
    "bedrock, window": ("bedrock", converse_stream("half", reason="model_context_window_exceeded"), ErrorKind.TRUNCATED, "model_context_window_exceeded", 7),
    "bedrock, filter": ("bedrock", converse_stream("half", reason="content_filtered"), ErrorKind.CONTENT_FILTER, "content_filtered", 7),
    "bedrock, guardrail": ("bedrock", converse_stream("Sorry.", reason="guardrail_intervened"), ErrorKind.CONTENT_FILTER, "guardrail_intervened", 7),
    "bedrock, malformed": ("bedrock", converse_stream("half", reason="malformed_tool_use"), ErrorKind.BAD_OUTPUT, "malformed_tool_use", 7),
    "bedrock, throttled in mid-stream": ("bedrock", [*converse_stream("half")[:3], eventstream.exception("throttlingException", {"message": "no"})], ErrorKind.RATE_LIMITED, None, None),
    "bedrock, failed in mid-stream": ("bedrock", [*converse_stream("half")[:3], eventstream.exception("modelStreamErrorException", {"message": "no"})], ErrorKind.UPSTREAM_5XX, None, None),
    "bedrock, damaged": ("bedrock", [*converse_stream("half")[:2], converse_stream("half")[2][:-1] + b"!"], ErrorKind.BAD_OUTPUT, None, None),
    "bedrock, an event that is not JSON": ("bedrock", [eventstream.cut_short(converse_stream("half")[2])], ErrorKind.BAD_OUTPUT, None, None),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDINGS)
async def test_how_an_answer_ends(case: str) -> None:
    name, pieces, kind, reason, output_tokens = ENDINGS[case]
    async with wire_server([Reply(pieces, content_type=NATIVES[name].content_type)]) as server:
        error = await failure(NATIVES[name].adapter(server.url))
    told = None if error.usage is None else error.usage.output_tokens  # type: ignore[attr-defined]
    assert (error.kind, error.stop_reason, told) == (kind, reason, output_tokens)
    assert error.http_status is None


async def test_a_forced_tools_input_is_the_answer_whatever_is_said_around_it() -> None:
    talk = eventstream.event(
        "contentBlockDelta", {"delta": {"text": "I will use the tool."}, "contentBlockIndex": 0}
    )
    pieces = [talk, *converse_stream('{"ok": true}', reason="tool_use", tool=True)]
    native = NATIVES["bedrock"]
    async with wire_server([Reply(pieces, content_type=native.content_type)]) as server:
        assert (await ask(native.adapter(server.url))).text == '{"ok": true}'


async def test_a_response_that_still_runs_is_no_answer() -> None:
    body = response_object("", status="in_progress", output=[], usage=None)
    async with wire_server([Reply([json.dumps(body)], content_type=JSON)]) as server:
        error = await failure(NATIVES["responses"].adapter(server.url, stream=False))
    assert (error.kind, error.usage) == (ErrorKind.BAD_OUTPUT, None)


async def test_nothing_of_the_key_or_the_prompt_is_told(
    native: Native, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"Invalid value 'Hello, sailor of the seven seas' for key {CANARY}"
    body = {"error": {"code": 400, "message": said, "status": "INVALID_ARGUMENT"}, "message": said}
    prompt = type(PLAIN)(role=PLAIN.role, system="", user="Hello, sailor of the seven seas")
    with caplog.at_level(logging.DEBUG):
        async with wire_server([Reply([json.dumps(body)], status=400, content_type=JSON)]) as server:
            with pytest.raises(ProviderError) as caught:
                await ask(native.adapter(server.url), prompt)
    shown = caplog.text + "".join(traceback.format_exception(caught.value))
    assert "canary" not in shown
    assert "sailor" not in str(caught.value)
    assert "Invalid value" in str(caught.value)
