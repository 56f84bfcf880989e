"""OpenAI's batches through the official SDK: a file up, a batch, one or two files down.

Source: https://developers.openai.com/api/docs/guides/batch: 50,000 requests of one model, 200 MB, results
unordered; what did not finish within 24 hours is `batch_expired` and not billed.
"""

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from harness.errors import ProviderError
from harness.providers.batch import (
    EMULATED_HEADER,
    BatchApi,
    BatchItem,
    BatchLimits,
    BatchStatus,
    Outcome,
)
from harness.records import NO_USAGE, ErrorKind, dump_json

_ENDED = ("completed", "expired", "cancelled", "failed")
_STOPPED = {"batch_expired": ErrorKind.TIMEOUT, "batch_cancelled": ErrorKind.CANCELLED}


class OpenAIBatches(BatchApi):
    """See `BatchApi`."""

    limits = BatchLimits(items=50_000, bytes=200_000_000)

    async def submit(self, items: Sequence[BatchItem], *, label: str) -> str:
        """See `BatchApi.submit`; the label goes into the batch's metadata."""
        endpoint = f"/v1{self.adapter.path}"
        lines = [
            dump_json({"custom_id": item.custom_id, "method": "POST", "url": endpoint, "body": item.body})
            for item in items
        ]
        upload = (f"{label}.jsonl", b"\n".join(lines) + b"\n")
        client = self.adapter.client
        try:
            stored: Any = await self._told(client.files.create(file=upload, purpose="batch"))
        except ProviderError as error:
            error.usage = NO_USAGE  # a file alone asks nothing
            raise
        batch: Any = await self._told(
            client.batches.create(
                input_file_id=stored.id,
                endpoint=endpoint,
                completion_window="24h",
                metadata={"harness_batch": label},
            )
        )
        return str(batch.id)

    async def status(self, batch_id: str) -> BatchStatus:
        """See `BatchApi.status`."""
        batch: Any = await self._told(self.adapter.client.batches.retrieve(batch_id))
        counts = batch.request_counts
        answered = None if counts is None else int(counts.completed) + int(counts.failed)
        return BatchStatus(ended=batch.status in _ENDED, answered=answered)

    async def outcomes(self, batch_id: str, asked: Collection[str]) -> dict[str, Outcome]:
        """See `BatchApi.outcomes`. An item in neither file ended as its batch did."""
        answer: Any = await self._told(self.adapter.client.batches.with_raw_response.retrieve(batch_id))
        emulated = answer.headers.get(EMULATED_HEADER) == "1"
        batch = answer.parse()
        found: dict[str, Outcome] = {}
        for file_id in (batch.output_file_id, batch.error_file_id):
            if file_id:
                content: Any = await self._told(self.adapter.client.files.content(file_id))
                found |= self._read(content.content, emulated=emulated)
        if batch.status != "completed":
            for custom_id in asked:
                found.setdefault(custom_id, self._unanswered(batch, emulated=emulated))
        return found

    async def cancel(self, batch_id: str) -> None:
        """See `BatchApi.cancel`."""
        await self._told(self.adapter.client.batches.cancel(batch_id))

    def _read(self, content: bytes, *, emulated: bool) -> dict[str, Outcome]:
        found = {}
        for line in content.splitlines():
            row = _row(line)
            if row is not None:
                found[str(row["custom_id"])] = self._outcome(row, emulated=emulated)
        return found

    def _outcome(self, row: dict[str, Any], *, emulated: bool) -> Outcome:
        error, response = row.get("error"), row.get("response")
        if error or not isinstance(response, dict):
            return self._stopped(error or {}, emulated=emulated)
        status, body, request_id = (
            response.get("status_code"),
            response.get("body"),
            response.get("request_id"),
        )
        if status == 200 and isinstance(body, dict):
            return self._answered(body, emulated=emulated, request_id=request_id)
        return self._errored(body, emulated=emulated, status=status or None, request_id=request_id)

    def _stopped(self, error: dict[str, Any], *, emulated: bool) -> ProviderError:
        kind = _STOPPED.get(str(error.get("code")))
        if kind is None:
            return self._errored({"error": error}, emulated=emulated)
        return self._failed(kind, str(error.get("message") or error["code"]), emulated=emulated)

    def _unanswered(self, batch: Any, *, emulated: bool) -> ProviderError:
        if batch.status == "expired":
            return self._stopped({"code": "batch_expired"}, emulated=emulated)
        if batch.status == "cancelled":
            return self._stopped({"code": "batch_cancelled"}, emulated=emulated)
        told = getattr(batch.errors, "data", None) or []
        first = told[0].model_dump() if told else {"message": f"the batch ended as {batch.status}"}
        # the whole file was refused while it was validated, so nothing in it was asked
        return self._errored({"error": first}, emulated=emulated, status=400)


def _row(line: bytes) -> dict[str, Any] | None:
    """A line of results; None for what is none: its item then counts as left out."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and "custom_id" in row else None
