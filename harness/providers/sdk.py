"""What the two official SDKs have in common: one timed attempt, and their errors classified.

Both raise classes of the same names and shapes, and both let `httpx2` errors through while a stream is read.
"""

import asyncio
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2

from harness.addresses import secrets_in, under_version, without_query
from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import ProviderError
from harness.providers.attempt import Attempt
from harness.providers.base import ProviderSettings
from harness.providers.bounded import bound_body
from harness.providers.capabilities import Structured, capabilities_of
from harness.providers.clients import ClientPool, ClientT
from harness.providers.concessions import MAX_RESENDS, REFUSING_STATUS, Concessions, Feature
from harness.providers.reading import Reading
from harness.providers.reading.body import BodyReader, UnreadableError
from harness.providers.reading.events import TooLargeError
from harness.providers.reading.values import parse
from harness.providers.sockets import watch_cheaply
from harness.providers.structured import plain_answer
from harness.providers.warmup import tls_context
from harness.proxies import proxy_for
from harness.records import NO_USAGE, Completion, ErrorKind, Prompt, dump_json

PLACEHOLDER_KEY = "none"
"""For endpoints without a key: the SDKs want one, and must not go looking in the environment."""

MIN_SECRET_CHARS = 6
"""Shorter header values (`1`, `true`) are no secrets, and masking them would garble every message."""

OWN_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_LIMITS = httpx2.Limits(max_connections=1_000, max_keepalive_connections=100)
_REUSE_WITHIN_S = 0.1
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkErrors:
    """One SDK's exception classes."""

    api: type[Exception]
    status: type[Exception]
    timeout: type[Exception]
    connection: type[Exception]


def make_client(
    client_type: Callable[..., ClientT],
    http_type: Callable[..., httpx2.AsyncClient],
    settings: ProviderSettings,
    default_url: str,
) -> ClientT:
    """An SDK's client with its retries off, and no key taken from the environment.

    Raises:
        ConfigError: the environment names a proxy that cannot be used.
    """
    base_url, query = without_query(settings.base_url or default_url)
    return client_type(
        api_key=settings.api_key or PLACEHOLDER_KEY,
        base_url=base_url,
        default_query=query,
        max_retries=0,
        http_client=watch_cheaply(http_type(**http_options(base_url))),
    )


def http_options(base_url: str) -> dict[str, Any]:
    """What every HTTP client to a provider is opened with."""
    return {
        # Redirects off: the prompt and our own headers would follow them to a host that nobody named.
        "follow_redirects": False,
        # Our own: the SDKs' reading of NO_PROXY and ALL_PROXY raises on values that others take.
        "transport": _transport(base_url),
        "trust_env": False,
        "event_hooks": {"response": [bound_body]},
    }


def _transport(base_url: str) -> httpx2.AsyncHTTPTransport:
    """Connections as the SDKs keep them, through the proxy that the environment names for the host."""
    return httpx2.AsyncHTTPTransport(
        verify=tls_context(),
        proxy=proxy_for(base_url, os.environ),
        trust_env=False,
        limits=_LIMITS,
        socket_options=[(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)],
    )


class Feed(Protocol):
    """Takes a body's bytes in as they arrive; see `BodyReader`."""

    def feed(self, chunk: bytes) -> bool:
        """The next bytes; False when no more are wanted."""
        ...

    def end(self) -> None:
        """The body ended."""
        ...


