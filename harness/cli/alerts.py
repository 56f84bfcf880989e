"""`harness alerts`: the rules against the store, now, again and again, or over its history."""

import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from harness.alerts import (
    WEBHOOK_VARIABLE,
    CheckReport,
    RuleSet,
    ShownState,
    Webhook,
    backtest,
    check_alerts,
    load_rules,
)
from harness.alerts.rule import parse_window_s
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out, print_json
from harness.errors import EXIT_FAIL, EXIT_USAGE, StoreError, UsageError
from harness.processes.lifeline import watch_lifeline
from harness.records import AlertEvent, dump_json
from harness.report import plain_table
from harness.store import open_store

app = typer.Typer(no_args_is_help=True, help="Cost spikes, errors, fixtures in production, changed routing.")

RulesOption = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        envvar="HARNESS_ALERT_RULES",
        help="Your own rules (YAML), beside the built-in ones; one of the same name replaces it.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Record nothing, tell nobody.")]
MAX_TICKS = 100_000


@app.command("check")
def check(
    *,
    at: Annotated[str | None, typer.Option(help="Judge this moment (ISO 8601, UTC), not now.")] = None,
    rules: RulesOption = None,
    dry_run: DryRunOption = False,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Evaluate every rule once, keep what changed, tell the webhook. Exit 1 while anything fires.

    Example: harness alerts check --json
    """
    known = _load(rules)
    moment = datetime.now(UTC) if at is None else _moment(at, "--at")
    report = check_alerts(store, known, moment, webhook=_webhook(dry_run=dry_run), dry_run=dry_run)
    if as_json:
        print_json(_document(report, known, dry_run=dry_run))
    else:
        _print_states(report.states)
    _print_problems(report)
    if known.problems:
        raise typer.Exit(EXIT_USAGE)
    if report.firing:
        raise typer.Exit(EXIT_FAIL)


@app.command("watch")
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
    pause_s = _duration_s(every, "--every")
    late = timedelta(seconds=_duration_s(late_by, "--late-by"))
    known = _load(rules)
    webhook = _webhook(dry_run=dry_run)
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
            _print_problems(report)
        stopped.wait(pause_s)


@app.command("backtest")
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
    known = _load(rules)
    began = _moment(start, "--from")
    ended = datetime.now(UTC) if end is None else _moment(end, "--to")
    step_s = _duration_s(every, "--every")
    if ended < began or (ended - began).total_seconds() / step_s > MAX_TICKS:
        raise UsageError(f"--from, --to and --every give no evaluation, or more than {MAX_TICKS:,}")
    opened = open_store(store)
    opened.ingest()
    with opened.snapshot() as view:
        history = backtest(view, known, began, ended, timedelta(seconds=step_s))
    if as_json:
        print_json({"from": began, "to": ended, "changes": history, "problems": known.problems})
    else:
        rows = [_event_row(event) for event in history]
        out.print(plain_table(("when (UTC)", "rule", "state", "value", "threshold"), rows))
    if known.problems:
        raise typer.Exit(EXIT_USAGE)


@app.command("rules")
def show_rules(*, rules: RulesOption = None, as_json: JsonOption = False) -> None:
    """The rules in force; exit 2 when one of them is wrong.

    Example: harness alerts rules --rules my-rules.yaml
    """
    known = _load(rules)
    if as_json:
        listed = [rule.model_dump(mode="json") for rule in known]
        print_json({"rules": listed, "problems": known.problems})
    else:
        rows = [
            (
                rule.name,
                rule.severity,
                f"{rule.metric} {rule.aggregation}"
                + (" change" if rule.compare == "change" else "")
                + (f" by {rule.group_by}" if rule.group_by else ""),
                _window(rule.window_s),
                f"{rule.direction} {rule.threshold:g}",
                rule.scope.environment or "any",
            )
            for rule in known
        ]
        header = ("rule", "severity", "measures", "over", "fires", "environment")
        out.print(plain_table(header, rows))
    if known.problems:
        raise typer.Exit(EXIT_USAGE)


def _load(path: Path | None) -> RuleSet:
    """The rules; a wrong one is a sentence, and the others still run."""
    known = load_rules(path)
    for problem in known.problems:
        err.print(f"harness: {problem}", markup=False, soft_wrap=True)
    return known


def _webhook(*, dry_run: bool) -> Webhook | None:
    url = os.environ.get(WEBHOOK_VARIABLE, "").strip()
    return Webhook(url) if url and not dry_run else None


def _moment(text: str, flag: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{flag}: '{text}' is no moment; write 2026-11-23T12:00:00Z") from None


def _duration_s(text: str, flag: str) -> int:
    try:
        return parse_window_s(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from None


def _window(seconds: int) -> str:
    return next(
        f"{seconds // size}{unit}" for unit, size in (("h", 3600), ("m", 60), ("s", 1)) if seconds % size == 0
    )


def _print_states(states: list[ShownState]) -> None:
    rows = []
    for shown in states:
        found, rule = shown.found, shown.found.rule
        name = rule.name if found.group is None else f"{rule.name} ({found.group})"
        value, limit = rule.shown(found.value), rule.shown(rule.threshold)
        rows.append((shown.state.value, rule.severity, name, value, limit, str(found.n), found.note))
    out.print(plain_table(("state", "severity", "rule", "value", "threshold", "n", "note"), rows))


def _print_problems(report: CheckReport) -> None:
    for problem in report.problems:
        err.print(f"not told: {problem}", markup=False)


def _print_change(event: AlertEvent, *, as_json: bool) -> None:
    if as_json:
        print(dump_json(event).decode(), flush=True)
    else:
        note = (str(event.detail["note"]),) if "late_to" in event.detail else ()
        out.print(escape("  ".join((*_event_row(event), *note))), soft_wrap=True)


def _event_row(event: AlertEvent) -> tuple[str, ...]:
    group = event.detail.get("group")
    return (
        event.ts.strftime("%Y-%m-%d %H:%M:%S"),
        event.rule if group is None else f"{event.rule} ({group})",
        event.state.value,
        str(event.detail.get("shown")),
        f"{event.threshold:g}",
    )


def _document(report: CheckReport, known: RuleSet, *, dry_run: bool) -> dict[str, Any]:
    return {
        "at": report.at,
        "dry_run": dry_run,
        "states": [
            {
                "rule": shown.found.rule.name,
                "group": shown.found.group,
                "state": shown.state,
                "since": shown.since,
                "severity": shown.found.rule.severity,
                "value": shown.found.value,
                "threshold": shown.found.rule.threshold,
                "n": shown.found.n,
                "note": shown.found.note or None,
            }
            for shown in report.states
        ],
        "changes": report.changes,
        "told": report.told,
        "problems": [*known.problems, *report.problems],
    }
