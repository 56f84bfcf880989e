"""OpenAI's chat wire: completions, their chunks, their errors."""

from typing import Any

import orjson

from harness.emulator.bill import TokenBill
from harness.emulator.connection import Headers
from harness.emulator.faults import STATUS, FaultKind
from harness.emulator.prompt_cache import CacheShare, PromptCache
from harness.emulator.ratelimit import Allowance, openai_headers
from harness.emulator.wire.ask import Ask, Reply, WireError
from harness.emulator.wire.openai_request import read_chat
from harness.emulator.wire.sse import SseWire, sse

_FINISH = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool": "tool_calls",
    "refusal": "stop",
    "content_filter": "content_filter",
}
_FAULTS = {
    FaultKind.OVERLOADED: ("server_error", "The engine is currently overloaded, please try again later"),
    FaultKind.SERVER_ERROR: ("server_error", "The server had an error while processing your request."),
    FaultKind.UNAVAILABLE: ("server_error", "The server is temporarily unavailable. Please try again later."),
    FaultKind.GATEWAY_TIMEOUT: ("server_error", "The request timed out."),
}  # fmt: skip
REFUSAL = "I'm sorry, but I can't help with that."


class OpenAIBase(SseWire):
    """What every OpenAI route shares: keys, errors, headers."""

    request_id_header: bytes | None = b"x-request-id"

    def authenticate(self, header: Any) -> None:
        """The key is a bearer token."""
        key = (header(b"authorization") or "").removeprefix("Bearer ").strip()
        if not key:
            raise WireError(401, "invalid_request_error", "You didn't provide an API key.")
        if key == "invalid":
            raise WireError(
                401, "invalid_request_error", "Incorrect API key provided.", code="invalid_api_key"
            )

    def cached(self, cache: PromptCache, ask: Ask) -> CacheShare:
        """Automatic, by prefix."""
        return cache.automatic(ask.model, ask.blocks, ask.profile.min_cacheable_tokens)

    def error(self, error: WireError, request_id: str) -> bytes:  # noqa: ARG002 - the protocol's signature
        """`{"error": {message, type, param, code}}`."""
        told = {"message": error.message, "type": error.kind, "param": error.param, "code": error.code}
        return orjson.dumps({"error": told})

    def error_frame(self, ask: Ask, reply: Reply) -> bytes:  # noqa: ARG002 - the protocol's signature
        """An error in place of a chunk."""
        kind, message = _FAULTS[FaultKind.SERVER_ERROR]
        return sse({"error": {"message": message, "type": kind, "param": None, "code": None}})

    def fault_error(self, kind: FaultKind, model: str) -> WireError:
        """Type and sentence of a status fault."""
        if kind in _FAULTS:
            return WireError(STATUS[kind], *_FAULTS[kind])
        sentence = f"Rate limit reached for {model} on requests per min (RPM). Please try again shortly."
        return WireError(STATUS[kind], "requests", sentence, code="rate_limit_exceeded")

    def limit_headers(self, allowance: Allowance) -> Headers:
        """`x-ratelimit-*`."""
        return openai_headers(allowance)


class OpenAIChat(OpenAIBase):
    """`/v1/chat/completions`."""

    name = "openai.chat"

    def read(self, body: dict[str, Any]) -> Ask:
        """The ask in a request body."""
        return read_chat(body)

    def whole(self, ask: Ask, reply: Reply) -> bytes:
        """A `chat.completion` object."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": reply.text,
            "refusal": None,
            "annotations": [],
        }
        if reply.finish == "refusal":
            message |= {"content": None, "refusal": reply.text or REFUSAL}
        elif ask.tool and reply.text:
            call = {"id": f"call_{reply.id}", "type": "function"}
            function = {"name": ask.tool, "arguments": reply.text}
            message |= {"content": None, "tool_calls": [{**call, "function": function}]}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH[reply.finish]}
        return orjson.dumps(
            {**_envelope(ask, reply, "chat.completion"), "choices": [choice], "usage": usage(reply.bill)}
        )

    def frames(self, ask: Ask, reply: Reply, pieces: list[str]) -> list[bytes]:
        """A role chunk, content chunks, a finish chunk, the usage where asked for, `[DONE]`."""
        base = _envelope(ask, reply, "chat.completion.chunk")
        if ask.include_usage:
            base["usage"] = None

        def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return sse({**base, "choices": [choice]})

        opening: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
        if reply.finish == "refusal":
            pieces = pieces if reply.text else [REFUSAL, *pieces[1:]]
        elif ask.tool:
            function = {"name": ask.tool, "arguments": ""}
            call = {"index": 0, "id": f"call_{reply.id}", "type": "function", "function": function}
            opening = {"role": "assistant", "content": None, "tool_calls": [call]}
        frames = [chunk(_delta(ask, reply, piece)) if piece else b"" for piece in pieces or [""]]
        frames[0] = chunk(opening) + frames[0]
        frames[-1] += chunk({}, _FINISH[reply.finish])
        if ask.include_usage:
            frames[-1] += sse({**base, "choices": [], "usage": usage(reply.bill)})
        frames[-1] += b"data: [DONE]\n\n"
        return frames

    def finish_word(self, finish: str) -> str:
        """The finish reason."""
        return _FINISH[finish]


def usage(bill: TokenBill) -> dict[str, Any]:
    """OpenAI's usage: `prompt_tokens` is the total, cached tokens included."""
    return {
        "prompt_tokens": bill.total_input,
        "completion_tokens": bill.output,
        "total_tokens": bill.total_input + bill.output,
        "prompt_tokens_details": {"cached_tokens": bill.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": bill.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _delta(ask: Ask, reply: Reply, piece: str) -> dict[str, Any]:
    if reply.finish == "refusal":
        return {"refusal": piece}
    if ask.tool:
        return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
    return {"content": piece}


def _envelope(ask: Ask, reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": kind,
        "created": reply.created_s,
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": "fp_emulated00",
    }
