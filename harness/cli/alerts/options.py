"""What the commands about alerts share: their options, and how a change is told."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from harness.alerts import WEBHOOK_VARIABLE, CheckReport, RuleSet, Webhook, load_rules
from harness.alerts.rule import parse_window_s
from harness.cli.console import err
from harness.errors import UsageError
from harness.records import AlertEvent

RulesOption = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        envvar="HARNESS_ALERT_RULES",
        help="Your own rules (YAML), beside the built-in ones; one of the same name replaces it.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Record nothing, tell nobody.")]


def rules_of(path: Path | None) -> RuleSet:
    """The rules; a wrong one is a sentence, and the others still run."""
    known = load_rules(path)
    for problem in known.problems:
        err.print(f"harness: {problem}", markup=False, soft_wrap=True)
    return known


def webhook_of(*, dry_run: bool) -> Webhook | None:
    """The webhook of the environment; None without one, and in a dry run."""
    url = os.environ.get(WEBHOOK_VARIABLE, "").strip()
    return Webhook(url) if url and not dry_run else None


def moment_of(text: str, flag: str) -> datetime:
    """The moment that a flag names; without a zone it is UTC.

    Raises:
        UsageError: no moment.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{flag}: '{text}' is no moment; write 2026-11-23T12:00:00Z") from None


def seconds_of(text: str, flag: str) -> int:
    """The duration that a flag names, seconds.

    Raises:
        UsageError: no duration.
    """
    try:
        return parse_window_s(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from None


def print_problems(report: CheckReport) -> None:
    """Say who could not be told."""
    for problem in report.problems:
        err.print(f"not told: {problem}", markup=False)


def print_remarks(report: CheckReport) -> None:
    """Say which rules can find nothing."""
    for remark in report.remarks:
        err.print(f"note: {remark}", markup=False, soft_wrap=True)


def event_row(event: AlertEvent) -> tuple[str, ...]:
    """A change as cells: when, rule, state, value, threshold."""
    group = event.detail.get("group")
    return (
        event.ts.strftime("%Y-%m-%d %H:%M:%S"),
        event.rule if group is None else f"{event.rule} ({group})",
        event.state.value,
        str(event.detail.get("shown")),
        f"{event.threshold:g}",
    )
