"""What the adapter tests share: questions, answers in one piece, and asking that closes what it opened."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import ProviderError
from harness.providers import LLMAdapter
from harness.records import Prompt, Role
from tests.providers.wire import anthropic_stream, openai_stream

Build = Callable[..., LLMAdapter]
STREAMS = {"anthropic": anthropic_stream, "openai": openai_stream}
SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
PLAIN = Prompt(role=Role.DRAFT, system="Be brief.", user="Hello")
HELD = Prompt(role=Role.DRAFT, system="Be brief.", user="Hello", output_schema=SCHEMA)
WHOLE = {
    "anthropic": {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "a",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
    "openai": {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "a",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    },
}


async def ask(adapter: LLMAdapter, prompt: Prompt = PLAIN, *, timeout_s: float = 20.0) -> Any:
    try:
        return await adapter.generate(prompt, call_id="call-1", timeout_s=timeout_s)
    finally:
        await adapter.aclose()


async def failure(adapter: LLMAdapter, prompt: Prompt = PLAIN, *, timeout_s: float = 20.0) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await ask(adapter, prompt, timeout_s=timeout_s)
    return caught.value
