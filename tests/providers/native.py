"""Scripted answers of the responses route, Gemini and Bedrock, as their real APIs send them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.emulator.wire import eventstream
from harness.providers import LLMAdapter, ProviderSettings, build_adapter
from tests.providers.conftest import CANARY
from tests.providers.wire import Reply, sse

JSON = "application/json"
Pieces = list[Any]


def response_object(text: str, **more: Any) -> dict[str, Any]:
    """A `response` object that has ended well, or as `more` says."""
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    usage = {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 18,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-answered-2026",
        "output": [{"id": "rs_1", "type": "reasoning", "summary": []}, message],
        "service_tier": "default",
        "usage": usage,
        **more,
    }


def responses_stream(text: str = '{"ok": true}', **more: Any) -> Pieces:
    """The typed events of a response that reasoned."""
    begun = response_object("", status="in_progress", output=[], usage=None)
    ended = response_object(text, **more)
    where = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    return sse(
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning"}},
        {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "delta": "Let me see."},
        {"type": "response.output_text.delta", **where, "delta": text},
        {"type": "response.output_text.done", **where, "text": text},
        {"type": f"response.{ended['status']}", "response": ended},
    )


def gemini_chunk(text: str | None, **more: Any) -> dict[str, Any]:
    """One chunk; its counts run."""
    parts = [{"text": "I think.", "thought": True}, *([{"text": text}] if text else [])]
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
        "usageMetadata": {"promptTokenCount": 11, "totalTokenCount": 12},
        "modelVersion": "gemini-answered-001",
        "responseId": "gemini-1",
        **more,
    }


def gemini_end(text: str | None = None, *, reason: str = "STOP", **more: Any) -> dict[str, Any]:
    """The last chunk, or a whole answer."""
    usage = {
        "promptTokenCount": 11,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 18,
    }
    chunk = gemini_chunk(text, usageMetadata=usage)
    chunk["candidates"][0]["finishReason"] = reason
    return chunk | more


def gemini_stream(text: str = '{"ok": true}', **more: Any) -> Pieces:
    return [f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in (gemini_chunk(text), gemini_end(**more))]


CONVERSE_USAGE = {
    "inputTokens": 7,
    "outputTokens": 7,
    "totalTokens": 18,
    "cacheReadInputTokens": 4,
    "cacheWriteInputTokens": 0,
}


def converse_stream(text: str = '{"ok": true}', *, reason: str = "end_turn", tool: bool = False) -> Pieces:
    said = {"toolUse": {"input": text}} if tool else {"text": text}
    events: list[tuple[str, dict[str, Any]]] = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"delta": {"reasoningContent": {"text": "Hm."}}, "contentBlockIndex": 0}),
        ("contentBlockDelta", {"delta": said, "contentBlockIndex": 1}),
        ("contentBlockStop", {"contentBlockIndex": 1}),
        ("messageStop", {"stopReason": reason}),
        ("metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 1}}),
    ]
    return [eventstream.event(name, data) for name, data in events]


def converse_whole(text: str, *, reason: str = "end_turn") -> dict[str, Any]:
    content = [{"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": text}]
    message = {"role": "assistant", "content": content}
    return {"output": {"message": message}, "stopReason": reason, "usage": CONVERSE_USAGE, "metrics": {}}


@dataclass(frozen=True)
class Native:
    """One wire: how it is configured, and how it says a text.

    `answered` is the model that its answers name.
    """

    name: str
    kind: str
    model: str
    stream: Callable[..., Pieces]
    whole: Callable[[str], dict[str, Any]]
    content_type: str
    path: str
    whole_path: str
    key_header: str
    answered: str
    api: str | None = None

    def streamed(self, text: str = '{"ok": true}', **more: Any) -> Reply:
        return Reply(self.stream(text, **more), content_type=self.content_type)

    def adapter(self, url: str, *, key: str | None = CANARY, **more: Any) -> LLMAdapter:
        settings = ProviderSettings(
            name=self.name, kind=self.kind, base_url=url, api_key=key, api=self.api, **more
        )
        return build_adapter(settings, self.model)


CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NATIVES = {
    native.name: native
    for native in (
        Native(
            name="responses",
            kind="openai",
            api="responses",
            model="gpt-5-mini",
            stream=responses_stream,
            whole=response_object,
            content_type="text/event-stream",
            path="/responses",
            whole_path="/responses",
            key_header="authorization",
            answered="gpt-answered-2026",
        ),
        Native(
            name="gemini",
            kind="gemini",
            model="gemini-2.5-flash",
            stream=gemini_stream,
            whole=gemini_end,
            content_type="text/event-stream",
            path="/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            whole_path="/v1/models/gemini-2.5-flash:generateContent",
            key_header="x-goog-api-key",
            answered="gemini-answered-001",
        ),
        Native(
            name="bedrock",
            kind="bedrock",
            model=CLAUDE,
            stream=converse_stream,
            whole=converse_whole,
            content_type="application/vnd.amazon.eventstream",
            path="/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream",
            whole_path="/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse",
            key_header="authorization",
            answered=CLAUDE,
        ),
    )
}
