"""Gemini's own wire: content, its chunks, its errors. The model stands in the path."""

from typing import Any

import orjson

from harness.emulator.bill import TokenBill
from harness.emulator.connection import Headers
from harness.emulator.faults import STATUS, FaultKind
from harness.emulator.prompt_cache import CacheShare, PromptCache
from harness.emulator.ratelimit import Allowance
from harness.emulator.wire.ask import Ask, Reply, WireError
from harness.emulator.wire.gemini_request import read_content
from harness.emulator.wire.sse import SseWire

_FINISH = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "refusal": "SAFETY",
    "content_filter": "PROHIBITED_CONTENT",
}
_STATUS_WORD = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OVERLOADED = (503, "The model is overloaded. Please try again later.")
_FAULTS = {
    FaultKind.OVERLOADED: _OVERLOADED,
    FaultKind.SERVER_ERROR: (500, "An internal error has occurred. Please retry."),
    FaultKind.UNAVAILABLE: (503, "The service is currently unavailable."),
    FaultKind.GATEWAY_TIMEOUT: (504, "Deadline expired before operation could complete."),
}
_KEY_INVALID = "API key not valid. Please pass a valid API key."
_NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key "
    "or other form of API consumer identity to call this API."
)
_THOUGHT = "**Weighing the question**\n\nThe options are compared before the answer is written."


class GeminiContent(SseWire):
    """`/v1beta/models/MODEL:generateContent` and `:streamGenerateContent`."""

    name = "gemini.content"
    request_id_header: bytes | None = None

    def __init__(self, model: str, *, stream: bool) -> None:
        self._model = model
        self._streams = stream

    def authenticate(self, header: Any) -> None:
        """The key travels in `x-goog-api-key`; a wrong one is a 400."""
        key = header(b"x-goog-api-key")
        if not key:
            raise WireError(403, "PERMISSION_DENIED", _NO_KEY)
        if key == "invalid":
            raise WireError(400, "API_KEY_INVALID", _KEY_INVALID)

    def model_in(self, body: dict[str, Any]) -> str:  # noqa: ARG002 - the protocol's signature
        """The path's."""
        return self._model

    def read(self, body: dict[str, Any]) -> Ask:
        """The ask in a request body."""
        return read_content(body, self._model, stream=self._streams)

    def cached(self, cache: PromptCache, ask: Ask) -> CacheShare:
        """Implicit, by prefix."""
        return cache.automatic(ask.model, ask.blocks, ask.profile.min_cacheable_tokens)

    def whole(self, ask: Ask, reply: Reply) -> bytes:
        """A `GenerateContentResponse` object."""
        parts = [*_thoughts(ask, reply), *([{"text": reply.text}] if reply.text else [])]
        return orjson.dumps({**_ended(reply, parts), **_envelope(ask, reply)})

    def frames(self, ask: Ask, reply: Reply, pieces: list[str]) -> list[bytes]:
        """Chunks of the same shape, each with the running usage; the last one has the finish reason."""
        said = TokenBill(
            uncached_input=reply.bill.uncached_input,
            cache_read=reply.bill.cache_read,
            output=reply.bill.reasoning,
            reasoning=reply.bill.reasoning,
        )
        envelope = _envelope(ask, reply)
        frames = [
            _chunk({"candidates": [_candidate([{"text": piece}])], **envelope, "usageMetadata": usage(said)})
            if piece
            else b""
            for piece in pieces[:-1]
        ]
        thoughts = _thoughts(ask, reply)
        if thoughts and frames:
            opening = {"candidates": [_candidate(thoughts)], **envelope, "usageMetadata": usage(said)}
            frames[0] = _chunk(opening) + frames[0]
        last = [{"text": pieces[-1]}] if pieces[-1] else []
        return [*frames, _chunk({**_ended(reply, last), **envelope})]

    def garbled(self, frame: bytes) -> bytes:
        """Without the last brace of each event."""
        return frame.replace(b"}\r\n\r\n", b"\r\n\r\n")

    def error(self, error: WireError, request_id: str) -> bytes:  # noqa: ARG002 - the protocol's signature
        """`{"error": {code, message, status, details}}`; a wait stands among the details."""
        told: dict[str, Any] = {
            "code": error.status,
            "message": error.message,
            "status": _STATUS_WORD.get(error.status, "UNKNOWN"),
        }
        details = _details(error)
        return orjson.dumps({"error": {**told, **({"details": details} if details else {})}})

    def error_headers(self, error: WireError) -> Headers:  # noqa: ARG002 - the protocol's signature
        """None: the wait is in the body."""
        return []

    def error_frame(self, ask: Ask, reply: Reply) -> bytes:  # noqa: ARG002 - the protocol's signature
        """An error object in place of a chunk."""
        return b"data: " + self.error(WireError(503, "UNAVAILABLE", _OVERLOADED[1]), "") + b"\r\n\r\n"

    def fault_error(self, kind: FaultKind, model: str) -> WireError:
        """Status and sentence of a status fault; Gemini knows no 529."""
        sentence = (
            "You exceeded your current quota, please check your plan and billing details. Quota exceeded "
            f"for metric: generate_content_requests, limit: 10, model: {model}"
        )
        status, message = _FAULTS.get(kind, (STATUS[kind], sentence))
        return WireError(status, _STATUS_WORD[status], message)

    def limit_headers(self, allowance: Allowance) -> Headers:  # noqa: ARG002 - the protocol's signature
        """None: Gemini tells none."""
        return []

    def finish_word(self, finish: str) -> str:
        """The finish reason, or the block reason of a prompt that was blocked."""
        return _FINISH[finish]


