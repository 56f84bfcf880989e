"""Tasks by name: the built-in ones, and any that an installed package offers under `harness.tasks`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.plugins import Plugins
from harness.tasks.base import Task

TASKS: Plugins[Callable[[], Task[Any, Any]]] = Plugins(
    "task",
    "harness.tasks",
    shipped={
        "draft_graph": "harness.tasks.decisions.draft_graph:DraftGraphTask",
        "suggest_options": "harness.tasks.decisions.suggest_options:SuggestOptionsTask",
    },
)


def get_task(name: str, *, source: str | None = None, folder: Path | None = None) -> Task[Any, Any]:
    """A task, made afresh. Built-in names win over plug-ins of the same name.

    Args:
        name: or `./file.py:name`, of a class.
        source: where it is named, for messages.
        folder: what a path is relative to.

    Raises:
        UsageError: no task of that name; the sentence lists those there are.
    """
    return TASKS.find(name, source=source, folder=folder)()


def task_names() -> list[str]:
    """Every task that `get_task` knows, sorted."""
    return TASKS.names()
