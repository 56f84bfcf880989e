"""`harness doctor`: is this set up as it must be, before production finds out?"""

import os
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.alerts.options import RulesOption
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.doctor.checks import Answer, Check, Question, examine, present
from harness.errors import EXIT_FAIL
from harness.report.tables import plain_table

app = command()


@app.command()
def doctor(
    *,
    production: Annotated[
        bool, typer.Option("--production", help="The checklist before production: unknown is not enough.")
    ] = False,
    target: Annotated[
        str | None, typer.Option(envvar="PERF_TARGET_URL", help="Base URL of the service to examine.")
    ] = None,
    test_request: Annotated[
        bool,
        typer.Option("--test-request/--no-test-request", help="Send one real request, which costs money."),
    ] = True,
    rules: RulesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Environment, keys, providers, health, a test request, telemetry, gate, alerts. Exit 1 when one fails.

    Example: harness doctor --production --target https://assist.example.com
    """
    question = Question(
        env=dict(os.environ),
        store_dir=Path(store),
        target=target,
        production=production,
        send_request=test_request,
        rules=rules,
        now=present(),
    )
    checks = examine(question)
    failed = [check for check in checks if _fails(check, production=production)]
    if as_json:
        print_json({"ok": not failed, "production": production, "checks": checks})
    else:
        rows = [(check.answer.value, check.name, check.sentence) for check in checks]
        out.print(plain_table(("answer", "check", "why"), rows))
        verdict = "ready" if not failed else f"not ready: {len(failed)} of {len(checks)} checks"
        out.print(verdict, style="bold")
    if failed:
        raise typer.Exit(EXIT_FAIL)


def _fails(check: Check, *, production: bool) -> bool:
    return check.answer is Answer.FAIL or (production and check.answer is Answer.UNKNOWN)
