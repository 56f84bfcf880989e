"""What the commands share in talking to people and machines."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness.records import dump_json

DEFAULT_STORE = Path("results")

StoreOption = Annotated[
    Path, typer.Option("--store", envvar="HARNESS_STORE", help="The store's folder.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]

out = Console(soft_wrap=False, highlight=False)
"""Tables and results."""

err = Console(stderr=True, highlight=False)
"""Progress and remarks."""


def print_json(value: Any) -> None:
    """One JSON document on standard output; money keeps its digits."""
    sys.stdout.buffer.write(dump_json(value, indent=True) + b"\n")
    sys.stdout.flush()
