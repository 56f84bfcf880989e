"""`harness export datadog`: dashboards and monitors as JSON, and onto Datadog."""

import os
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.alerts import load_rules
from harness.alerts.datadog_dashboards import dashboards
from harness.alerts.datadog_monitors import monitor
from harness.cli.alerts.options import RulesOption
from harness.cli.console import JsonOption, err, out, print_json
from harness.cli.lazy import command
from harness.errors import EXIT_USAGE, UsageError
from harness.outputs import replace_files
from harness.records import dump_json

app = command()


@app.command()
def datadog(
    *,
    out_dir: Annotated[Path, typer.Option("--out", metavar="DIR", help="Write the JSON files here.")] = Path(
        "datadog"
    ),
    push: Annotated[
        bool,
        typer.Option("--apply", help="Create or update them at Datadog (DD_API_KEY, DD_APP_KEY, DD_SITE)."),
    ] = False,
    rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two dashboards and a monitor for each alert rule, for Datadog.

    Example: harness export datadog --out datadog
    """
    known = load_rules(rules)
    problems = list(known.problems)
    monitors = []
    for rule in known:
        try:
            monitors.append((rule.name, monitor(rule)))
        except ValueError as error:
            problems.append(f"rule '{rule.name}' cannot be said to Datadog: {error}")
    for problem in problems:
        err.print(f"harness: {problem}", markup=False, soft_wrap=True)
    boards = dashboards()
    files = {f"dashboard-{board['title'].lower().replace(' ', '-')}.json": board for board in boards}
    files |= {f"monitor-{name}.json": document for name, document in monitors}
    replace_files({out_dir / name: dump_json(item, indent=True) + b"\n" for name, item in files.items()})
    applied = _applied(boards, [document for _, document in monitors]) if push else []
    if as_json:
        print_json(
            {"files": [str(out_dir / name) for name in files], "applied": applied, "problems": problems}
        )
    else:
        out.print(f"wrote {len(files)} files to {out_dir}", markup=False)
        for item in applied:
            verb = "created" if item.created else "updated"
            out.print(f"{verb} {item.kind} {item.id}: {item.name}", markup=False, soft_wrap=True)
    if problems:
        raise typer.Exit(EXIT_USAGE)


def _applied(boards: list[dict[str, Any]], monitors: list[dict[str, Any]]) -> list[Any]:
    try:
        client = import_module("harness.alerts.datadog_apply")
    except ImportError as error:
        raise UsageError("--apply needs the extra 'datadog': pip install 'llm-harness[datadog]'") from error
    applied: list[Any] = client.apply(boards, monitors, dict(os.environ))
    return applied
