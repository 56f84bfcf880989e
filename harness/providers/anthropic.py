"""Anthropic's Messages API through the official asynchronous SDK, streamed."""

import json
from functools import lru_cache
from typing import Any

import anthropic

from harness.clock import SYSTEM_CLOCK, Clock
from harness.providers.base import ProviderSettings
from harness.providers.capabilities import Structured, capabilities_of
from harness.providers.clients import ClientPool
from harness.providers.concessions import Feature
from harness.providers.reading import MessagesReading
from harness.providers.sdk import SdkAdapter, SdkErrors, make_client
from harness.providers.structured import instructed
from harness.records import Prompt, dump_json

DEFAULT_BASE_URL = "https://api.anthropic.com"
_LADDER = (Structured.JSON_SCHEMA, Structured.TOOL, Structured.FENCED)
_CACHE = Feature(name="cache_control", named=("cache_control",))
_SAMPLING = Feature(name="temperature", named=("temperature",), unless=("range", "less than", "greater than"))
_STRUCTURED = {
    Structured.JSON_SCHEMA: Feature(
        name=Structured.JSON_SCHEMA,
        named=("output_config", "output_format", "output format", "structured output"),
        unless=("format.schema", "invalid schema"),
    ),
    Structured.TOOL: Feature(
        name=Structured.TOOL,
        named=("tool",),
        unless=("input_schema",),
        only_with=("support", "permitted", "unknown", "unexpected"),
    ),
}


class AnthropicAdapter(SdkAdapter):
    """One Anthropic model; see `LLMAdapter`.

    The system block is marked for the prompt cache; Anthropic ignores the mark below its minimum length.
    """

    errors = SdkErrors(
        api=anthropic.APIError,
        status=anthropic.APIStatusError,
        timeout=anthropic.APITimeoutError,
        connection=anthropic.APIConnectionError,
    )
    clients = ClientPool(
        lambda settings: make_client(
            anthropic.AsyncAnthropic, anthropic.DefaultAsyncHttpxClient, settings, DEFAULT_BASE_URL
        )
    )
    path = "/v1/messages"

    def __init__(self, settings: ProviderSettings, model: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(settings, model, clock=clock)
        self._accepts = capabilities_of("anthropic", model)

    def _reading(self) -> MessagesReading:
        return MessagesReading()

    def _mode(self, prompt: Prompt) -> Structured | None:
        """How this prompt is held to its schema; None when it has none."""
        if prompt.output_schema is None:
            return None
        mode = self._concessions.strongest(self._accepts.structured, _LADDER)
        if mode is Structured.JSON_SCHEMA and _api_schema(dump_json(dict(prompt.output_schema))) is None:
            return Structured.TOOL
        return mode

    def _sent(self, prompt: Prompt) -> list[Feature]:
        mode = self._mode(prompt)
        optional = [_STRUCTURED[mode]] if mode in _STRUCTURED else []
        return [f for f in (*optional, _CACHE, _SAMPLING) if self._concessions.keeps(f.name)]

    def request_body(self, prompt: Prompt) -> dict[str, Any]:
        """See `SdkAdapter.request_body`."""
        mode = self._mode(prompt)
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": prompt.max_tokens,
            "messages": prompt.messages,
        }
        system = instructed(prompt, fence=True) if mode is Structured.FENCED else prompt.system
        if system:
            body["system"] = [self._system_block(system)]
        if (
            prompt.temperature is not None
            and self._accepts.sampling
            and self._concessions.keeps("temperature")
        ):
            body["temperature"] = prompt.temperature
        schema = dict(prompt.output_schema or {})
        if mode is Structured.JSON_SCHEMA:
            accepted = _api_schema(dump_json(schema))
            body["output_config"] = {"format": {"type": "json_schema", "schema": accepted}}
        elif mode is Structured.TOOL:
            tool = {"name": prompt.schema_name, "description": "Give the answer.", "input_schema": schema}
            body["tools"] = [tool]
            body["tool_choice"] = {"type": "tool", "name": prompt.schema_name}
        return body

    def _system_block(self, text: str) -> dict[str, Any]:
        block: dict[str, Any] = {"type": "text", "text": text}
        if self._concessions.keeps("cache_control"):
            block["cache_control"] = {"type": "ephemeral"}
        return block


@lru_cache(maxsize=64)
def _api_schema(schema_json: bytes) -> dict[str, Any] | None:
    """The schema as structured outputs accept it, other limits moved into descriptions; None if not."""
    try:
        return anthropic.transform_schema(json.loads(schema_json))
    except (ValueError, TypeError, AttributeError, AssertionError):
        return None
