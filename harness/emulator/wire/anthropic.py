"""Anthropic's wire: messages, their events, their errors."""

from typing import Any

import orjson

from harness.emulator.bill import TokenBill
from harness.emulator.connection import Headers
from harness.emulator.faults import STATUS, FaultKind
from harness.emulator.prompt_cache import CacheShare, PromptCache
from harness.emulator.ratelimit import Allowance, anthropic_headers
from harness.emulator.wire.anthropic_request import read_messages
from harness.emulator.wire.ask import Ask, Reply, WireError
from harness.emulator.wire.sse import SseWire

_FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool": "tool_use",
    "refusal": "refusal",
    "content_filter": "refusal",
}
_FAULTS = {
    FaultKind.OVERLOADED: ("overloaded_error", "Overloaded"),
    FaultKind.SERVER_ERROR: ("api_error", "Internal server error"),
    FaultKind.UNAVAILABLE: ("api_error", "Service temporarily unavailable"),
    FaultKind.GATEWAY_TIMEOUT: ("timeout_error", "The request timed out while processing"),
}
_RATE_SENTENCE = (
    "This request would exceed your organization's rate limit of requests per minute. Please reduce the "
    "request rate, or wait and try again."
)


class AnthropicMessages(SseWire):
    """`/v1/messages`."""

    name = "anthropic.messages"
    request_id_header: bytes | None = b"request-id"

    def authenticate(self, header: Any) -> None:
        """The key travels in `x-api-key`, or as a bearer token; the version header is required."""
        key = header(b"x-api-key") or (header(b"authorization") or "").removeprefix("Bearer ")
        if not key or key == "invalid":
            raise WireError(
                401, "authentication_error", "invalid x-api-key" if key else "x-api-key header is required"
            )
        if not header(b"anthropic-version"):
            raise WireError(400, "invalid_request_error", "anthropic-version: header is required")

    def read(self, body: dict[str, Any]) -> Ask:
        """The ask in a request body."""
        return read_messages(body)

    def cached(self, cache: PromptCache, ask: Ask) -> CacheShare:
        """By the caller's breakpoints."""
        return cache.marked(ask.model, ask.blocks, ask.profile.min_cacheable_tokens)

    def whole(self, ask: Ask, reply: Reply) -> bytes:
        """A `message` object."""
        content = [] if not reply.text else [_tool_block(ask, reply) if ask.tool else _text_block(reply.text)]
        return orjson.dumps(
            {**_envelope(ask, reply), "content": content, **self._ending(reply), "usage": usage(reply.bill)}
        )

    def frames(self, ask: Ask, reply: Reply, pieces: list[str]) -> list[bytes]:
        """`message_start`, one content block in deltas, `message_delta`, `message_stop`."""
        first_bill = TokenBill(**{**_fields(reply.bill), "output": min(1, reply.bill.output), "reasoning": 0})
        start = {
            **_envelope(ask, reply),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage(first_bill),
        }
        opening = _event("message_start", {"message": start})
        closing = b""
        if reply.text:
            block = {**_tool_block(ask, reply), "input": {}} if ask.tool else _text_block("")
            opening += _event("content_block_start", {"index": 0, "content_block": block})
            closing = _event("content_block_stop", {"index": 0})
        opening += _event("ping", {})
        closing += _event(
            "message_delta", {"delta": self._ending(reply), "usage": usage(reply.bill, delta=True)}
        )
        closing += _event("message_stop", {})
        kind, field = ("input_json_delta", "partial_json") if ask.tool else ("text_delta", "text")
        frames = [
            _event("content_block_delta", {"index": 0, "delta": {"type": kind, field: piece}})
            if piece
            else b""
            for piece in pieces or [""]
        ]
        frames[0] = opening + frames[0]
        frames[-1] += closing
        return frames

    def error(self, error: WireError, request_id: str) -> bytes:
        """`{"type": "error", "error": {...}, "request_id": ...}`."""
        told = {"type": error.kind, "message": error.message}
        return orjson.dumps({"type": "error", "error": told, "request_id": request_id})

    def error_frame(self, ask: Ask, reply: Reply) -> bytes:  # noqa: ARG002 - the protocol's signature
        """An `error` event, as an overloaded server sends it in mid-stream."""
        return _event("error", {"error": {"type": "overloaded_error", "message": "Overloaded"}})

    def fault_error(self, kind: FaultKind, model: str) -> WireError:  # noqa: ARG002 - the protocol's signature
        """Type and sentence of a status fault."""
        return WireError(STATUS[kind], *_FAULTS.get(kind, ("rate_limit_error", _RATE_SENTENCE)))

    def limit_headers(self, allowance: Allowance) -> Headers:
        """`anthropic-ratelimit-*`."""
        return anthropic_headers(allowance)

    def finish_word(self, finish: str) -> str:
        """The stop reason."""
        return _FINISH[finish]

    def _ending(self, reply: Reply) -> dict[str, Any]:
        refused = reply.finish in ("refusal", "content_filter")
        details = {"type": "refusal", "category": "general_harms", "explanation": "Declined by policy."}
        return {
            "stop_reason": _FINISH[reply.finish],
            "stop_sequence": reply.stop_sequence,
            "stop_details": details if refused else None,
        }


def usage(bill: TokenBill, *, delta: bool = False) -> dict[str, Any]:
    """Anthropic's usage: `input_tokens` leaves out whatever the cache served or took in."""
    counts: dict[str, Any] = {
        "input_tokens": bill.uncached_input,
        "cache_creation_input_tokens": bill.cache_write_5m + bill.cache_write_1h,
        "cache_read_input_tokens": bill.cache_read,
        "output_tokens": bill.output,
    }
    if not delta:
        counts["cache_creation"] = {
            "ephemeral_5m_input_tokens": bill.cache_write_5m,
            "ephemeral_1h_input_tokens": bill.cache_write_1h,
        }
        counts["service_tier"] = "standard"
    return counts


def _fields(bill: TokenBill) -> dict[str, int]:
    return {name: getattr(bill, name) for name in TokenBill.__slots__}


def _envelope(ask: Ask, reply: Reply) -> dict[str, Any]:
    return {"id": f"msg_01{reply.id}", "type": "message", "role": "assistant", "model": ask.model}


def _text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _tool_block(ask: Ask, reply: Reply) -> dict[str, Any]:
    try:
        value = orjson.loads(reply.text)
    except orjson.JSONDecodeError:
        value = {}  # the real API cannot put broken JSON here either
    return {"type": "tool_use", "id": f"toolu_01{reply.id}", "name": ask.tool, "input": value}


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps({"type": name, **data}) + b"\n\n"
