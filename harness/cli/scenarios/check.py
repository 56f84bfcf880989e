"""`harness scenarios check`: one request, and what was found where."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from harness.addresses import shown
from harness.cli.console import JsonOption, out, print_json
from harness.cli.lazy import command
from harness.errors import EXIT_FAIL, UsageError
from harness.load.plan import LoadPlan, header_variables
from harness.load.probing import Probe, probe
from harness.load.scenario.model import Scenario
from harness.load.scenario.shipped import scenario_of

app = command()


@app.command()
def check(
    scenario: Annotated[str, typer.Argument(metavar="FILE|NAME", help="A file, or one that ships.")],
    *,
    target: Annotated[str | None, typer.Option(help="Base URL (default: the scenario's own).")] = None,
    cases: Annotated[
        Path | None, typer.Option(help="Cases (default: the scenario's); the first is sent.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="For scenarios whose target is a bare model.")] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="'Name: env:VARIABLE'; the value is never shown.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds until the request has failed.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Send one request and show what was found where in its answer. Exits 1 if it was no good answer.

    Example: harness scenarios check mine.yaml --target http://127.0.0.1:8000
    """
    read = scenario_of(scenario)
    url = target or read.target
    if url is None:
        raise UsageError(f"{read.source}: names no `target`; say it there, or with --target URL")
    plan = LoadPlan(
        run_id="check",
        name="check",
        target=url,
        scenario=scenario,
        store_dir=Path(),
        cases_path=cases or read.cases,
        model=model,
        header_env=header_variables(header or []),
        timeout_s=timeout,
        max_requests=2,
    )
    found = probe(read, plan, os.environ)
    if as_json:
        print_json({"scenario": read.name, "target": shown(url), **found.as_json()})
    else:
        out.print(Text(f"{read.name}: one request to {shown(url)}", style="bold"))
        _show(found, read)
    raise typer.Exit(0 if found.is_ok else EXIT_FAIL)


def _show(found: Probe, scenario: Scenario) -> None:
    table = Table(box=None, pad_edge=False)
    for column in (*(["step"] if scenario.is_journey else []), "what", "where", "found"):
        table.add_column(column, overflow="fold")
    for item in found.findings:
        value = Text("nothing there", style="bold red") if item.found is None else Text(item.found)
        table.add_row(*([item.step] if scenario.is_journey else []), item.what, item.where, value)
    if found.findings:
        out.print(table)
    for name, said in found.summary():
        out.print(Text(f"{name:<14}{said}"), soft_wrap=True)
    if found.there:
        out.print(Text(f"the answer has: {', '.join(found.there)}"), soft_wrap=True)
