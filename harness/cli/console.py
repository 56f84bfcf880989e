"""What the commands share in talking to people and machines."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from harness.records import dump_json

DEFAULT_STORE = Path("results")

StoreOption = Annotated[
    Path, typer.Option("--store", envvar="HARNESS_STORE", help="The store's folder.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]


class PlainConsole(Console):
    """A console whose sentences stay on one line in a pipe or a file, and whose tables have room there."""

    PIPED_COLUMNS = 120

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = self.PIPED_COLUMNS

    def print(self, *objects: Any, soft_wrap: bool | None = None, **options: Any) -> None:
        """As `Console.print`; text alone is wrapped only for a person's terminal."""
        if soft_wrap is None:
            soft_wrap = not self.is_terminal and all(isinstance(item, str | Text) for item in objects)
        super().print(*objects, soft_wrap=soft_wrap, **options)


out = PlainConsole()
"""Tables and results."""

err = PlainConsole(stderr=True)
"""Progress and remarks."""


def print_json(value: Any) -> None:
    """One JSON document on standard output; money keeps its digits."""
    sys.stdout.buffer.write(dump_json(value, indent=True) + b"\n")
    sys.stdout.flush()
