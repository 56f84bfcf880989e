"""A few workers over one queue, on one event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def work_together(workers: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run so many workers until each has ended; the first failure ends them all, and is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
    except BaseExceptionGroup as problems:  # one failure ended them all: that one is told
        raise problems.exceptions[0] from problems
