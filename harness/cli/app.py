"""The `harness` command: a table of commands, each imported only when it is used."""

import importlib
import io
import os
import sys
from contextlib import suppress
from typing import Any

import typer
from typer.core import TyperGroup

from harness.errors import EXIT_INTERRUPTED, EXIT_USAGE, HarnessError
from harness.outputs import disk_is_full, refused
from harness.version import __version__

COMMANDS: dict[str, str] = {
    "demo": "emulator, service and 300 requests in a minute: baseline, gate, report",
    "baseline": "drive load at a service and record every request",
    "calibrate": "measure the harness's own error on this machine",
    "eval": "a suite through several strategies: graded, priced, compared",
    "gate": "PASS, FAIL or INCONCLUSIVE on a run",
    "compare": "two runs: differences with intervals",
    "savings": "what one strategy saves against another, measured and what-if",
    "power": "how many requests or cases a question needs",
    "runs": "list, show, publish, re-price and prune runs",
    "cost": "what a draft and a repair cost, apart and together",
    "prices": "list, show and check the prices of models",
    "config": "what was resolved, and from where",
    "strategies": "the mixes of providers there are, compared; which one to take",
    "export": "rows as Parquet or CSV, dashboards and monitors for Datadog",
    "ingest": "events that any service wrote, into the store",
    "doctor": "is this ready for production?",
    "alerts": "cost spikes, errors, fixtures in production, changed routing",
    "store": "check, repair and measure the store",
    "dashboard": "compare providers, costs and quality in the browser",
    "serve": "the reference service",
    "emulate": "a loopback stand-in for the providers",
}
"""Name and one-line help; the code is in `harness/cli/<name>.py`, which holds `app`, or in a folder."""

HOMES = {
    "cost": "cost.command",
    "export": "export.group",
    "prices": "prices.group",
    "runs": "runs.group",
    "strategies": "strategies.group",
}
"""Where `app` is for a command that has a folder."""


class LazyGroup(TyperGroup):
    """Knows every command by name and help; imports a command's module when it runs."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base class's signature
        """The commands in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command, imported; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"harness.cli.{HOMES.get(cmd_name, cmd_name)}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        command.params = [item for item in command.params if not (item.name or "").endswith("_completion")]
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The table, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Decide which LLM providers to run in production, and prove it with numbers.

    Example: harness demo
    """


def _buffer_output() -> None:
    """Give standard output its buffer where PYTHONUNBUFFERED took it.

    Without one, Python lets a write that a full disk cut short pass for a whole one.
    """
    if sys.stdout is not sys.__stdout__ or not isinstance(sys.stdout, io.TextIOWrapper):
        return
    if isinstance(sys.stdout.buffer, io.RawIOBase):
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        raw: Any = sys.stdout.detach()
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=True
        )


def _drop_output() -> None:
    """Let go of what standard output still holds: the interpreter would try to write it again at its end."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def main() -> None:
    """Run a command; every deliberate error is one sentence and its exit code."""
    _buffer_output()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # at the interpreter's end it would be too late for a sentence
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:  # standard output, or a temporary file, on a full disk
        if not disk_is_full(error):
            raise
        print(f"harness: {refused(str(error.filename or 'the output'), error)}", file=sys.stderr)
        _drop_output()
        sys.exit(EXIT_USAGE)
