"""Provider batch APIs: many questions handed over at once, answered within a day, billed at the batch price.

A batch is not timed: how long it waits in the provider's queue says nothing about its models.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import httpx2

from harness.errors import ProviderError
from harness.providers.base import LLMAdapter
from harness.providers.reading.excerpts import message_of
from harness.providers.reading.failures import kind_of
from harness.providers.sdk import SdkAdapter
from harness.records import NO_USAGE, Completion, ErrorKind, Prompt, dump_json

ResultT = TypeVar("ResultT")
Outcome = Completion | ProviderError
"""How one item of a batch ended."""

BATCH_CONTEXT = "batch"
"""The price context of every item, whatever service tier its answer names."""

REQUEST_TIMEOUT_S = 300.0
"""Of one HTTP request about a batch: an upload or a download may be hundreds of megabytes."""

EMULATED_HEADER = "x-harness-emulated"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """The most that the provider takes in one batch, as documented."""

    items: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One request of a batch. `custom_id` is unique in it, 1 to 64 characters of A-Z a-z 0-9 _ -."""

    custom_id: str
    body: Mapping[str, Any]

    @property
    def size_bytes(self) -> int:
        """Of its JSON, framing included."""
        return len(dump_json(self.body)) + len(self.custom_id) + 200


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """Where a batch stands; `answered` is None where the provider does not tell before the end."""

    ended: bool
    answered: int | None


class BatchApi(ABC):
    """The batches of one provider and model, through its official SDK.

    Args:
        adapter: makes the bodies and reads the answers; its settings say `stream=False`.
    """

    limits: BatchLimits

    def __init__(self, adapter: SdkAdapter) -> None:
        self.adapter = adapter

    @classmethod
    def of(cls, adapter: LLMAdapter) -> Self:
        """The batches of an SDK's adapter.

        Raises:
            TypeError: another kind of adapter; a programmer's error.
        """
        if not isinstance(adapter, SdkAdapter):
            raise TypeError(f"{adapter.name} is not behind an official SDK")
        return cls(adapter)

    def body(self, prompt: Prompt) -> dict[str, Any]:
        """The request body of a prompt."""
        return self.adapter.request_body(prompt)

    @abstractmethod
    async def submit(self, items: Sequence[BatchItem], *, label: str) -> str:
        """Hand a batch over; its id at the provider.

        Args:
            items: within the limits, all of this model.
            label: our own name for it, kept beside it where the provider has room for one.

        Raises:
            ProviderError: it was not acknowledged; see `surely_unpaid`.
        """

    @abstractmethod
    async def status(self, batch_id: str) -> BatchStatus:
        """Where it stands.

        Raises:
            ProviderError: not told; `http_status` 404 when there is no such batch.
        """

    @abstractmethod
    async def outcomes(self, batch_id: str, asked: Collection[str]) -> dict[str, Outcome]:
        """How each item of an ended batch ended, by custom id, in no order.

        Args:
            batch_id: at the provider.
            asked: the custom ids that were handed over.

        Returns:
            Without the items of which the provider tells nothing.

        Raises:
            ProviderError: the results could not be fetched.
        """

    @abstractmethod
    async def cancel(self, batch_id: str) -> None:
        """Ask the provider to stop; what is answered until then is billed.

        Raises:
            ProviderError: it would not.
        """

    async def aclose(self) -> None:
        """Release connections."""
        await self.adapter.aclose()

    async def _told(self, work: Awaitable[ResultT]) -> ResultT:
        """The result of one request about a batch, its failure classified."""
        attempt, errors = self.adapter.new_attempt(), self.adapter.errors
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await work
        except (TimeoutError, httpx2.HTTPError, httpx2.StreamError, ValueError, errors.api) as error:
            raise self.adapter.classified(error, attempt, REQUEST_TIMEOUT_S) from None

    def _answered(self, answer: object, *, emulated: bool, request_id: str | None = None) -> Outcome:
        """The outcome of an answer in one piece, decoded."""
        attempt = self.adapter.new_attempt()
        attempt.saw_response(_headers(request_id, emulated=emulated))
        try:
            return replace(self.adapter.read_whole(answer, attempt), price_context=BATCH_CONTEXT)
        except ProviderError as error:
            error.price_context = BATCH_CONTEXT
            return error

    def _failed(
        self,
        kind: ErrorKind,
        problem: str,
        *,
        emulated: bool,
        status: int | None = None,
        request_id: str | None = None,
        billed: bool | None = False,
    ) -> ProviderError:
        """The outcome of an item without an answer: never billed, unless `billed` is None for unknown."""
        attempt = self.adapter.new_attempt()
        attempt.saw_response(_headers(request_id, emulated=emulated))
        usage = NO_USAGE if billed is False else None
        error = attempt.failure(kind, problem, status=status, usage=usage)
        error.price_context = BATCH_CONTEXT
        return error

    def _errored(
        self, body: object, *, emulated: bool, status: int | None = None, request_id: str | None = None
    ) -> ProviderError:
        """The outcome of an item that the provider refused or failed at."""
        said = message_of(body) or "no reason given"
        return self._failed(
            kind_of(status, body),
            f"in a batch, {said}",
            emulated=emulated,
            status=status,
            request_id=request_id,
        )


def surely_unpaid(error: ProviderError) -> bool:
    """Whether a batch that was not acknowledged surely does not exist: refused, or never sent."""
    return error.usage == NO_USAGE and error.kind != ErrorKind.UPSTREAM_5XX


def _headers(request_id: str | None, *, emulated: bool) -> dict[str, str]:
    told = {"request-id": request_id} if request_id else {}
    return {**told, EMULATED_HEADER: "1"} if emulated else told
