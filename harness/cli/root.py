"""The root of all commands, for Typer."""

import typer

from harness.cli.app import ABOUT, COMMANDS
from harness.cli.lazy import group
from harness.version import __version__

app = group("harness.cli", COMMANDS, ABOUT)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback(help=f"{ABOUT}\n\nExample: harness demo")
def root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Take the options that belong to no command."""
