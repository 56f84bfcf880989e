"""Gemini's own API through the official SDK, streamed."""

import re
from functools import cache
from typing import Any

import httpx2
from google import genai
from google.genai import types

from harness.clock import SYSTEM_CLOCK, Clock
from harness.providers.base import ProviderSettings
from harness.providers.capabilities import Structured
from harness.providers.clients import ClientPool
from harness.providers.concessions import Feature
from harness.providers.plain_http import PLAIN_ERRORS, accepted
from harness.providers.reading import GeminiReading
from harness.providers.sdk import OWN_HEADERS, PLACEHOLDER_KEY, SdkAdapter, http_options
from harness.providers.sockets import watch_cheaply
from harness.providers.structured import system_text
from harness.providers.warmup import tls_context
from harness.records import Prompt

DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com"
_THINKING = Feature(name="effort", named=("thinking", "thinking_config", "thinkingconfig"))
_SAMPLING = Feature(name="temperature", named=("temperature",), unless=("range",))
_SYSTEM = Feature(
    name="system",
    named=("system instruction", "developer instruction", "system_instruction", "systeminstruction"),
)
_STRUCTURED = {
    Structured.JSON_SCHEMA: Feature(
        name=Structured.JSON_SCHEMA,
        named=(
            "response_json_schema",
            "responsejsonschema",
            "response schema",
            "response_schema",
            "json mode",
        ),
        unless=("too many states", "invalid schema"),
    ),
    Structured.JSON_OBJECT: Feature(
        name=Structured.JSON_OBJECT,
        named=("response_mime_type", "responsemimetype", "mime type", "json mode"),
    ),
}


class _HandedOverError(Exception):
    """Carries a response past the SDK."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response = response


class _HandingOver(httpx2.AsyncClient):
    """Sends what the SDK built and hands the response over unread.

    The SDK has no raw responses; what it reads itself loses fields that its types do not know, fails on a
    count that is none, and continues an answer by further paid requests of its own.
    """

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        raise _HandedOverError(await super().send(request, stream=True))


def _own_authorities() -> dict[str, Any]:
    """For what the SDK opens besides: it would load the authorities anew for each, a tenth of a second."""
    return {"client_args": {"verify": tls_context()}, "async_client_args": {"ssl": tls_context()}}


def _versioned(base_url: str) -> tuple[str, str | None]:
    """A base URL without the API version at its end, and that version; None leaves it to the SDK."""
    before, _, last = base_url.rstrip("/").rpartition("/")
    return (before, last) if re.fullmatch(r"v\d\w*", last) else (base_url, None)


class _Client:
    """The SDK's client and the connections beneath it."""

    def __init__(self, settings: ProviderSettings) -> None:
        base_url, api_version = _versioned(settings.base_url or DEFAULT_BASE_URL)
        self._http = watch_cheaply(_HandingOver(**http_options(base_url)))
        client = genai.Client(
            vertexai=False,
            api_key=settings.api_key or PLACEHOLDER_KEY,
            http_options=types.HttpOptions(
                base_url=base_url,
                api_version=api_version,
                httpx_async_client=self._http,
                **_own_authorities(),
            ),
        )
        self.models = client.aio.models
        self._client = client

    async def close(self) -> None:
        """Release connections."""
        self._client.close()
        await self._http.aclose()


@cache
def _warm_up() -> None:
    """Let the SDK build its types now, over a connection that is none."""
    nowhere = httpx2.MockTransport(lambda _: httpx2.Response(200, json={}))
    with httpx2.Client(transport=nowhere) as http:
        options = types.HttpOptions(base_url=DEFAULT_BASE_URL, httpx_client=http, **_own_authorities())
        client = genai.Client(vertexai=False, api_key=PLACEHOLDER_KEY, http_options=options)
        client.models.generate_content(model="m", contents="a", config={"system_instruction": "a"})


class GeminiAdapter(SdkAdapter):
    """One Gemini model; see `LLMAdapter`. Prefixes are cached by Gemini itself, the system text first."""

    errors = PLAIN_ERRORS
    clients = ClientPool(_Client)
    rules = "gemini"
    ladder = (Structured.JSON_SCHEMA, Structured.JSON_OBJECT, Structured.FENCED)
    dispensable = (_THINKING, _SAMPLING, _SYSTEM)
    holding = _STRUCTURED

    def __init__(self, settings: ProviderSettings, model: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(settings, model, clock=clock)
        _warm_up()

    def _reading(self) -> GeminiReading:
        return GeminiReading()

    def request_body(self, prompt: Prompt) -> dict[str, Any]:
        """The SDK's arguments of one request; Gemini's batches are not spoken here."""
        mode, keeps = self._mode(prompt), self._concessions.keeps
        system = system_text(prompt, mode)
        apart = bool(system) and keeps("system")
        config: dict[str, Any] = {
            "max_output_tokens": prompt.max_tokens,
            "automatic_function_calling": {"disable": True},
            "automatic_continuation": False,
        }
        if apart:
            config["system_instruction"] = system
        if prompt.temperature is not None and self._accepts.sampling and keeps("temperature"):
            config["temperature"] = prompt.temperature
        effort = self._accepts.effort
        if effort is not None and keeps("effort"):
            # Thinking counts against the output limit. Gemini 2.5 takes tokens, later ones a word.
            told = {"thinking_budget": int(effort)} if effort.isdigit() else {"thinking_level": effort}
            config["thinking_config"] = told
        if mode in (Structured.JSON_SCHEMA, Structured.JSON_OBJECT):
            config["response_mime_type"] = "application/json"
        if mode is Structured.JSON_SCHEMA:
            config["response_json_schema"] = dict(prompt.output_schema or {})
        user = prompt.user if apart or not system else f"{system}\n\n{prompt.user}"
        return {"model": self.model, "contents": user, "config": config}

    async def _send(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> httpx2.Response:
        asked = self.request_body(prompt)
        headers = {**OWN_HEADERS, **dict(self._settings.extra_headers), "X-Client-Request-Id": call_id}
        asked["config"]["http_options"] = {"headers": headers, "timeout": round(timeout_s * 1000)}
        models = self.client.models
        try:
            if self._settings.stream:
                async for _ in await models.generate_content_stream(**asked):
                    break
            else:
                await models.generate_content(**asked)
        except _HandedOverError as handed:
            return await accepted(handed.response)
        raise AssertionError("the SDK answered without its HTTP client")