class SdkAdapter(ABC):
    """An adapter on an official SDK; see `LLMAdapter`. Subclasses say what to ask, and which room reads it.

    The SDK sends (keys, base URL, headers, errors) and hands the response over unread: its own models of
    requests and events are walked and built for every call and chunk, and know only what OpenAI and Anthropic
    themselves answer.
    """

    errors: SdkErrors
    clients: ClientPool[Any]
    rules: str
    """The kind whose rules say what a model accepts."""
    ladder: tuple[Structured, ...]
    """The ways to hold a model to a schema, strongest first."""
    dispensable: tuple[Feature, ...]
    """What a request carries that it could do without, whatever it asks."""
    holding: Mapping[Structured, Feature]
    """The same of the ways to hold a model to a schema."""
    path: str
    """Where answers are created, under the base URL."""
    attempt_type: Callable[..., Attempt] = Attempt
    """What notes an attempt; whoever wants to see more of it (a probe) puts another in an adapter's place."""

    def __init__(self, settings: ProviderSettings, model: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.name = settings.name
        self.model = model
        self.local = settings.local
        self._settings = settings
        self._clock = clock
        self._accepts = capabilities_of(self.rules, model)
        self._concessions = Concessions()
        self._holder = object()
        if settings.base_url is not None:
            proxy_for(settings.base_url, os.environ)  # what cannot work is told at the start
        known = (
            settings.api_key or "",
            *(value for _, value in settings.extra_headers),
            *secrets_in(settings.base_url or ""),
        )
        self._secrets = tuple(value for value in known if len(value) >= MIN_SECRET_CHARS)
        tls_context()

    def __repr__(self) -> str:
        """Without the key."""
        return f"{type(self).__name__}(name={self.name!r}, model={self.model!r})"

    def _mode(self, prompt: Prompt) -> Structured | None:
        """How this prompt is held to its schema; None when it has none."""
        if prompt.output_schema is None:
            return None
        return self._concessions.strongest(self._accepts.structured, self.ladder)

    @abstractmethod
    def request_body(self, prompt: Prompt) -> dict[str, Any]:
        """The JSON body of one request, as a batch carries it too."""

    def _sent(self, prompt: Prompt) -> list[Feature]:
        """What the request carries that it could do without, the likeliest culprit first."""
        mode = self._mode(prompt)
        held = [self.holding[mode]] if mode is not None and mode in self.holding else []
        return [f for f in (*held, *self.dispensable) if self._concessions.keeps(f.name)]

    @abstractmethod
    def _reading(self) -> Reading:
        """The room that reads one answer."""

    @property
    def client(self) -> Any:
        """The SDK's client of these settings on the running loop."""
        return self.clients.lend(self._settings, self._holder)

    def new_attempt(self, prompt: Prompt | None = None) -> Attempt:
        """An attempt that begins now, with nothing learnt yet; nothing of the prompt shows in its errors."""
        return self.attempt_type(
            provider=self.name,
            model=self.model,
            clock=self._clock,
            reading=self._reading(),
            secrets=self._secrets,
            asked=() if prompt is None else prompt.texts,
        )

    def read_whole(self, body: object, attempt: Attempt) -> Completion:
        """The completion of a decoded answer that did not come as one HTTP response.

        Raises:
            ProviderError: it is none: truncated, refused, empty.
        """
        attempt.reading.take_whole(body)
        return attempt.completion()

    async def aclose(self) -> None:
        """Let go of the shared client; the last adapter that does closes it."""
        await self.clients.give_back(self._settings, self._holder)

    async def generate(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> Completion:
        """Make exactly one attempt, streamed; see `LLMAdapter.generate`."""
        attempt = self.new_attempt(prompt)
        try:
            async with asyncio.timeout(timeout_s) as deadline:
                response = await self._conceding(prompt, call_id=call_id, timeout_s=timeout_s)
                attempt.saw_response(response.headers)
                await _take(response, attempt, self._body_reader(response, attempt), deadline)
        except (TimeoutError, httpx2.HTTPError, httpx2.StreamError, ValueError, self.errors.api) as error:
            failure = self.classified(error, attempt, timeout_s)
            # `from None`: the SDK's error carries the provider's body, which must not reach a log by way of a
            # printed chain.
            raise failure from None
        return plain_answer(attempt.completion(), prompt)

    async def _conceding(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> httpx2.Response:
        """Send; where the endpoint refuses something we can do without, learn it and send again.

        A 400 is never billed, so this stays one attempt.
        """
        for _ in range(MAX_RESENDS):
            offered = self._sent(prompt)
            try:
                return await self._send(prompt, call_id=call_id, timeout_s=timeout_s)
            except self.errors.status as error:
                refusal: Any = error
                learnt = refusal.status_code in REFUSING_STATUS and self._concessions.learn(
                    self._refused_body(refusal.response), offered
                )
                if not learnt:
                    raise
        return await self._send(prompt, call_id=call_id, timeout_s=timeout_s)

    async def _send(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> httpx2.Response:
        """The response to the prompt, its body unread."""
        headers = {**OWN_HEADERS, **dict(self._settings.extra_headers), "X-Client-Request-Id": call_id}
        body = {**self.request_body(prompt), "stream": self._settings.stream}
        response: httpx2.Response = await self.client.post(
            under_version(self._settings.base_url or "", self.path),
            cast_to=httpx2.Response,
            content=dump_json(body),
            options={"headers": headers, "timeout": timeout_s},
            stream=True,
        )
        return response

    def _body_reader(self, response: httpx2.Response, attempt: Attempt) -> Feed:  # noqa: ARG002 - for others
        """What takes a body's bytes into the attempt."""
        return BodyReader(attempt)

    def _refused_body(self, response: httpx2.Response) -> object:
        """A refusal's body, decoded where it is JSON."""
        return _body_of(response)

    def classified(self, error: Exception, attempt: Attempt, timeout_s: float) -> ProviderError:
        """The error of the attempt, from whatever the SDK or the transport raised.

        Raises:
            Exception: the error itself, when it is neither (a programmer's error stays one).
        """
        if isinstance(error, TimeoutError | httpx2.TimeoutException | self.errors.timeout):
            if _never_sent(error):
                return attempt.failure(ErrorKind.TIMEOUT, "no connection in time", usage=NO_USAGE)
            return attempt.timed_out(timeout_s)
        if isinstance(error, self.errors.status):
            refusal: Any = error
            attempt.saw_response(refusal.response.headers)
            return attempt.refusal(int(refusal.status_code), self._refused_body(refusal.response))
        for found in (error, error.__cause__):  # an SDK wraps what a response hook raises
            if isinstance(found, TooLargeError | UnreadableError):
                return attempt.failure(ErrorKind.BAD_OUTPUT, str(found))
        if isinstance(error, self.errors.connection | httpx2.HTTPError | httpx2.StreamError):
            return _disconnected(error, attempt)
        if isinstance(error, self.errors.api):
            return attempt.failure(ErrorKind.UPSTREAM_5XX, f"the SDK gave up ({type(error).__name__})")
        raise error


async def _take(response: httpx2.Response, attempt: Attempt, body: Feed, deadline: asyncio.Timeout) -> None:
    """Read the answer into the attempt as it arrives; what is left after its own end is let run out."""
    async with aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            if not body.feed(chunk):
                break
        else:
            body.end()
            return
        if attempt.reading.has_failed or deadline.expired():
            return
        deadline.reschedule(None)  # the answer is complete: nothing that follows may fail it
        with suppress(TimeoutError, httpx2.HTTPError, httpx2.StreamError):
            async with asyncio.timeout(_REUSE_WITHIN_S):  # a connection read to its end is used again
                async for _ in chunks:
                    pass


def _body_of(response: httpx2.Response) -> object:
    """A refusal's body, decoded where it is JSON."""
    try:
        return parse(response.content)
    except (ValueError, httpx2.StreamError):
        return response.text if response.is_closed else ""


def _disconnected(error: Exception, attempt: Attempt) -> ProviderError:
    if _never_sent(error):
        return attempt.failure(ErrorKind.CONNECTION, "cannot connect", usage=NO_USAGE)
    cause = error if isinstance(error, httpx2.HTTPError) else error.__cause__ or error
    return attempt.failure(ErrorKind.CONNECTION, f"the connection broke ({type(cause).__name__})")


def _never_sent(error: Exception) -> bool:
    """Whether no byte of the request left: told by our client itself, or by the one beneath an SDK."""
    return isinstance(error, _NEVER_SENT) or isinstance(error.__cause__, _NEVER_SENT)
