"""How every failure is classified, with the real SDKs, over real HTTP against scripted bytes."""

import asyncio
import json
from typing import Any

import pytest

from harness.records import NO_USAGE, ErrorKind, Usage
from tests.providers.asking import PLAIN, STREAMS, Build, failure
from tests.providers.conftest import CANARY
from tests.providers.wire import RESET, STALL, Reply, sse, wire_server


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
