"""Streams over real HTTP: times of tokens, billed tokens, and every way a stream can end badly."""

import io
import json
from decimal import Decimal

import pytest

from harness.errors import UsageError
from harness.load.answer import Answer
from harness.load.recorder import gap_of
from harness.load.sse import server_events
from harness.records import ErrorKind, RequestStatus, StreamUnit, Tier
from tests.load.asking import ask_once, case_of, shipped
from tests.load.target import running_target
from tests.providers.shapes import content, endings, refusals, usage


def sse(data, name=None):
    text = data if isinstance(data, str) else json.dumps(data)
    return ((f"event: {name}\n" if name else "") + f"data: {text}\n\n").encode()


def ask(name, frames, **headers):
    with running_target() as target:
        target.frames = frames
        target.extra_headers = headers
        return ask_once(shipped(name, target.url, model="m"), target.url)


def chunk(content=None, *, stop=None, **fields):
    delta = {} if content is None else {"content": content}
    return sse({"model": "gpt-4o-mini", "choices": [{"delta": delta, "finish_reason": stop}], **fields})


USAGE = sse(
    {
        "choices": [],
        "usage": {
            "prompt_tokens": 1000,
            "completion_tokens": 11,
            "prompt_tokens_details": {"cached_tokens": 200},
        },
    }
)
CHAT = [
    (0, chunk()),
    (0.1, chunk("a")),
    (0.2, chunk("b")),
    (0, chunk(stop="stop")),
    (0, USAGE),
    (0, b"data: [DONE]\n\n"),
]


def test_chat_times_and_bill():
    answer = ask("openai-chat", CHAT, **{"x-harness-emulated": "1"})
    assert answer.status is RequestStatus.OK
    assert (answer.chunks, answer.columns["draft_output_tokens"]) == (2, 11)
    gap_ns = answer.last_token_ns - answer.first_token_ns
    assert 0.15e9 < gap_ns < 2e9  # the role chunk before it is not a token
    assert answer.columns["draft_input_tokens"] == 1000
    # 800 fresh at 0.15, 200 cached at 0.075, 11 out at 0.6 dollars per million
    assert answer.columns["cost_usd"] == Decimal("0.0001416")
    assert answer.columns["provider_mode"] == "emulated"


def test_another_service_tier_is_priced_as_such():
    frames = [(0, chunk(service_tier="priority")), *CHAT]
    answer = ask("openai-chat", frames, **{"x-harness-emulated": "1"})
    # 800 fresh at 0.25, 200 cached at 0.125, 11 out at 1 dollar per million
    assert answer.columns["cost_usd"] == Decimal("0.000236")


def test_price_of_an_unknown_endpoint_is_unknown():
    answer = ask("openai-chat", CHAT)
    assert answer.status is RequestStatus.OK
    assert "cost_usd" not in answer.columns
    assert answer.columns["unpriced"] is True
    assert "names a provider" in answer.columns["unpriced_because"]
    assert "draft_source" not in answer.columns  # never guessed, nor that it is live
    assert "provider_mode" not in answer.columns


@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        ([*CHAT[:3], (0, None)], ErrorKind.CONNECTION),
        (CHAT[:3], ErrorKind.CONNECTION),
        ([*CHAT[:2], (0, b"data: {oops\n\n"), *CHAT[2:]], ErrorKind.BAD_OUTPUT),
        ([*CHAT[:2], (0, sse({"error": {"type": "server_error"}}))], ErrorKind.UPSTREAM_5XX),
        ([(0, sse({"error": {"type": "overloaded_error"}}))], ErrorKind.OVERLOADED),
    ],
)
def test_chat_that_ends_badly_is_a_failure(frames, kind):
    answer = ask("openai-chat", frames)
    assert answer.status is RequestStatus.ERROR
    assert answer.error_kind is kind


