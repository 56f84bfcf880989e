"""`harness scenarios show`: one scenario as its file has it."""

import sys
from typing import Annotated

import typer

from harness.cli.console import JsonOption, print_json
from harness.cli.lazy import command
from harness.inputs import LARGEST_SETTINGS_BYTES, read_text
from harness.load.scenario.reader import read_scenario
from harness.load.scenario.shipped import scenario_path
from harness.load.scenario.written import masked

app = command()


@app.command()
def show(
    scenario: Annotated[str, typer.Argument(metavar="NAME|FILE", help="One that ships, or a file.")],
    as_json: JsonOption = False,
) -> None:
    """Print a scenario's file, secrets masked: a start for one of your own.

    Example: harness scenarios show openai-chat
    """
    path = scenario_path(scenario)
    read = read_scenario(path)
    text = masked(read_text(path, LARGEST_SETTINGS_BYTES), read)
    if as_json:
        print_json({"scenario": read.name, "file": str(path), "columns": list(read.columns), "text": text})
        return
    sys.stdout.write(text)
