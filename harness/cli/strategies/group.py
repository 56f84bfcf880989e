"""`harness strategies`: the mixes of providers there are, and how recorded ones compare."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from harness.cli.config import strategy_routes
from harness.cli.console import JsonOption, out, print_json
from harness.cli.strategies.import_table import import_table
from harness.cli.strategies.judge import compare, frontier
from harness.orchestration import Strategy, load_strategy, resolve_routing, strategy_files

app = typer.Typer(no_args_is_help=True)
app.command("compare")(compare)
app.command("frontier")(frontier)
app.command("import")(import_table)


@app.callback()
def strategies() -> None:
    """The mixes of providers that pipeline, service and evaluator can run, and which of them is best.

    Example: harness strategies list
    """


@app.command("list")
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
