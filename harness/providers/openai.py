"""OpenAI's chat completions, and everything that speaks them, through the official asynchronous SDK."""

import hashlib
from typing import Any

import openai

from harness.providers.capabilities import Structured
from harness.providers.clients import ClientPool
from harness.providers.concessions import Feature
from harness.providers.reading import ChatReading, Reading
from harness.providers.sdk import SdkAdapter, SdkErrors, make_client
from harness.providers.structured import is_strict, system_text
from harness.records import Prompt

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_UNSUPPORTED = ("support", "unrecognized", "unknown", "unexpected", "extra", "not allowed", "not permitted")
_STREAM_OPTIONS = Feature(name="stream_options", named=("stream_options", "include_usage"))
CACHE_KEY = Feature(name="prompt_cache_key", named=("prompt_cache_key",))
_LIMIT_FIELD = Feature(
    name="limit_field",
    named=("max_tokens", "max_completion_tokens"),
    # A limit that is too large is our mistake; under the other name it might go unnoticed, and unbounded.
    unless=("too large", "at most", "maximum", "exceed"),
    only_with=_UNSUPPORTED,
)
EFFORT = Feature(name="effort", named=("reasoning_effort", "reasoning.effort"))
SAMPLING = Feature(name="temperature", named=("temperature",), only_with=_UNSUPPORTED)
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
    rules = "openai"
    ladder = (Structured.JSON_SCHEMA, Structured.JSON_OBJECT, Structured.FENCED)
    dispensable: tuple[Feature, ...] = (_STREAM_OPTIONS, CACHE_KEY, EFFORT, _LIMIT_FIELD, SAMPLING)
    holding = _STRUCTURED
    path = "/chat/completions"

    def _reading(self) -> Reading:
        return ChatReading()

    def request_body(self, prompt: Prompt) -> dict[str, Any]:
        """See `SdkAdapter.request_body`."""
        mode = self._mode(prompt)
        keeps = self._concessions.keeps
        system = system_text(prompt, mode)
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
            body["prompt_cache_key"] = cache_key_of(system)
        if prompt.temperature is not None and self._accepts.sampling and keeps("temperature"):
            body["temperature"] = prompt.temperature
        if self._accepts.effort is not None and keeps("effort"):
            # Reasoning counts against the output limit; at more effort it can leave no room for the answer.
            body["reasoning_effort"] = self._accepts.effort
        if mode is Structured.JSON_SCHEMA:
            body["response_format"] = {"type": "json_schema", "json_schema": json_schema_of(prompt)}
        elif mode is Structured.JSON_OBJECT:
            body["response_format"] = {"type": "json_object"}
        return body


def cache_key_of(system: str) -> str:
    """What keeps requests of one system text on the machine that has it cached."""
    return hashlib.sha256(system.encode()).hexdigest()[:32]


def json_schema_of(prompt: Prompt) -> dict[str, Any]:
    """The prompt's schema under its name, strict where it meets the rules."""
    schema = dict(prompt.output_schema or {})
    return {"name": prompt.schema_name, "schema": schema, "strict": is_strict(schema)}
