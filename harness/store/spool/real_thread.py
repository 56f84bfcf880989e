"""A real thread beside gevent: functions as they were before patching, and futures resolved on the hub."""

import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from importlib import import_module
from typing import Any, TypeAlias

Settled: TypeAlias = list[tuple["Future[None]", BaseException | None]]
"""Futures and what each ends with: an error, or None for success."""


def real_function(module: str, name: str) -> Any:
    """A function as it was before gevent patched it, if it did."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey.get_original(module, name) if monkey else getattr(import_module(module), name)


def resolver() -> Callable[[Settled], None]:
    """How the thread resolves futures: itself, or on the hub where gevent has patched threading."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return settle
    hub = import_module("gevent").get_hub()
    finished: deque[Settled] = deque()

    def settle_on_hub() -> None:
        while finished:
            settle(finished.popleft())

    watcher = hub.loop.async_(ref=False)
    watcher.start(settle_on_hub)

    def resolve(done: Settled) -> None:
        finished.append(done)
        watcher.send()

    return resolve


def settle(done: Settled) -> None:
    """Resolve futures; one that was cancelled meanwhile is passed over."""
    for future, problem in done:
        if not future.set_running_or_notify_cancel():
            continue
        if problem is None:
            future.set_result(None)
        else:
            future.set_exception(problem)
