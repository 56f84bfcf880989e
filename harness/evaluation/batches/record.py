"""What is durable of an evaluation's batches, and what a resumed run reads of it.

The order makes it safe: what will be handed over is written before it is, the provider's id after it, and
nothing waits for a batch whose id is not durable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from harness.evaluation.plan import Key
from harness.evaluation.resume import InDoubt, Progress, View
from harness.records import Event, load_json_exact

SUBMITTING_EVENT = "eval.batch.submitting"
SUBMITTED_EVENT = "eval.batch.submitted"
REFUSED_EVENT = "eval.batch.refused"
ENDED_EVENT = "eval.batch.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchedCall:
    """One call in a batch; its id is the item's custom id."""

    call_id: str
    request_id: str
    key: Key
    role: str
    reserved_usd: Decimal

    def told(self) -> list[Any]:
        """As the event holds it."""
        return [self.call_id, self.request_id, *self.key, self.role, str(self.reserved_usd)]

    @classmethod
    def read(cls, told: Sequence[Any]) -> "BatchedCall":
        """What `told` wrote."""
        call_id, request_id, strategy, case_id, repeat, role, reserved_usd = told
        return cls(
            call_id=str(call_id),
            request_id=str(request_id),
            key=(str(strategy), str(case_id), int(repeat)),
            role=str(role),
            reserved_usd=Decimal(str(reserved_usd)),
        )

    def in_doubt(self) -> InDoubt:
        """The call as one that may have been paid unseen."""
        strategy, case_id, repeat = self.key
        return InDoubt(
            request_id=self.request_id,
            strategy=strategy,
            case_id=case_id,
            repeat=repeat,
            reserved_usd=self.reserved_usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedBatch:
    """A batch that an earlier session handed over; `batch_id` is None where its acknowledgement was lost."""

    label: str
    provider: str
    model: str
    calls: tuple[BatchedCall, ...]
    batch_id: str | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLog:
    """Makes the events of one run's batches."""

    run_id: str
    environment: str | None

    def submitting(self, batch: RecordedBatch, now: datetime) -> Event:
        """Written and acknowledged before the batch is handed over."""
        calls = [call.told() for call in batch.calls]
        more = {"provider": batch.provider, "model": batch.model, "calls": calls}
        return self._event(SUBMITTING_EVENT, batch, now, more)

    def submitted(self, batch: RecordedBatch, batch_id: str, now: datetime) -> Event:
        """Written and acknowledged before anybody waits for the batch."""
        return self._event(SUBMITTED_EVENT, batch, now, {"batch_id": batch_id})

    def refused(self, batch: RecordedBatch, why: str, now: datetime) -> Event:
        """The provider did not take it: nothing in it can be billed."""
        return self._event(REFUSED_EVENT, batch, now, {"why": why})

    def ended(
        self, batch: RecordedBatch, counts: Mapping[str, int], turnaround_s: float, now: datetime
    ) -> Event:
        """Its results were read; the turnaround is the provider's queue, as far as this session saw it."""
        return self._event(ENDED_EVENT, batch, now, {"outcomes": dict(counts), "turnaround_s": turnaround_s})

    def _event(self, name: str, batch: RecordedBatch, now: datetime, more: Mapping[str, Any]) -> Event:
        return Event(
            ts=now,
            name=name,
            request_id=None,
            run_id=self.run_id,
            environment=self.environment,
            payload={"batch": batch.label, **more},
        )


def read_batches(view: View, run_id: str) -> tuple[RecordedBatch, ...]:
    """Every batch of a run, in the order in which they were handed over."""
    events = view.dicts(
        "SELECT name, payload FROM events WHERE run_id = ? AND name IN (?, ?, ?) ORDER BY ts",
        [run_id, SUBMITTING_EVENT, SUBMITTED_EVENT, REFUSED_EVENT],
    )
    found: dict[str, RecordedBatch] = {}
    later = []
    for event in events:
        told = load_json_exact(event["payload"])
        label = str(told["batch"])
        if event["name"] == SUBMITTING_EVENT:
            calls = tuple(BatchedCall.read(call) for call in told["calls"])
            found[label] = RecordedBatch(
                label=label, provider=str(told["provider"]), model=str(told["model"]), calls=calls
            )
        else:
            later.append((label, event["name"], told))
    for label, name, told in later:
        if label in found and name == SUBMITTED_EVENT:
            found[label] = replace(found[label], batch_id=str(told["batch_id"]))
        elif label in found:
            found[label] = replace(found[label], refused=True)
    return tuple(found.values())


def batched_progress(progress: Progress, batches: Sequence[RecordedBatch]) -> Progress:
    """The progress of a batched run: in doubt is only what was in a batch of unknown fate.

    What waits in an acknowledged batch will be fetched, and what was never handed over was never asked.
    """
    lost = [batch for batch in batches if batch.batch_id is None and not batch.refused]
    return replace(progress, in_doubt=tuple(call.in_doubt() for batch in lost for call in batch.calls))


def acknowledged(batches: Sequence[RecordedBatch]) -> dict[str, RecordedBatch]:
    """By call id, the latest batch that the provider acknowledged."""
    return {call.call_id: batch for batch in batches if batch.batch_id is not None for call in batch.calls}
