"""`harness alerts watch`: the rules against the store, again and again."""

import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape

from harness.alerts import check_alerts
from harness.cli.alerts.options import (
    DryRunOption,
    RulesOption,
    event_row,
    print_problems,
    rules_of,
    seconds_of,
    webhook_of,
)
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out
from harness.cli.lazy import command
from harness.errors import StoreError
from harness.processes.lifeline import watch_lifeline
from harness.records import AlertEvent, dump_json

app = command()


@app.command()
def watch(
    *,
    every: Annotated[str, typer.Option(help="How often, with its unit: 10s, 1m.")] = "30s",
    late_by: Annotated[
        str, typer.Option(help="Also fire for windows that ended this long ago, when their data comes late.")
    ] = "2h",
    rules: RulesOption = None,
    dry_run: DryRunOption = False,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Check again and again, a line for each change, until stopped.

    Example: harness alerts watch --every 10s
    """
    watch_lifeline()
    pause_s = seconds_of(every, "--every")
    late = timedelta(seconds=seconds_of(late_by, "--late-by"))
    known = rules_of(rules)
    webhook = webhook_of(dry_run=dry_run)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    err.print(f"watching {len(known)} rules every {every}")
    last_problem = ""
    while not stopped.is_set():
        try:
            now = datetime.now(UTC)
            report = check_alerts(store, known, now, webhook=webhook, dry_run=dry_run, late_by=late)
        except StoreError as error:
            if str(error) != last_problem:
                err.print(f"harness: {error}", markup=False)
            last_problem = str(error)
        else:
            last_problem = ""
            for event in report.changes:
                _print_change(event, as_json=as_json)
            print_problems(report)
        stopped.wait(pause_s)


def _print_change(event: AlertEvent, *, as_json: bool) -> None:
    if as_json:
        print(dump_json(event).decode(), flush=True)
    else:
        note = (str(event.detail["note"]),) if "late_to" in event.detail else ()
        out.print(escape("  ".join((*event_row(event), *note))), soft_wrap=True)