def test_anthropic_adds_cached_tokens_back():
    start = {
        "type": "message_start",
        "message": {
            "model": "claude-3-5-sonnet-20241022",
            "usage": {
                "input_tokens": 10,
                "cache_read_input_tokens": 100,
                "cache_creation_input_tokens": 40,
                "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 10},
                "output_tokens": 1,
            },
        },
    }
    delta = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}
    frames = [(0, sse(item, item["type"])) for item in (start, delta, delta, end, {"type": "message_stop"})]
    answer = ask("anthropic-messages", frames, **{"x-harness-emulated": "1"})
    assert answer.status is RequestStatus.OK
    assert answer.columns["draft_input_tokens"] == 150
    assert answer.columns["draft_cache_write_tokens"] == 40
    assert (answer.chunks, answer.columns["draft_output_tokens"]) == (2, 9)
    # 10 at 3, 100 read at 0.3, 30 written at 3.75, 10 written for an hour at 6, 9 out at 15 per million
    assert answer.columns["cost_usd"] == Decimal("0.0003675")


SERVICE = [
    (0, sse({"stage": "DRAFTING"}, "stage")),
    (0.1, sse({"stage": "COMPLETE", "payload": {}}, "stage")),
]
TELEMETRY = (0, sse({"request_id": "r-1", "quality_tier": "high", "cost_usd": None}, "telemetry"))


def test_service_stream_with_telemetry():
    answer = ask("stream", [*SERVICE, TELEMETRY])
    assert answer.status is RequestStatus.OK
    assert answer.columns["quality_tier"] is Tier.HIGH
    assert not answer.telemetry_missing
    assert answer.first_token_ns is not None


def test_the_last_stage_may_carry_an_error_at_status_200():
    broken = {
        "stage": "COMPLETE",
        "payload": {"schema": "error.v1", "code": "INTERNAL", "message": "upstream"},
    }
    answer = ask("stream", [SERVICE[0], (0, sse(broken, "stage")), TELEMETRY])
    assert (answer.status, answer.error_kind) == (RequestStatus.ERROR, ErrorKind.UPSTREAM_5XX)
    assert answer.http_status == 200


def test_service_stream_without_telemetry_is_an_answer_still():
    answer = ask("stream", SERVICE)
    assert answer.status is RequestStatus.OK
    assert answer.telemetry_missing


@pytest.mark.parametrize(
    ("event", "status", "kind"),
    [
        ({"code": "RATE_LIMITED"}, RequestStatus.REJECTED, ErrorKind.RATE_LIMITED),
        (
            {"code": "RATE_LIMITED", "details": {"reason": "cost_guard"}},
            RequestStatus.REJECTED,
            ErrorKind.COST_GUARD,
        ),
        ({"code": "UPSTREAM"}, RequestStatus.ERROR, ErrorKind.UPSTREAM_5XX),
        ({"code": "INTERNAL"}, RequestStatus.ERROR, ErrorKind.UPSTREAM_5XX),
    ],
)
def test_error_event_of_the_service(event, status, kind):
    answer = ask("stream", [SERVICE[0], (0, sse({"schema": "error.v1", **event}, "error"))])
    assert (answer.status, answer.error_kind) == (status, kind)


def test_stream_without_complete_is_a_failure():
    answer = ask("stream", SERVICE[:1])
    assert answer.error_kind is ErrorKind.CONNECTION


def test_events_in_every_legal_dress():
    class Lines:
        """A body already read; only its lines matter here."""

        def __init__(self, text):
            self.rest = text.splitlines(keepends=True)

        def readline(self, sep):
            return self.rest.pop(0) if self.rest else b""

    body = (
        b": comment\r\nevent: a\r\ndata:1\r\ndata: 2\r\n\r\nid: 7\ndata\n\ndata: {}\n\nevent: lost\ndata: x\n"
    )
    events = [(event.name, event.data) for event in server_events(Lines(body))]
    assert events == [(b"a", b"1\n2"), (b"", b"{}")]


def sent_by(exchange):
    """Path and headers of the first request."""
    line, _ = exchange.bound.steps[0].asked(exchange.bound.parcel(case_of(brief="x")).values)
    return line.path, dict(line.headers)


