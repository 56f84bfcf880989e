"""One request under way: its clock readings, its calls, and who is told of its stages."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.orchestration.attempt import CallScope
from harness.orchestration.strategy import Strategy
from harness.tasks.base import Labels

StageListener = Callable[[str, Mapping[str, Any]], None]
"""Told a stage's name and details as it begins; must not block."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """What the pipeline keeps of one request; times are nanoseconds of the caller's monotonic clock.

    `strategy` is the pipeline's own; a routed one becomes what it is for this request.
    """

    scope: CallScope
    strategy: Strategy
    tags: Mapping[str, str]
    drawn_by: str
    labels: Labels | None
    on_stage: StageListener | None
    started_ns: int
    ended_ns: int | None = None
    ended_at: datetime | None = None
    stages_ns: dict[str, int] = field(default_factory=dict)

    def tell(self, stage: str, detail: Mapping[str, Any]) -> None:
        """Tell the listener, if there is one."""
        if self.on_stage is not None:
            self.on_stage(stage, detail)


class StageClock:
    """Adds up the time spent in named stages, nanoseconds."""

    def __init__(self, now_ns: Callable[[], int], stages_ns: dict[str, int]) -> None:
        self._now_ns, self._stages_ns = now_ns, stages_ns
        self._stage, self._started_ns = "", 0

    def stage(self, name: str) -> "StageClock":
        """A `with` block whose time counts for the stage, also when it fails."""
        self._stage, self._started_ns = name, self._now_ns()
        return self

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        spent = self._now_ns() - self._started_ns
        self._stages_ns[self._stage] = self._stages_ns.get(self._stage, 0) + spent


async def cancel_all(stragglers: "set[asyncio.Task[Any]]") -> None:
    """End calls that lost a race, and wait until each is recorded; their failures are recorded too."""
    for task in stragglers:
        task.cancel()
    if stragglers:
        await asyncio.gather(*stragglers, return_exceptions=True)
