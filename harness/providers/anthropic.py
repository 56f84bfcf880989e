"""Anthropic's Messages API through the official asynchronous SDK, streamed."""

from typing import Any

import anthropic

from harness.providers.capabilities import Structured
from harness.providers.clients import ClientPool
from harness.providers.concessions import Feature
from harness.providers.reading import MessagesReading
from harness.providers.sdk import SdkAdapter, SdkErrors, make_client
from harness.providers.structured import claude_schema, instructed, within_claude
from harness.records import Prompt, dump_json

DEFAULT_BASE_URL = "https://api.anthropic.com"
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
    rules = "anthropic"
    ladder = (Structured.JSON_SCHEMA, Structured.TOOL, Structured.FENCED)
    dispensable = (_CACHE, _SAMPLING)
    holding = _STRUCTURED
    path = "/v1/messages"

    def _reading(self) -> MessagesReading:
        return MessagesReading()

    def _mode(self, prompt: Prompt) -> Structured | None:
        return within_claude(super()._mode(prompt), prompt)

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
            accepted = claude_schema(dump_json(schema))
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
