"""OpenAI's responses API through the official asynchronous SDK: the only route of some models."""

from typing import Any

from harness.providers.capabilities import Structured
from harness.providers.concessions import Feature
from harness.providers.openai import CACHE_KEY, EFFORT, SAMPLING, OpenAIAdapter, cache_key_of, json_schema_of
from harness.providers.reading import ResponsesReading
from harness.providers.structured import system_text
from harness.records import Prompt

LEAST_OUTPUT_TOKENS = 16
"""The API refuses a lower limit; what that adds is far less than the guard allows for framing."""

_STRUCTURED = {
    Structured.JSON_SCHEMA: Feature(
        name=Structured.JSON_SCHEMA,
        named=("text.format", "json_schema", "structured output"),
        unless=("invalid schema",),
    ),
    Structured.JSON_OBJECT: Feature(name=Structured.JSON_OBJECT, named=("text.format", "json_object")),
}


class ResponsesAdapter(OpenAIAdapter):
    """One model behind `/responses`; see `LLMAdapter`. Nothing is stored there or runs on its own."""

    dispensable = (CACHE_KEY, EFFORT, SAMPLING)
    holding = _STRUCTURED
    path = "/responses"

    def _reading(self) -> ResponsesReading:
        return ResponsesReading()

    def request_body(self, prompt: Prompt) -> dict[str, Any]:
        """See `SdkAdapter.request_body`."""
        mode = self._mode(prompt)
        keeps = self._concessions.keeps
        system = system_text(prompt, mode)
        messages = [{"role": "system", "content": system}] if system else []
        body: dict[str, Any] = {
            "model": self.model,
            "input": [*messages, {"role": "user", "content": prompt.user}],
            "max_output_tokens": max(prompt.max_tokens, LEAST_OUTPUT_TOKENS),
            "store": False,
        }
        if system and keeps("prompt_cache_key"):
            body["prompt_cache_key"] = cache_key_of(system)
        if prompt.temperature is not None and self._accepts.sampling and keeps("temperature"):
            body["temperature"] = prompt.temperature
        if self._accepts.effort is not None and keeps("effort"):
            body["reasoning"] = {"effort": self._accepts.effort}
        if mode is Structured.JSON_SCHEMA:
            body["text"] = {"format": {"type": "json_schema", **json_schema_of(prompt)}}
        elif mode is Structured.JSON_OBJECT:
            body["text"] = {"format": {"type": "json_object"}}
        return body
