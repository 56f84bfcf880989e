"""`harness alerts backtest`: the rules over the store's history."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from harness.alerts import backtest
from harness.cli.alerts.options import RulesOption, event_row, moment_of, rules_of, seconds_of
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.errors import EXIT_USAGE, UsageError
from harness.report.tables import plain_table
from harness.store import open_store

app = command()
MAX_TICKS = 100_000


@app.command()
def backtest_rules(
    *,
    start: Annotated[str, typer.Option("--from", help="Begin here (ISO 8601, UTC).")],
    end: Annotated[str | None, typer.Option("--to", help="End here; now by default.")] = None,
    every: Annotated[str, typer.Option(help="Evaluate this often: 1m, 5m.")] = "5m",
    rules: RulesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """What the rules would have said over the store's history; records and sends nothing.

    Example: harness alerts backtest --from 2026-11-22 --to 2026-11-23 --every 5m
    """
    known = rules_of(rules)
    began = moment_of(start, "--from")
    ended = datetime.now(UTC) if end is None else moment_of(end, "--to")
    step_s = seconds_of(every, "--every")
    if ended < began or (ended - began).total_seconds() / step_s > MAX_TICKS:
        raise UsageError(f"--from, --to and --every give no evaluation, or more than {MAX_TICKS:,}")
    opened = open_store(store)
    opened.ingest()
    with opened.snapshot() as view:
        history = backtest(view, known, began, ended, timedelta(seconds=step_s))
    if as_json:
        print_json({"from": began, "to": ended, "changes": history, "problems": known.problems})
    else:
        rows = [event_row(event) for event in history]
        out.print(plain_table(("when (UTC)", "rule", "state", "value", "threshold"), rows))
    if known.problems:
        raise typer.Exit(EXIT_USAGE)
