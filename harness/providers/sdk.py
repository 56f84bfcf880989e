"""What the two official SDKs have in common: one timed attempt, and their errors classified.

Both raise classes of the same names and shapes, and both let `httpx2` errors through while a stream is read.
"""

import asyncio
import inspect
import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
import orjson

from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import ProviderError
from harness.providers.attempt import Attempt
from harness.providers.base import ProviderSettings
from harness.providers.clients import ClientPool, ClientT
from harness.providers.concessions import MAX_RESENDS, REFUSING_STATUS, Concessions, Feature
from harness.providers.structured import plain_answer
from harness.providers.warmup import tls_context
from harness.records import NO_USAGE, Completion, ErrorKind, Prompt

PLACEHOLDER_KEY = "none"
"""For endpoints without a key: the SDKs want one, and must not go looking in the environment."""

MIN_SECRET_CHARS = 6
"""Shorter header values (`1`, `true`) are no secrets, and masking them would garble every message."""

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkErrors:
    """One SDK's exception classes."""

    api: type[Exception]
    status: type[Exception]
    timeout: type[Exception]
    connection: type[Exception]


class Reader(Protocol):
    """Takes an answer in; fields that an endpoint leaves out are simply not told."""

    def take_event(self, event: Any) -> None:
        """Take one event of a stream in."""
        ...

    def take_whole(self, answer: Any) -> None:
        """Take an answer in one piece in; anything but the SDK's own type tells nothing."""
        ...

    def check(self) -> None:
        """Raise what the stop reason says of an answer that is none: truncated, filtered or refused."""
        ...


def make_client(
    client_type: Callable[..., ClientT],
    http_type: Callable[..., httpx2.AsyncClient],
    settings: ProviderSettings,
    default_url: str,
) -> ClientT:
    """An SDK's client with its retries off, and no key taken from the environment."""
    base_url = settings.base_url or default_url
    return client_type(
        api_key=settings.api_key or PLACEHOLDER_KEY,
        base_url=base_url,
        max_retries=0,
        # Redirects off: the prompt and our own headers would follow them to a host that nobody named.
        # A proxy (HTTP_PROXY) is another machine: what is on this one is never asked through it.
        http_client=http_type(follow_redirects=False, verify=tls_context(), mounts=_unproxied(base_url)),
    )


def _unproxied(base_url: str) -> dict[str, None]:
    """The base URL's host as a mount without a proxy, where it is this machine; nothing elsewhere."""
    url = httpx2.URL(base_url)
    try:
        here = url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        here = False
    return {f"all://{url.netloc.decode()}": None} if here else {}


def listed(source: Any, name: str) -> list[Any]:
    """The list that a field of an SDK object holds; empty when it holds anything else."""
    found = getattr(source, name, None)
    return found if isinstance(found, list) else []


