"""OpenAI's responses wire: response objects and their typed events."""

from typing import Any

import orjson

from harness.emulator.bill import TokenBill
from harness.emulator.wire.ask import Ask, Reply
from harness.emulator.wire.openai_chat import REFUSAL, OpenAIBase
from harness.emulator.wire.responses_request import read_responses

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class OpenAIResponses(OpenAIBase):
    """`/v1/responses`."""

    name = "openai.responses"

    def read(self, body: dict[str, Any]) -> Ask:
        """The ask in a request body."""
        return read_responses(body)

    def whole(self, ask: Ask, reply: Reply) -> bytes:
        """A `response` object."""
        return orjson.dumps(_response(ask, reply, ended=True))

    def frames(self, ask: Ask, reply: Reply, pieces: list[str]) -> list[bytes]:
        """The typed events, numbered; text deltas between their opening and closing."""
        events = _Events()
        part = _part(reply)
        kind = "refusal" if part["type"] == "refusal" else "output_text"
        whole_text = part.get("text", part.get("refusal", ""))
        index = len(_output(reply)) - 1
        where = {"item_id": f"msg_{reply.id}", "output_index": index, "content_index": 0}
        extra: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
        started = _response(ask, reply, ended=False)
        empty = {**part, "text" if kind == "output_text" else "refusal": ""}
        item = {**_item(reply), "status": "in_progress", "content": []}
        opening = b"".join(
            (
                events.event("response.created", {"response": started}),
                events.event("response.in_progress", {"response": started}),
                *(_thinking(events, reply)),
                events.event("response.output_item.added", {"output_index": index, "item": item}),
                events.event("response.content_part.added", {**where, "part": empty}),
            )
        )
        said = pieces if reply.text else [whole_text, *pieces[1:]]
        frames = [
            events.event(f"response.{kind}.delta", {**where, **extra, "delta": piece}) if piece else b""
            for piece in said
        ]
        frames[0] = opening + frames[0]
        text_field = "text" if kind == "output_text" else "refusal"
        ended = _response(ask, reply, ended=True)
        last = "response.completed" if ended["status"] == "completed" else "response.incomplete"
        frames[-1] += b"".join(
            (
                events.event(f"response.{kind}.done", {**where, **extra, text_field: whole_text}),
                events.event("response.content_part.done", {**where, "part": part}),
                events.event("response.output_item.done", {"output_index": index, "item": _item(reply)}),
                events.event(last, {"response": ended}),
            )
        )
        return frames

    def error_frame(self, ask: Ask, reply: Reply) -> bytes:
        """`response.failed`: the response itself says that it failed, and tells no usage."""
        error = {"code": "server_error", "message": "The server had an error."}
        failed = {**_response(ask, reply, ended=False), "status": "failed", "error": error}
        return _Events(900).event("response.failed", {"response": failed})

    def finish_word(self, finish: str) -> str:
        """`completed`, or why it is incomplete."""
        return _INCOMPLETE.get(finish, "completed")


class _Events:
    """Numbers the events of one stream."""

    def __init__(self, first: int = 0) -> None:
        self._next = first

    def event(self, kind: str, data: dict[str, Any]) -> bytes:
        """One named server-sent event with its sequence number."""
        numbered = {"type": kind, "sequence_number": self._next, **data}
        self._next += 1
        return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(numbered) + b"\n\n"


def usage(bill: TokenBill) -> dict[str, Any]:
    """The responses API's usage: `input_tokens` is the total, cached tokens included."""
    return {
        "input_tokens": bill.total_input,
        "input_tokens_details": {"cached_tokens": bill.cache_read, "cache_write_tokens": 0},
        "output_tokens": bill.output,
        "output_tokens_details": {"reasoning_tokens": bill.reasoning},
        "total_tokens": bill.total_input + bill.output,
    }


def _part(reply: Reply) -> dict[str, Any]:
    if reply.finish == "refusal":
        return {"type": "refusal", "refusal": reply.text or REFUSAL}
    return {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}


def _item(reply: Reply) -> dict[str, Any]:
    status = "incomplete" if reply.finish in _INCOMPLETE else "completed"
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [_part(reply)],
    }


def _reasoning(reply: Reply) -> dict[str, Any]:
    return {"id": f"rs_{reply.id}", "type": "reasoning", "summary": []}


def _output(reply: Reply) -> list[dict[str, Any]]:
    """What the response consists of: the reasoning that was done, unread, and the message."""
    return [*([_reasoning(reply)] if reply.bill.reasoning else []), _item(reply)]


def _thinking(events: _Events, reply: Reply) -> list[bytes]:
    if not reply.bill.reasoning:
        return []
    told = {"output_index": 0, "item": _reasoning(reply)}
    return [events.event(f"response.output_item.{what}", told) for what in ("added", "done")]


def _response(ask: Ask, reply: Reply, *, ended: bool) -> dict[str, Any]:
    reason = _INCOMPLETE.get(reply.finish) if ended else None
    status = "incomplete" if reason else "completed"
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created_s,
        "status": status if ended else "in_progress",
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "max_output_tokens": ask.max_tokens,
        "metadata": {},
        "model": ask.model,
        "output": _output(reply) if ended else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage(reply.bill) if ended else None,
    }
