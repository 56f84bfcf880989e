"""Calls that wait for a batch, how they are cut into batches, and how patiently these are followed."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.evaluation.batches.record import BatchedCall
from harness.providers.batch import BatchApi, BatchItem, BatchLimits, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a batch is followed, seconds: polls back off from `first_s` by `factor` up to `longest_s`.

    Attributes:
        give_up_s: a batch ends within 24 hours by contract; later than this nobody waits for it.
        most_failures: polls in a row that may fail.
        submit_attempts: how often a batch that was surely not taken is offered.
    """

    first_s: float = 0.5
    factor: float = 1.5
    longest_s: float = 60.0
    give_up_s: float = 26 * 3600.0
    most_failures: int = 20
    submit_attempts: int = 5

    def waits(self) -> Iterator[float]:
        """The waits between polls, without end."""
        wait_s = self.first_s
        while True:
            yield wait_s
            wait_s = min(self.longest_s, wait_s * self.factor)


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A call that waits for its answer. `order` puts the items of a batch in the order of the plan."""

    call: BatchedCall
    order: int
    item: BatchItem
    api: BatchApi
    future: "asyncio.Future[Outcome]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


def chunks(queue: Sequence[Waiting]) -> list[list[Waiting]]:
    """The queue as batches: each of one provider and model, in the order of the plan, within the limits."""
    groups: dict[BatchApi, list[Waiting]] = {}
    for waiting in sorted(queue, key=lambda waiting: waiting.order):
        groups.setdefault(waiting.api, []).append(waiting)
    return [chunk for api, group in groups.items() for chunk in _within(group, api.limits)]


def _within(group: Sequence[Waiting], limits: BatchLimits) -> Iterator[list[Waiting]]:
    chunk: list[Waiting] = []
    size_bytes = 0
    for waiting in group:
        item_bytes = waiting.item.size_bytes
        if chunk and (len(chunk) >= limits.items or size_bytes + item_bytes > limits.bytes):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(waiting)
        size_bytes += item_bytes
    if chunk:
        yield chunk
