"""`harness runs list`: what is in the store."""

from collections import Counter
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.records import RunKind
from harness.store import StoredRun, open_store

app = command()


@app.command()
def list_runs(
    *,
    store: StoreOption = DEFAULT_STORE,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many, latest first.")] = 30,
    every: Annotated[
        bool, typer.Option("--all", help="Also a service's own runs in which it has no requests.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """The runs of the store, latest first, with their last gate verdict.

    Example: harness runs list --limit 5
    """
    opened = open_store(store)
    opened.ingest()
    with opened.snapshot() as view:
        runs = view.runs()
        verdicts = dict(view.rows("SELECT run_id, arg_max(verdict, ts) FROM gate_results GROUP BY run_id"))
        counts = dict(
            view.rows("SELECT run_id, count(*) FROM requests WHERE warmup IS NOT TRUE GROUP BY run_id")
        )
    told = [run for run in runs if every or run.kind is not RunKind.SERVICE or counts.get(run.run_id)]
    shown = told[:limit]
    if as_json:
        print_json([_listed(run, counts.get(run.run_id, 0), verdicts.get(run.run_id)) for run in shown])
        return
    out.print(_table(shown, counts, verdicts))
    if len(told) > limit:
        out.print(f"{len(told) - limit} earlier runs not shown; --limit shows more", style="dim")
    if idle := len(runs) - len(told):
        out.print(f"{idle} runs of a service without requests of its own; --all shows them", style="dim")


def _listed(run: StoredRun, requests: int, verdict: str | None) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        "name": run.name,
        "kind": run.kind,
        "status": run.status,
        "provider_mode": run.provider_mode,
        "environment": run.environment,
        "target": run.target,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "requests": requests,
        "gate_verdict": verdict,
    }


def _table(runs: list[StoredRun], counts: dict[str, int], verdicts: dict[str, str]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("run", overflow="fold", min_width=26)
    for name in ("kind", "started (UTC)", "status", "mode", "gate"):
        table.add_column(name)
    table.add_column("requests", justify="right")
    names = Counter(run.name for run in runs)
    for run in runs:
        verdict = verdicts.get(run.run_id)
        table.add_row(
            escape(run.name if names[run.name] == 1 else f"{run.name} {run.run_id}"),
            run.kind.value,
            _minute(run.started_at),
            run.status.value,
            run.provider_mode.value if run.provider_mode else "unknown",
            verdict or "-",
            f"{counts.get(run.run_id, 0):,}",
        )
    return table


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