class SdkAdapter(ABC):
    """An adapter on an official SDK; see `LLMAdapter`. Subclasses ask and read the stream."""

    errors: SdkErrors
    clients: ClientPool[Any]
    whole_type: Any
    """The SDK's type of an answer in one piece."""

    def __init__(self, settings: ProviderSettings, model: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.name = settings.name
        self.model = model
        self.local = settings.local
        self._settings = settings
        self._clock = clock
        self._concessions = Concessions()
        self._holder = object()
        known = (settings.api_key or "", *(value for _, value in settings.extra_headers))
        self._secrets = tuple(value for value in known if len(value) >= MIN_SECRET_CHARS)

    def __repr__(self) -> str:
        """Without the key."""
        return f"{type(self).__name__}(name={self.name!r}, model={self.model!r})"

    @abstractmethod
    def _endpoint(self, client: Any) -> Any:
        """The SDK's resource that creates answers."""

    @abstractmethod
    def _body(self, prompt: Prompt) -> dict[str, Any]:
        """The arguments of the SDK's `create`."""

    @abstractmethod
    def _sent(self, prompt: Prompt) -> list[Feature]:
        """What the request carries that it could do without, the likeliest culprit first."""

    @abstractmethod
    def _reader(self, attempt: Attempt) -> Reader:
        """What reads the answer into the attempt."""

    @property
    def client(self) -> Any:
        """The SDK's client of these settings on the running loop."""
        return self.clients.lend(self._settings, self._holder)

    def request_body(self, prompt: Prompt) -> dict[str, Any]:
        """The JSON body of one request, as a batch carries it.

        For adapters whose settings say `stream=False`; a batch takes no streamed requests.
        """
        body = self._body(prompt)
        extra: dict[str, Any] = body.pop("extra_body", {})
        return {**body, **extra}

    def new_attempt(self) -> Attempt:
        """An attempt that begins now, with nothing learnt yet."""
        return Attempt(provider=self.name, model=self.model, clock=self._clock, secrets=self._secrets)

    def read_whole(self, answer: Any, attempt: Attempt) -> Completion:
        """The completion of an answer in one piece that did not come as one HTTP response.

        Raises:
            ProviderError: it is none: truncated, refused, empty.
        """
        reader = self._reader(attempt)
        reader.take_whole(answer)
        reader.check()
        return attempt.completion()

    async def aclose(self) -> None:
        """Let go of the shared client; the last adapter that does closes it."""
        await self.clients.give_back(self._settings, self._holder)

    async def generate(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> Completion:
        """Make exactly one attempt, streamed; see `LLMAdapter.generate`."""
        attempt = self.new_attempt()
        try:
            async with asyncio.timeout(timeout_s):
                await self._ask(prompt, call_id=call_id, timeout_s=timeout_s, attempt=attempt)
        except (TimeoutError, httpx2.HTTPError, httpx2.StreamError, ValueError, self.errors.api) as error:
            failure = self.classified(error, attempt, timeout_s)
            # `from None`: the SDK's error carries the provider's body, which must not reach a log by way of a
            # printed chain.
            raise failure from None
        return plain_answer(attempt.completion(), prompt)

    async def _ask(self, prompt: Prompt, *, call_id: str, timeout_s: float, attempt: Attempt) -> None:
        """Send the prompt and read the whole answer into `attempt`; let the SDK's errors out."""
        endpoint = self._endpoint(self.client)
        create = endpoint.create if self._settings.stream else endpoint.with_raw_response.create

        async def send() -> Any:
            return await create(
                stream=self._settings.stream,
                timeout=timeout_s,
                extra_headers={**dict(self._settings.extra_headers), "X-Client-Request-Id": call_id},
                **self._body(prompt),
            )

        reader = self._reader(attempt)
        await self._take(await self._conceding(send, prompt), attempt, reader)
        reader.check()

    async def _conceding(self, send: Callable[[], Awaitable[Any]], prompt: Prompt) -> Any:
        """Send; where the endpoint refuses something we can do without, learn it and send again.

        A 400 is never billed, so this stays one attempt.
        """
        for _ in range(MAX_RESENDS):
            offered = self._sent(prompt)
            try:
                return await send()
            except self.errors.status as error:
                refusal: Any = error
                learnt = refusal.status_code in REFUSING_STATUS and self._concessions.learn(
                    refusal.body, offered
                )
                if not learnt:
                    raise
        return await send()

    async def _take(self, answer: Any, attempt: Attempt, reader: Reader) -> None:
        """Read the answer, streamed or whole; an endpoint that cannot stream answers whole all the same."""
        if not self._settings.stream:
            attempt.saw_response(answer.headers)
            parsed = answer.parse()
            reader.take_whole(await parsed if inspect.isawaitable(parsed) else parsed)
            return
        async with answer:
            attempt.saw_response(answer.response.headers)
            if "json" in answer.response.headers.get("content-type", ""):
                body = orjson.loads(await answer.response.aread())
                reader.take_whole(self.whole_type.construct(**body) if isinstance(body, dict) else None)
                return
            async for event in answer:
                reader.take_event(event)

    def classified(self, error: Exception, attempt: Attempt, timeout_s: float) -> ProviderError:
        """The error of the attempt, from whatever the SDK or the transport raised.

        Raises:
            Exception: the error itself, when it is neither (a programmer's error stays one).
        """
        if isinstance(error, TimeoutError | httpx2.TimeoutException | self.errors.timeout):
            if isinstance(error.__cause__ or error, _NEVER_SENT):
                return attempt.failure(ErrorKind.TIMEOUT, "no connection in time", usage=NO_USAGE)
            return attempt.timed_out(timeout_s)
        if isinstance(error, self.errors.status):
            return _refused(error, attempt)
        if isinstance(error, self.errors.connection | httpx2.HTTPError | httpx2.StreamError):
            return _disconnected(error, attempt)
        if isinstance(error, self.errors.api):
            return attempt.broken_off(getattr(error, "body", None))
        if isinstance(error, UnicodeDecodeError) or type(error).__name__ == "JSONDecodeError":
            return attempt.failure(ErrorKind.BAD_OUTPUT, "an event of the stream is not readable JSON")
        raise error


def _refused(error: Any, attempt: Attempt) -> ProviderError:
    """A refusal by status, or an error event that the SDK dressed up as one."""
    attempt.saw_response(error.response.headers)
    status = int(error.status_code)
    return attempt.broken_off(error.body) if status < 300 else attempt.refusal(status, error.body)


def _disconnected(error: Exception, attempt: Attempt) -> ProviderError:
    cause = error.__cause__ or error
    if isinstance(cause, _NEVER_SENT):
        return attempt.failure(ErrorKind.CONNECTION, "cannot connect", usage=NO_USAGE)
    return attempt.failure(ErrorKind.CONNECTION, f"the connection broke ({type(cause).__name__})")
