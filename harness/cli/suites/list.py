"""`harness suites list`: the suites there are."""

from pathlib import Path

from rich.table import Table

from harness.cli.console import JsonOption, out, print_json
from harness.cli.lazy import command
from harness.errors import ConfigError
from harness.evaluation import load_suite
from harness.evaluation.suite import built_in_suites

app = command()


@app.command()
def list_suites(as_json: JsonOption = False) -> None:
    """The built-in suites, and each `suite.yaml` of this folder and the folders in it.

    Example: harness suites list
    """
    own = [path.parent for path in sorted([*Path().glob("suite.yaml"), *Path().glob("*/suite.yaml")])]
    rows = [_row(name) for name in (*built_in_suites(), *map(str, own))]
    if as_json:
        print_json({"suites": rows})
        return
    table = Table("suite", "task", "cases", "strategies", "graders", "problem", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(", ".join(cell) if isinstance(cell, list) else str(cell) for cell in row.values()))
    out.print(table)


def _row(reference: str) -> dict[str, str | int | list[str]]:
    try:
        suite = load_suite("./suite.yaml" if reference == "." else reference)
    except ConfigError as error:
        return {
            "suite": reference,
            "task": "",
            "cases": "",
            "strategies": "",
            "graders": "",
            "problem": str(error),
        }
    return {
        "suite": reference,
        "task": suite.task,
        "cases": len(suite.cases),
        "strategies": [Path(name).stem for name in suite.strategies],
        "graders": list(suite.marking.names),
        "problem": "",
    }
