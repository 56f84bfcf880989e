"""`harness strategies list`: every strategy file with its routes."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from harness.cli.config.show import strategy_routes
from harness.cli.console import JsonOption, out, print_json
from harness.cli.lazy import command
from harness.orchestration import Strategy, load_strategy, resolve_routing, strategy_files

app = command()


@app.command()
def list_strategies(
    folder: Annotated[
        Path | None, typer.Option("--dir", exists=True, file_okay=False, help="A folder of your own.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Every strategy file with its routes.

    Example: harness strategies list --json
    """
    routing = resolve_routing(dict(os.environ))
    files = strategy_files() if folder is None else sorted(folder.glob("*.yaml"))
    found = [load_strategy(path, routing) for path in files]
    if json:
        print_json({"strategies": [_document(strategy) for strategy in found]})
        return
    table = Table("strategy", "type", box=None, pad_edge=False)
    table.add_column("routes", overflow="fold")
    table.add_column("what it is")
    for strategy in found:
        routes = "\n".join(f"{role}: {name}" for role, name in strategy_routes(strategy).items())
        table.add_row(strategy.name, strategy.type, escape(routes), escape(strategy.description))
    out.print(table)


def _document(strategy: Strategy) -> dict[str, object]:
    return {
        "name": strategy.name,
        "type": strategy.type,
        "description": strategy.description,
        "routes": strategy_routes(strategy),
    }
