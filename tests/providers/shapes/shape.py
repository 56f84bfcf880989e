"""One made-up recording of an answer, streamed and whole, beside what must be read from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

CHAT, MESSAGES = "openai", "anthropic"
CHAT_MODEL, MESSAGES_MODEL = "gpt-4o-mini", "claude-sonnet-4-5"
TEXT = "Hello there"
USD_PER_MTOK: Mapping[str, Sequence[Decimal]] = {
    CHAT: tuple(map(Decimal, ("0.15", "0.075", "0.15", "0.15", "0.6"))),
    MESSAGES: tuple(map(Decimal, ("3", "0.3", "3.75", "6", "15"))),
}
"""Input, cache read, cache write for 5 minutes and for an hour, output: the price lists of the two models."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """What must be recorded of the one attempt. `input` None: the usage, and with it the cost, is unknown."""

    kind: str = "ok"
    text: str = TEXT
    input: int | None = 20
    output: int = 5
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0
    reasoning: int = 0
    finish: str | None = "stop"
    served: str | None = None
    own_cost: str | None = None
    wait_ms: float | None = None
    remark: str | None = None
    request_id: str | None = None
    says: str = ""
    has_status: bool = False

    def cost_usd(self, wire: str) -> Decimal | None:
        """By the price list; None for unknown."""
        if self.input is None:
            return None
        plain = self.input - self.read - self.write_5m - self.write_1h
        tokens = (plain, self.read, self.write_5m, self.write_1h, self.output)
        return sum((n * usd / 10**6 for n, usd in zip(tokens, USD_PER_MTOK[wire], strict=True)), Decimal(0))


UNKNOWN = Right(input=None)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A recording: server-sent events and a body, either of which may be missing (None)."""

    name: str
    like: str
    wire: str
    right: Right
    stream: Sequence[str] | None
    whole: str | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def forms(self) -> list[str]:
        """`stream`, `whole`, or both."""
        return [form for form in ("stream", "whole") if getattr(self, form) is not None]


def event(data: Any, name: str | None = None) -> str:
    """A server-sent event; a text is sent as it is."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


USAGE = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
DONE = "[DONE]"


def chat(
    name: str,
    like: str,
    right: Right,
    *,
    deltas: Sequence[Mapping[str, Any]] | None = None,
    message: Mapping[str, Any] | None = None,
    usage: Any = USAGE,
    finish: Any = "stop",
    usage_at: str = "usage",
    more: Mapping[str, Any] | None = None,
    last: Sequence[Any] = (DONE,),
    headers: Mapping[str, str] | None = None,
    forms: Sequence[str] = ("stream", "whole"),
    model: str = CHAT_MODEL,
) -> Shape:
    """A chat completion in both forms, from what is odd about it.

    Args:
        name: what is odd.
        like: whose oddity it is.
        right: what must be read.
        deltas: the stream's; two pieces of text else.
        message: the whole answer's; the text else.
        usage: sent last in the stream, after the finish reason.
        finish: the finish reason.
        usage_at: where the usage stands: `usage`, `x_groq` or `choice`.
        more: further fields of every event and of the body.
        last: what ends the stream.
        headers: of the response.
        forms: which to make.
        model: that answers.
    """
    base = {"id": "chat-1", "created": 1, "model": model, **(more or {})}
    deltas = (
        [{"role": "assistant", "content": ""}, {"content": "Hello "}, {"content": "there"}]
        if (deltas is None)
        else deltas
    )
    chunks: list[Any] = [
        {**base, "choices": [{"index": 0, "delta": dict(delta), "finish_reason": None}]} for delta in deltas
    ]
    if finish is not None:
        chunks.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    choice = {
        "index": 0,
        "message": dict(message or {"role": "assistant", "content": TEXT}),
        "finish_reason": finish,
    }
    told = _placed(usage, usage_at)
    in_choice = {"usage": usage} if usage_at == "choice" else {}
    if usage is not None:
        chunks.append(
            {**base, "choices": [{"index": 0, "delta": {}, **in_choice}] if in_choice else [], **told}
        )
    body = {**base, "choices": [{**choice, **in_choice}], **told}
    return Shape(
        name=name,
        like=like,
        wire=CHAT,
        right=right,
        stream=[event(chunk) for chunk in (*chunks, *last)] if "stream" in forms else None,
        whole=json.dumps(body) if "whole" in forms else None,
        headers=headers or {},
    )


def _placed(usage: Any, where: str) -> dict[str, Any]:
    if usage is None or where == "choice":
        return {}
    return {"x_groq": {"id": "req_1", "usage": usage}} if where == "x_groq" else {"usage": usage}


def chat_events(
    name: str, like: str, right: Right, *events: Any, headers: Mapping[str, str] | None = None
) -> Shape:
    """A chat completion that only comes streamed: its events one by one; texts are sent as they are."""
    said = [
        e if isinstance(e, str) and e.startswith(("event:", "data:", ":", "\ufeff")) else event(e)
        for e in events
    ]
    return Shape(name=name, like=like, wire=CHAT, right=right, stream=said, whole=None, headers=headers or {})


def chat_body(name: str, like: str, right: Right, body: Any, **more: Any) -> Shape:
    """An answer that only comes whole."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Shape(name=name, like=like, wire=CHAT, right=right, stream=None, whole=text, **more)


def chunk(delta: Mapping[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of a chat completion."""
    choices = [] if delta is None else [{"index": 0, "delta": dict(delta), "finish_reason": finish}]
    return {"id": "chat-1", "created": 1, "model": CHAT_MODEL, "choices": choices, **more}


def messages(
    name: str,
    like: str,
    right: Right,
    *,
    start: Mapping[str, Any] | None = None,
    end: Any = None,
    content: Sequence[Mapping[str, Any]] | None = None,
    middle: Sequence[Any] | None = None,
    stop: str | None = "end_turn",
    last: Sequence[Any] = ({"type": "message_stop"},),
    headers: Mapping[str, str] | None = None,
    forms: Sequence[str] = ("stream", "whole"),
    model: str = MESSAGES_MODEL,
) -> Shape:
    """An Anthropic message in both forms; `start` and `end` are the usages at either end of the stream."""
    started = {"input_tokens": 20, "output_tokens": 1} if start is None else dict(start)
    ended = {"output_tokens": 5} if end is None else end
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_reason": None}
    pieces = (
        [
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello "}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "there"}},
            {"type": "content_block_stop", "index": 0},
        ]
        if middle is None
        else middle
    )
    events = [
        {"type": "message_start", "message": {**message, "content": [], "usage": started}},
        *pieces,
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": ended},
        *last,
    ]
    whole = {
        **message,
        "content": list(content or [{"type": "text", "text": TEXT}]),
        "stop_reason": stop,
        "usage": {**started, **{k: v for k, v in dict(ended or {}).items() if v}},
    }
    return Shape(
        name=name,
        like=like,
        wire=MESSAGES,
        right=right,
        stream=[event(e, e.get("type")) for e in events] if "stream" in forms else None,
        whole=json.dumps(whole) if "whole" in forms else None,
        headers=headers or {},
    )


def refusal(
    name: str,
    like: str,
    right: Right,
    status: int,
    body: Any,
    *,
    wire: str = CHAT,
    headers: Mapping[str, str] | None = None,
) -> Shape:
    """An HTTP status that says no; the same however it was asked."""
    return Shape(
        name=name,
        like=like,
        wire=wire,
        right=right,
        stream=None,
        whole=body if isinstance(body, str) else json.dumps(body),
        status=status,
        headers=headers or {},
    )
