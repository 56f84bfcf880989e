"""Bedrock's `Converse` wire: messages, their events, their exceptions. The model stands in the path."""

from typing import Any

import orjson

from harness.emulator.bill import TokenBill
from harness.emulator.connection import Headers
from harness.emulator.faults import STATUS, FaultKind
from harness.emulator.prompt_cache import CacheShare, PromptCache
from harness.emulator.ratelimit import Allowance
from harness.emulator.wire.ask import Ask, Reply, WireError
from harness.emulator.wire.bedrock_request import read_converse
from harness.emulator.wire.eventstream import cut_short, event, exception

_FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool": "tool_use",
    "refusal": "content_filtered",
    "content_filter": "guardrail_intervened",
}
_KIND_BY_STATUS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    413: "ValidationException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
_FAULTS = {
    FaultKind.OVERLOADED: (429, "ModelNotReadyException", "Model is not ready for inference."),
    FaultKind.SERVER_ERROR: (500, "InternalServerException", "The system encountered an unexpected error."),
    FaultKind.UNAVAILABLE: (503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
    FaultKind.GATEWAY_TIMEOUT: (408, "ModelTimeoutException", "The model timed out processing the request."),
}  # fmt: skip
_TOO_MANY = "Too many requests, please wait before trying again."
GUARDED = "Sorry, the model cannot answer this question."
_THOUGHT = "The options are compared before the answer is written."


class BedrockConverse:
    """`/model/MODEL/converse` and `/model/MODEL/converse-stream`."""

    name = "bedrock.converse"
    request_id_header: bytes | None = b"x-amzn-requestid"
    call_id_headers: tuple[bytes, ...] = (b"x-client-request-id", b"amz-sdk-invocation-id")
    stream_type = b"application/vnd.amazon.eventstream"

    def __init__(self, model: str, *, stream: bool) -> None:
        self._model = model
        self._streams = stream

    def authenticate(self, header: Any) -> None:
        """A signature of version 4, not checked, or an API key as bearer token."""
        said = header(b"authorization") or ""
        if not said:
            raise WireError(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        if said == "Bearer invalid" or "Credential=invalid/" in said:
            message = "The security token included in the request is invalid."
            raise WireError(403, "UnrecognizedClientException", message)

    def model_in(self, body: dict[str, Any]) -> str:  # noqa: ARG002 - the protocol's signature
        """The path's."""
        return self._model

    def read(self, body: dict[str, Any]) -> Ask:
        """The ask in a request body."""
        return read_converse(body, self._model, stream=self._streams)

    def cached(self, cache: PromptCache, ask: Ask) -> CacheShare:
        """By the caller's cache points."""
        return cache.marked(ask.model, ask.blocks, ask.profile.min_cacheable_tokens)

    def whole(self, ask: Ask, reply: Reply) -> bytes:
        """A `ConverseResponse` object."""
        content: list[dict[str, Any]] = []
        if reply.bill.reasoning:
            content.append({"reasoningContent": {"reasoningText": {"text": _THOUGHT}}})
        text = _said(reply)
        if ask.tool and text:
            content.append({"toolUse": {**_tool(ask, reply), "input": _parsed(text)}})
        elif text:
            content.append({"text": text})
        message = {"role": "assistant", "content": content}
        return orjson.dumps(
            {"output": {"message": message}, "stopReason": _FINISH[reply.finish], **_metadata(reply)}
        )

    def frames(self, ask: Ask, reply: Reply, pieces: list[str]) -> list[bytes]:
        """`messageStart`, the reasoning, one content block in deltas, `messageStop`, `metadata`."""
        opening = event("messageStart", {"role": "assistant"})
        index = 0
        if reply.bill.reasoning:
            thought = {"delta": {"reasoningContent": {"text": _THOUGHT}}, "contentBlockIndex": 0}
            opening += event("contentBlockDelta", thought)
            opening += event("contentBlockStop", {"contentBlockIndex": 0})
            index = 1
        pieces = pieces if reply.text else [_said(reply), *pieces[1:]]
        closing = event("contentBlockStop", {"contentBlockIndex": index}) if _said(reply) else b""
        if ask.tool and reply.text:
            start = {"start": {"toolUse": _tool(ask, reply)}, "contentBlockIndex": index}
            opening += event("contentBlockStart", start)

        def delta(piece: str) -> bytes:
            said = {"toolUse": {"input": piece}} if ask.tool and reply.text else {"text": piece}
            return event("contentBlockDelta", {"delta": said, "contentBlockIndex": index})

        frames = [delta(piece) if piece else b"" for piece in pieces]
        frames[0] = opening + frames[0]
        closing += event("messageStop", {"stopReason": _FINISH[reply.finish]})
        frames[-1] += closing + event("metadata", _metadata(reply))
        return frames

    def garbled(self, frame: bytes) -> bytes:
        """Each payload without its last brace."""
        return cut_short(frame)

    def error(self, error: WireError, request_id: str) -> bytes:  # noqa: ARG002 - the protocol's signature
        """`{"message": ...}`; the type is in a header."""
        return orjson.dumps({"message": error.message})

    def error_headers(self, error: WireError) -> Headers:
        """`x-amzn-ErrorType`, and the wait in milliseconds, as AWS's SDKs read it."""
        kind = error.kind if error.kind.endswith("Exception") else _KIND_BY_STATUS[error.status]
        headers = [(b"x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/".encode())]
        if error.retry_after_ms is not None:
            headers.append((b"x-amz-retry-after", f"{error.retry_after_ms:.0f}".encode()))
        return headers

    def error_frame(self, ask: Ask, reply: Reply) -> bytes:  # noqa: ARG002 - the protocol's signature
        """A modelled exception in mid-stream."""
        return exception("internalServerException", {"message": _FAULTS[FaultKind.SERVER_ERROR][2]})

    def fault_error(self, kind: FaultKind, model: str) -> WireError:  # noqa: ARG002 - the protocol's signature
        """Status, type and sentence of a status fault; Bedrock knows no 529 and no 504."""
        return WireError(*_FAULTS.get(kind, (STATUS[kind], "ThrottlingException", _TOO_MANY)))

    def limit_headers(self, allowance: Allowance) -> Headers:  # noqa: ARG002 - the protocol's signature
        """None: Bedrock tells none."""
        return []

    def finish_word(self, finish: str) -> str:
        """The stop reason."""
        return _FINISH[finish]


def usage(bill: TokenBill) -> dict[str, Any]:
    """Bedrock's usage: `inputTokens` leaves the cached ones out; thinking is not told apart."""
    written = {"5m": bill.cache_write_5m, "1h": bill.cache_write_1h}
    return {
        "inputTokens": bill.uncached_input,
        "outputTokens": bill.output,
        "totalTokens": bill.total_input + bill.output,
        "cacheReadInputTokens": bill.cache_read,
        "cacheWriteInputTokens": bill.cache_write_5m + bill.cache_write_1h,
        "cacheDetails": [{"ttl": ttl, "inputTokens": tokens} for ttl, tokens in written.items() if tokens],
    }


def _metadata(reply: Reply) -> dict[str, Any]:
    return {"usage": usage(reply.bill), "metrics": {"latencyMs": 1}}


def _said(reply: Reply) -> str:
    """A guardrail puts its own words in place of the model's."""
    return GUARDED if reply.finish == "content_filter" else reply.text


def _tool(ask: Ask, reply: Reply) -> dict[str, Any]:
    return {"toolUseId": f"tooluse_{reply.id}", "name": ask.tool}


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}  # the real API cannot put broken JSON here either
