"""The answers being made, each in a task of its own: a leaving client, or the service's end, can end it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from harness.orchestration.outcome import PipelineResult
from harness.service.problems import stopping

ResultTask = asyncio.Task[PipelineResult]


class Work:
    """What is under way, and whether more may begin.

    Attributes:
        draining: the service is about to end: what runs may finish, nothing new begins.
        stopped: the wait is over: what still ran was cancelled.
    """

    def __init__(self) -> None:
        self.draining = False
        self.stopped = False
        self._tasks: set[ResultTask] = set()

    @property
    def in_flight(self) -> int:
        """How many answers are being made."""
        return len(self._tasks)

    def begin(self, answer: Coroutine[Any, Any, PipelineResult]) -> ResultTask:
        """Make one more answer."""
        task = asyncio.ensure_future(answer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def check_open(self) -> None:
        """Nothing new is begun while the service drains.

        Raises:
            ProblemError: a 503 that is safe to send to another instance: nothing was done.
        """
        if self.draining:
            raise stopping("draining")

    async def stop(self) -> None:
        """Cancel what still runs, and wait until each is recorded."""
        self.draining = self.stopped = True
        running = list(self._tasks)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
