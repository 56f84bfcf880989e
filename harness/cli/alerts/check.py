"""`harness alerts check`: the rules against the store, now."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from harness.alerts import CheckReport, RuleSet, ShownState, check_alerts
from harness.cli.alerts.options import (
    DryRunOption,
    RulesOption,
    moment_of,
    print_problems,
    print_remarks,
    rules_of,
    webhook_of,
)
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.errors import EXIT_FAIL, EXIT_USAGE
from harness.report.tables import plain_table

app = command()


@app.command()
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
    known = rules_of(rules)
    moment = datetime.now(UTC) if at is None else moment_of(at, "--at")
    report = check_alerts(store, known, moment, webhook=webhook_of(dry_run=dry_run), dry_run=dry_run)
    if as_json:
        print_json(_document(report, known, dry_run=dry_run))
    else:
        _print_states(report.states)
    print_problems(report)
    print_remarks(report)
    if known.problems:
        raise typer.Exit(EXIT_USAGE)
    if report.firing:
        raise typer.Exit(EXIT_FAIL)


def _print_states(states: list[ShownState]) -> None:
    rows = []
    for shown in states:
        found, rule = shown.found, shown.found.rule
        name = rule.name if found.group is None else f"{rule.name} ({found.group})"
        value, limit = rule.shown(found.value), rule.shown(rule.threshold)
        rows.append((shown.state.value, rule.severity, name, value, limit, str(found.n), found.note))
    out.print(plain_table(("state", "severity", "rule", "value", "threshold", "n", "note"), rows))


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
        "remarks": report.remarks,
    }
