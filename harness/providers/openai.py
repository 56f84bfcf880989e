"""OpenAI's chat completions, and everything that speaks them, through the official asynchronous SDK."""

import hashlib
from typing import Any

import openai

from harness.clock import SYSTEM_CLOCK, Clock
from harness.providers.base import ProviderSettings
from harness.providers.capabilities import Structured, capabilities_of
from harness.providers.clients import ClientPool
from harness.providers.concessions import Feature
from harness.providers.reading import ChatReading
from harness.providers.sdk import SdkAdapter, SdkErrors, make_client
from harness.providers.structured import instructed, is_strict
from harness.records import Prompt

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_LADDER = (Structured.JSON_SCHEMA, Structured.JSON_OBJECT, Structured.FENCED)
_UNSUPPORTED = ("support", "unrecognized", "unknown", "unexpected", "extra", "not allowed", "not permitted")
_STREAM_OPTIONS = Feature(name="stream_options", named=("stream_options", "include_usage"))
_CACHE_KEY = Feature(name="prompt_cache_key", named=("prompt_cache_key",))
_LIMIT_FIELD = Feature(
    name="limit_field",
    named=("max_tokens", "max_completion_tokens"),
    # A limit that is too large is our mistake; under the other name it might go unnoticed, and unbounded.
    unless=("too large", "at most", "maximum", "exceed"),
    only_with=_UNSUPPORTED,
)
_EFFORT = Feature(name="effort", named=("reasoning_effort", "reasoning.effort"))
_SAMPLING = Feature(name="temperature", named=("temperature",), only_with=_UNSUPPORTED)
_STRUCTURED = {
    Structured.JSON_SCHEMA: Feature(
        name=Structured.JSON_SCHEMA,
        named=("response_format", "json_schema", "response format", "structured output"),
        unless=("invalid schema",),
    ),
    Structured.JSON_OBJECT: Feature(
        name=Structured.JSON_OBJECT, named=("response_format", "json_object", "response format")
    ),
}
_OTHER_LIMIT = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}


class OpenAIAdapter(SdkAdapter):
    """One model behind a chat-completions endpoint; see `LLMAdapter`.

    What an endpoint refuses (a JSON schema, stream options, a cache key) is left out from then on.
    """

    errors = SdkErrors(
        api=openai.APIError,
        status=openai.APIStatusError,
        timeout=openai.APITimeoutError,
        connection=openai.APIConnectionError,
    )
    clients = ClientPool(
        lambda settings: make_client(
            openai.AsyncOpenAI, openai.DefaultAsyncHttpxClient, settings, DEFAULT_BASE_URL
        )
    )
    path = "/chat/completions"

    def __init__(self, settings: ProviderSettings, model: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(settings, model, clock=clock)
        self._accepts = capabilities_of("openai", model)

    def _reading(self) -> ChatReading:
        return ChatReading()

    def _mode(self, prompt: Prompt) -> Structured | None:
        """How this prompt is held to its schema; None when it has none."""
        if prompt.output_schema is None:
            return None
        return self._concessions.strongest(self._accepts.structured, _LADDER)

    def _sent(self, prompt: Prompt) -> list[Feature]:
        mode = self._mode(prompt)
        optional = [_STREAM_OPTIONS, _CACHE_KEY, _EFFORT, _LIMIT_FIELD, _SAMPLING]
        kept = [feature for feature in optional if self._concessions.keeps(feature.name)]
        return [*kept, _STRUCTURED[mode]] if mode in _STRUCTURED else kept

    def request_body(self, prompt: Prompt) -> dict[str, Any]:
        """See `SdkAdapter.request_body`."""
        mode = self._mode(prompt)
        keeps = self._concessions.keeps
        system = prompt.system
        if mode in (Structured.JSON_OBJECT, Structured.FENCED):  # neither tells the API of the schema
            system = instructed(prompt, fence=mode is Structured.FENCED)
        messages = [{"role": "system", "content": system}] if system else []
        limit_field = self._accepts.limit_field
        if not keeps("limit_field"):
            limit_field = _OTHER_LIMIT[limit_field]
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [*messages, *prompt.messages],
            limit_field: prompt.max_tokens,
        }
        if self._settings.stream and keeps("stream_options"):
            body["stream_options"] = {"include_usage": True}
        if system and keeps("prompt_cache_key"):
            body["prompt_cache_key"] = hashlib.sha256(system.encode()).hexdigest()[:32]
        if prompt.temperature is not None and self._accepts.sampling and keeps("temperature"):
            body["temperature"] = prompt.temperature
        if self._accepts.effort is not None and keeps("effort"):
            # Reasoning counts against the output limit; at more effort it can leave no room for the answer.
            body["reasoning_effort"] = self._accepts.effort
        if mode is Structured.JSON_SCHEMA:
            body["response_format"] = {"type": "json_schema", "json_schema": _json_schema(prompt)}
        elif mode is Structured.JSON_OBJECT:
            body["response_format"] = {"type": "json_object"}
        return body


def _json_schema(prompt: Prompt) -> dict[str, Any]:
    schema = dict(prompt.output_schema or {})
    return {"name": prompt.schema_name, "schema": schema, "strict": is_strict(schema)}
