"""Formats of other tools that ingest reads: one file each, found by itself.

A format's file has `NAME` and `ABOUT`, `recognises(object)`, and `read(object, batch, environment)`, which
takes one JSON object (a line, an element of an array, a row of a table) into a batch and returns what is
wrong with it, as a clause.
"""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from harness.errors import UsageError
from harness.imports.observed import Batch, JsonObject


class Reader(Protocol):
    """What a format's file has."""

    NAME: str
    ABOUT: str

    def recognises(self, value: JsonObject) -> bool:
        """Whether an object is written in this format."""
        ...

    def read(self, value: JsonObject, batch: Batch, environment: str | None) -> str | None:
        """Take one object in.

        Args:
            value: the object.
            batch: takes what it says.
            environment: of observations that do not tell theirs.

        Returns:
            What is wrong with it as a clause; None when it was taken, or is about something else.
        """
        ...


EVENTS = "events"
"""The name of our own events, which are read line by line in the store's own room."""


@cache
def formats() -> dict[str, Reader]:
    """Name -> reader, of every file in this folder."""
    modules = [import_module(f"{__name__}.{item.name}") for item in iter_modules(__path__)]
    return {module.NAME: cast("Reader", module) for module in modules}


def recognised(values: Iterable[JsonObject]) -> Reader | None:
    """The format of the first object that any reader recognises."""
    return next(
        (reader for value in values for reader in formats().values() if reader.recognises(value)), None
    )


def named(name: str) -> Reader | None:
    """The reader of a name; None for our own events.

    Raises:
        UsageError: there is none.
    """
    if name == EVENTS:
        return None
    if name not in formats():
        raise UsageError(f"--format '{name[:80]}': is none of {', '.join([EVENTS, *sorted(formats())])}")
    return formats()[name]
