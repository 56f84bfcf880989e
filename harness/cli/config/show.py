"""`harness config show`: what was resolved, and from where."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from harness.cli.console import JsonOption, out, print_json
from harness.cli.lazy import command
from harness.orchestration import Route, Routing, Strategy, resolve_routing, resolve_strategy

app = command()


@app.command()
def show(
    path: Annotated[
        Path | None, typer.Option("--config", help="The providers file (else PROVIDERS_CONFIG_PATH).")
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="A strategy's name or file.")] = None,
    json: JsonOption = False,
) -> None:
    """Every resolved value with its origin; keys are masked. A missing key ends with exit code 2.

    Example: LLM_PROVIDER=openai harness config show --json
    """
    routing = resolve_routing(dict(os.environ), config_path=path)
    chosen = resolve_strategy(routing, strategy)
    missing = [route.missing_key for route in chosen.routes if route.missing_key is not None]
    if json:
        print_json(_document(routing, chosen, missing))
    else:
        out.print(_table(routing))
        for line in _strategy_lines(chosen):
            out.print(line)
    for route in chosen.routes:
        route.require_key()


def _table(routing: Routing) -> Table:
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for setting in routing.settings:
        table.add_row(
            setting.name, "-" if setting.value is None else escape(setting.value), escape(setting.origin)
        )
    return table


def _strategy_lines(strategy: Strategy) -> list[str]:
    routes = strategy_routes(strategy)
    return [
        f"strategy {strategy.name} ({strategy.type})",
        *(f"  {role}: {name}" for role, name in routes.items()),
    ]


def strategy_routes(strategy: Strategy) -> dict[str, str]:
    """Role to `provider/model`, for every role of the strategy's policy."""
    named: dict[str, Route | None] = {"draft": strategy.draft, "repair": strategy.repair}
    named.update((f"fallback {n}", route) for n, route in enumerate(strategy.fallbacks, start=1))
    named.update((f"also {n}", route) for n, route in enumerate(strategy.others, start=1))
    named.update((f"rule {n}", rule.draft) for n, rule in enumerate(strategy.rules, start=1))
    named.update({"escalate to": strategy.escalate_to, "hedge": strategy.hedge})
    return {role: f"{route.provider}/{route.model}" for role, route in named.items() if route is not None}


def _document(routing: Routing, strategy: Strategy, missing: list[str]) -> dict[str, object]:
    return {
        "settings": {s.name: {"value": s.value, "origin": s.origin} for s in routing.settings},
        "strategy": {"name": strategy.name, "type": strategy.type, "routes": strategy_routes(strategy)},
        "missing_keys": missing,
    }