def test_bare_models_are_named_and_keys_stay_with_their_provider():
    env = {"OPENAI_API_KEY": "sk-mine"}
    with pytest.raises(UsageError, match="--model"):
        shipped("openai-chat").bound.parcel(case_of(brief="x"))
    path, headers = sent_by(shipped("openai-chat", "https://api.openai.com/v1", model="m", env=env))
    assert (path, headers["Authorization"]) == ("/chat/completions", "Bearer sk-mine")
    assert "X-Harness-Run-Id" not in headers
    _, headers = sent_by(shipped("openai-chat", "https://elsewhere.example/v1", model="m", env=env))
    assert "Authorization" not in headers
    path, headers = sent_by(shipped("openai-chat", "http://127.0.0.1:8000", model="m"))
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", "Bearer local")
    with pytest.raises(UsageError, match=r"openai-chat\.yaml:3: .*OPENAI_API_KEY.* is not set"):
        shipped("openai-chat", "https://api.openai.com", model="m")


def test_a_cut_anthropic_stream_has_no_bill_yet():
    start = {"input_tokens": 1000, "output_tokens": 1, "service_tier": "standard"}
    message = {"model": "claude-3-5-sonnet-20241022", "usage": start}
    frames = [
        (0, sse({"type": "message_start", "message": message})),
        (0, sse({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}})),
    ]
    answer = ask("anthropic-messages", frames, **{"x-harness-emulated": "1"})
    assert answer.status is not RequestStatus.OK
    assert answer.columns["unpriced"] is True
    assert "cost_usd" not in answer.columns


def test_a_thought_is_the_first_token_and_the_answer_has_its_own():
    thought = sse({"model": "m", "choices": [{"delta": {"reasoning": "hm"}}]})
    answer = ask("openai-chat", [(0, thought), *CHAT])
    assert answer.first_token_ns < answer.first_answer_ns
    assert answer.chunks == 3


def test_an_answer_in_one_chunk_has_no_gap():
    frames = [(0, chunk("a" * 800)), (0, chunk(stop="stop")), (0, USAGE), (0, b"data: [DONE]\n\n")]
    answer = ask("openai-chat", frames)
    assert (answer.status, answer.chunks) == (RequestStatus.OK, 1)
    assert gap_of(answer) == (None, None)


def test_gaps_are_divided_by_what_was_timed():
    answer = Answer()
    for arrived_ns in (0, 30_000_000, 60_000_000):
        answer.hear(arrived_ns, is_answer=True)
    assert gap_of(answer) == (30.0, StreamUnit.CHUNK)
    answer.tokens = 6  # two in each piece, as the usage told
    assert gap_of(answer) == (15.0, StreamUnit.TOKEN)


READERS = {
    "openai": shipped("openai-chat", model="m"),
    "anthropic": shipped("anthropic-messages", model="m"),
}


@pytest.mark.parametrize(
    ("shape", "form"),
    [
        pytest.param(shape, form, id=f"{shape.wire}-{shape.like}-{shape.name}-{form}")
        for shape in [*usage.SHAPES, *content.SHAPES, *endings.SHAPES, *refusals.SHAPES]
        for form in shape.forms
    ],
)
def test_a_load_scenario_reads_a_shape_as_the_adapters_do(shape, form):
    exchange = READERS[shape.wire]
    parcel = exchange.bound.parcel(case_of(brief="canary-77aa please"))
    answer = exchange.perform(_Replay(shape, form), "r-1", parcel)
    right = shape.right
    judged = (
        right.kind if answer.error_kind is not None else ("truncated" if right.kind == "truncated" else "ok")
    )
    assert right.kind in (judged, "bad_output")
    if shape.status < 400:
        assert answer.columns.get("draft_input_tokens") == right.input
        told = None if right.input is None else right.output
        assert answer.columns.get("draft_output_tokens") == told
    assert "canary" not in (answer.error_text or "")


class _Replay:
    """A recording, posted to and read without a connection."""

    def __init__(self, shape, form):
        self.status_code = shape.status
        self._headers = {"content-type": "application/json" if form == "whole" else "text/event-stream"}
        text = shape.whole if form == "whole" else "".join(shape.stream)
        self._body = io.BytesIO((text or "").encode())

    def send(self, line, request_id, body):
        return self

    def get(self, key, default=None):
        return self._headers.get(key, default)

    def read(self, length=None):
        return self._body.read()

    def readline(self, sep=b"\n"):
        return self._body.readline()
