"""Tasks by name: the built-in ones, and any that an installed package offers under `harness.tasks`."""

import importlib
from importlib.metadata import entry_points
from typing import Any

from harness.errors import UsageError
from harness.tasks.base import Task

ENTRY_POINT_GROUP = "harness.tasks"

BUILT_IN = {
    "draft_graph": "harness.tasks.decisions.draft_graph:DraftGraphTask",
    "suggest_options": "harness.tasks.decisions.suggest_options:SuggestOptionsTask",
}
"""Class path by task name; imported when asked for."""


def get_task(name: str) -> Task[Any, Any]:
    """A task, made afresh. Built-in names win over plug-ins of the same name.

    Raises:
        UsageError: no task of that name; the sentence lists those there are.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        built_in: Task[Any, Any] = getattr(importlib.import_module(module), attribute)()
        return built_in
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            plugged_in: Task[Any, Any] = point.load()()
            return plugged_in
    raise UsageError(f"no task '{name}'; there are {', '.join(task_names())}")


def task_names() -> list[str]:
    """Every task that `get_task` knows, sorted."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})
