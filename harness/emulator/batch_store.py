"""Batches in memory: accepted at once, finished after a fixed time at the emulator's speed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

BATCH_TIME_S = 20.0
"""How long a batch takes at speed 1."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch of either provider.

    Attributes:
        id: the provider's form of it.
        created_s: Unix time, seconds.
        ready_at_s: on the store's clock.
        finish: does the work, once, when the batch is first looked at after `ready_at_s`.
        canceled: asked to stop before it was ready.
        results: lines of the results file; None while unfinished.
        succeeded, errored, expired: how its items ended.
        size: how many items it has.
        output_id: OpenAI's output file, once there is one.
    """

    id: str
    created_s: int
    ready_at_s: float
    size: int
    finish: Callable[["Batch"], None]
    canceled: bool = False
    results: list[bytes] | None = None
    succeeded: int = 0
    errored: int = 0
    expired: int = 0
    ended_s: int | None = None
    output_id: str | None = None
    error_id: str | None = None
    request: dict[str, object] = field(default_factory=dict)


class BatchStore:
    """All batches of one provider, by id.

    Args:
        speed: batches take `BATCH_TIME_S` divided by it.
        now_s: a monotonic clock, seconds.
    """

    def __init__(self, speed: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._batches: dict[str, Batch] = {}
        self._speed = speed
        self._now_s = now_s
        self._made = 0

    def add(self, batch_id: str, size: int, finish: Callable[[Batch], None]) -> Batch:
        """Accept a batch."""
        ready_at_s = self._now_s() + BATCH_TIME_S / self._speed
        created_s = int(time.time())
        batch = Batch(id=batch_id, created_s=created_s, ready_at_s=ready_at_s, size=size, finish=finish)
        self._batches[batch_id] = batch
        self._made += 1
        return batch

    def get(self, batch_id: str) -> Batch | None:
        """The batch as it stands now."""
        batch = self._batches.get(batch_id)
        if (
            batch is not None
            and batch.results is None
            and (batch.canceled or self._now_s() >= batch.ready_at_s)
        ):
            batch.results = []
            batch.ended_s = int(time.time())
            batch.finish(batch)
        return batch

    def all(self) -> list[Batch]:
        """Every batch, latest first."""
        return [batch for batch_id in reversed(self._batches) if (batch := self.get(batch_id)) is not None]

    def remove(self, batch_id: str) -> None:
        """Forget a batch."""
        self._batches.pop(batch_id, None)

    def new_number(self) -> int:
        """How many batches have been made, plus one; a deleted batch's number is not used again."""
        return self._made + 1