def usage(bill: TokenBill) -> dict[str, Any]:
    """Gemini's usage: thoughts are counted beside the candidates, and what is zero is left out."""
    counts = {
        "promptTokenCount": bill.total_input,
        "candidatesTokenCount": bill.output - bill.reasoning,
        "thoughtsTokenCount": bill.reasoning,
        "cachedContentTokenCount": bill.cache_read,
    }
    told: dict[str, Any] = {name: count for name, count in counts.items() if count}
    told["totalTokenCount"] = bill.total_input + bill.output
    told["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": bill.total_input}]
    return told


def _details(error: WireError) -> list[dict[str, Any]]:
    google = "type.googleapis.com/google.rpc."
    if error.kind == "API_KEY_INVALID":
        info = {"@type": f"{google}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        return [{**info, "metadata": {"service": "generativelanguage.googleapis.com"}}]
    if error.retry_after_ms is None:
        return []
    return [{"@type": f"{google}RetryInfo", "retryDelay": f"{error.retry_after_ms / 1000:g}s"}]


def _envelope(ask: Ask, reply: Reply) -> dict[str, Any]:
    return {"usageMetadata": usage(reply.bill), "modelVersion": ask.model, "responseId": reply.id}


def _thoughts(ask: Ask, reply: Reply) -> list[dict[str, Any]]:
    return [{"text": _THOUGHT, "thought": True}] if ask.thoughts and reply.bill.reasoning else []


def _candidate(parts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    content = {"content": {"parts": parts, "role": "model"}} if parts else {"content": {"role": "model"}}
    return {**content, **more, "index": 0}


def _ended(reply: Reply, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """How an answer ends; a blocked prompt has no candidate at all."""
    if reply.finish == "content_filter":
        return {"promptFeedback": {"blockReason": _FINISH[reply.finish]}}
    more: dict[str, Any] = {"finishReason": _FINISH[reply.finish]}
    if reply.finish == "refusal":
        rating = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
        more["safetyRatings"] = [rating]
    return {"candidates": [_candidate(parts, **more)]}


def _chunk(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\r\n\r\n"
