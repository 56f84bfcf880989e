"""Bedrock's Converse API, streamed: signed and decoded by the AWS SDK, sent by our own client.

boto3 is synchronous, takes a broken answer for an empty success and drops events that it cannot read; its
credentials, endpoints, signatures and event-stream checksums are what is used of it.
"""

from typing import Any
from urllib.parse import quote

import httpx2

from harness.addresses import joined
from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import ProviderError
from harness.providers.attempt import Attempt
from harness.providers.aws import AwsAccess, SigningError, aws_endpoint
from harness.providers.base import ProviderSettings
from harness.providers.capabilities import Structured
from harness.providers.clients import ClientPool
from harness.providers.concessions import Feature
from harness.providers.event_stream import STREAM_TYPE, EventStreamReader
from harness.providers.plain_http import PLAIN_ERRORS, accepted
from harness.providers.reading import ConverseReading
from harness.providers.reading.values import as_object, as_word
from harness.providers.sdk import OWN_HEADERS, Feed, SdkAdapter, http_options
from harness.providers.sockets import watch_cheaply
from harness.providers.structured import claude_schema, instructed, within_claude
from harness.records import NO_USAGE, ErrorKind, Prompt, dump_json

_CACHE = Feature(name="cache_point", named=("cachepoint", "cache point", "prompt caching"))
_SAMPLING = Feature(name="temperature", named=("temperature",), unless=("range", "less than", "greater than"))
_STRUCTURED = {
    Structured.JSON_SCHEMA: Feature(
        name=Structured.JSON_SCHEMA,
        named=("textformat", "outputconfig", "output_config", "structured output"),
        unless=("invalid schema", "format.schema"),
    ),
    Structured.TOOL: Feature(name=Structured.TOOL, named=("tool",), unless=("input_schema", "inputschema")),
}


class _Client:
    """Connections, and who signs what goes over them."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.access = AwsAccess(settings)
        self.http = watch_cheaply(httpx2.AsyncClient(**http_options(self.access.endpoint)))

    async def close(self) -> None:
        """Release connections."""
        await self.http.aclose()


class BedrockAdapter(SdkAdapter):
    """One model behind Bedrock; see `LLMAdapter`. The system text ends in a cache point where it has any."""

    errors = PLAIN_ERRORS
    clients = ClientPool(_Client)
    rules = "bedrock"
    ladder = (Structured.JSON_SCHEMA, Structured.TOOL, Structured.FENCED)
    dispensable = (_CACHE, _SAMPLING)
    holding = _STRUCTURED

    def __init__(self, settings: ProviderSettings, model: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(settings, model, clock=clock)
        aws_endpoint(settings)
        if self._accepts.structured is Structured.JSON_SCHEMA:
            claude_schema(b"{}")  # imports an SDK, which no request shall wait for

    def _reading(self) -> ConverseReading:
        return ConverseReading()

    def _body_reader(self, response: httpx2.Response, attempt: Attempt) -> Feed:
        if response.headers.get("content-type", "").startswith(STREAM_TYPE):
            return EventStreamReader(attempt)
        return super()._body_reader(response, attempt)

    def _refused_body(self, response: httpx2.Response) -> object:
        """The type of an exception is in a header, its sentence in the body."""
        told = as_object(super()._refused_body(response))
        kind = as_word(response.headers.get("x-amzn-errortype")) or as_word(told.get("__type")) or ""
        return {
            "code": kind.partition(":")[0].rpartition("#")[2],
            "message": told.get("message") or told.get("Message"),
        }

    def _mode(self, prompt: Prompt) -> Structured | None:
        return within_claude(super()._mode(prompt), prompt)

    def request_body(self, prompt: Prompt) -> dict[str, Any]:
        """See `SdkAdapter.request_body`; Bedrock's batches are not spoken here."""
        mode, keeps = self._mode(prompt), self._concessions.keeps
        inference: dict[str, Any] = {"maxTokens": prompt.max_tokens}
        if prompt.temperature is not None and self._accepts.sampling and keeps("temperature"):
            inference["temperature"] = prompt.temperature
        body: dict[str, Any] = {
            "messages": [{"role": "user", "content": [{"text": prompt.user}]}],
            "inferenceConfig": inference,
        }
        system = instructed(prompt, fence=True) if mode is Structured.FENCED else prompt.system
        if system:
            marks = self._accepts.cache_points and keeps("cache_point")
            body["system"] = [{"text": system}, *([{"cachePoint": {"type": "default"}}] if marks else [])]
        schema = dict(prompt.output_schema or {})
        if mode is Structured.JSON_SCHEMA:
            text = dump_json(claude_schema(dump_json(schema))).decode()
            structure = {"jsonSchema": {"name": prompt.schema_name, "schema": text}}
            body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": structure}}
        elif mode is Structured.TOOL:
            tool = {
                "name": prompt.schema_name,
                "description": "Give the answer.",
                "inputSchema": {"json": schema},
            }
            body["toolConfig"] = {
                "tools": [{"toolSpec": tool}],
                "toolChoice": {"tool": {"name": prompt.schema_name}},
            }
        return body

    async def _send(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> httpx2.Response:
        client: _Client = self.client
        action = "converse-stream" if self._settings.stream else "converse"
        url = joined(client.access.endpoint, f"/model/{quote(self.model, safe='')}/{action}")
        content = dump_json(self.request_body(prompt))
        signed = await client.access.signed_headers(url, content)
        own = {**OWN_HEADERS, **dict(self._settings.extra_headers), "X-Client-Request-Id": call_id}
        request = client.http.build_request(
            "POST", url, content=content, headers={**own, **signed}, timeout=timeout_s
        )
        return await accepted(await client.http.send(request, stream=True))

    def classified(self, error: Exception, attempt: Attempt, timeout_s: float) -> ProviderError:
        """See `SdkAdapter.classified`; without credentials nothing was sent."""
        if isinstance(error, SigningError):
            return attempt.failure(ErrorKind.AUTH, str(error), usage=NO_USAGE)
        return super().classified(error, attempt, timeout_s)
