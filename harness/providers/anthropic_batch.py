"""Anthropic's Message Batches through the official SDK.

Source: https://docs.anthropic.com/en/docs/build-with-claude/batch-processing: 100,000 requests or 256 MB,
results unordered and kept for 29 days, errored, expired and canceled requests not billed.
"""

from collections.abc import Collection, Sequence
from typing import Any

from harness.providers.batch import (
    EMULATED_HEADER,
    BatchApi,
    BatchItem,
    BatchLimits,
    BatchStatus,
    Outcome,
)
from harness.records import ErrorKind


class AnthropicBatches(BatchApi):
    """See `BatchApi`."""

    limits = BatchLimits(items=100_000, bytes=256_000_000)

    async def submit(self, items: Sequence[BatchItem], *, label: str) -> str:  # noqa: ARG002 - no room for it
        """See `BatchApi.submit`; Anthropic has no room for a label."""
        requests = [{"custom_id": item.custom_id, "params": dict(item.body)} for item in items]
        batch: Any = await self._told(self._batches.create(requests=requests))
        return str(batch.id)

    async def status(self, batch_id: str) -> BatchStatus:
        """See `BatchApi.status`; Anthropic counts only when all is done."""
        batch: Any = await self._told(self._batches.retrieve(batch_id))
        return BatchStatus(ended=batch.processing_status == "ended", answered=None)

    async def outcomes(self, batch_id: str, asked: Collection[str]) -> dict[str, Outcome]:
        """See `BatchApi.outcomes`."""
        found = await self._told(self._read(batch_id))
        return {custom_id: found[custom_id] for custom_id in asked if custom_id in found}

    async def cancel(self, batch_id: str) -> None:
        """See `BatchApi.cancel`."""
        await self._told(self._batches.cancel(batch_id))

    @property
    def _batches(self) -> Any:
        return self.adapter.client.messages.batches

    async def _read(self, batch_id: str) -> dict[str, Outcome]:
        decoder = await self._batches.results(batch_id)
        emulated = decoder.http_response.headers.get(EMULATED_HEADER) == "1"
        found: dict[str, Outcome] = {}
        async for line in decoder:
            found[str(line.custom_id)] = self._outcome(line.result, emulated=emulated)
        return found

    def _outcome(self, result: Any, *, emulated: bool) -> Outcome:
        match getattr(result, "type", None):
            case "succeeded":
                return self._answered(result.message.to_dict(mode="json"), emulated=emulated)
            case "errored":
                told = result.error
                request_id = getattr(told, "request_id", None)
                body = told.model_dump() if hasattr(told, "model_dump") else told
                return self._errored(body, emulated=emulated, request_id=request_id)
            case "expired":
                return self._failed(
                    ErrorKind.TIMEOUT, "expired: not answered within the batch's 24 hours", emulated=emulated
                )
            case "canceled":
                return self._failed(ErrorKind.CANCELLED, "the batch was cancelled", emulated=emulated)
            case other:
                problem = f"an unknown kind of batch result ({other})"
                return self._failed(ErrorKind.BAD_OUTPUT, problem, emulated=emulated, billed=None)
