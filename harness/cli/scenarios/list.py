"""`harness scenarios list`: the scenarios there are."""

from pathlib import Path
from typing import Any

from rich.table import Table

from harness.cli.console import JsonOption, out, print_json
from harness.cli.lazy import command
from harness.errors import ConfigError
from harness.inputs import LARGEST_SETTINGS_BYTES, load_yaml
from harness.load.scenario.reader import read_scenario
from harness.load.scenario.shipped import shipped_scenarios

app = command()


@app.command()
def list_scenarios(as_json: JsonOption = False) -> None:
    """The scenarios that ship, and the files of this folder that are some.

    Example: harness scenarios list
    """
    rows = [_row(name, path) for name, path in shipped_scenarios().items()]
    rows += [_row(str(path), path) for path in sorted(Path().glob("*.yaml")) if _asks_something(path)]
    if as_json:
        print_json({"scenarios": rows})
        return
    table = Table("scenario", "asks", "columns", "about", box=None, pad_edge=False)
    for row in rows:
        about = row["problem"] or row["about"]
        table.add_row(row["scenario"], "\n".join(row["asks"]), ", ".join(row["columns"]), about)
    out.print(table)


def _asks_something(path: Path) -> bool:
    """Whether a file says what a scenario must: a path, or steps."""
    try:
        content = load_yaml(path, LARGEST_SETTINGS_BYTES, what="a scenario")
    except ConfigError:
        return False
    return isinstance(content, dict) and bool({"path", "steps"} & content.keys())


def _row(name: str, path: Path) -> dict[str, Any]:
    try:
        scenario = read_scenario(path)
    except ConfigError as error:
        return {
            "scenario": name,
            "file": str(path),
            "asks": [],
            "columns": [],
            "about": "",
            "problem": str(error),
        }
    return {
        "scenario": name,
        "file": str(path),
        "asks": [f"{step.method} {_path_of(step.path.pieces)}" for step in scenario.steps],
        "columns": list(scenario.columns),
        "about": scenario.about,
        "problem": "",
    }


def _path_of(pieces: tuple[tuple[str, str | None], ...]) -> str:
    """A path as it is written."""
    return "".join(text + (f"{{{name}}}" if name else "") for text, name in pieces)
