"""Groups of commands whose files are imported only when one of them runs."""

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class LazyGroup(TyperGroup):
    """Knows its commands by name and help; the file that holds one is imported when it is asked for."""

    package: ClassVar[str]
    table: ClassVar[Mapping[str, str]]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        names: dict[str, Any] = dict.fromkeys(self.table)
        self.commands = names  # for the order, and for "did you mean"

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the base class's signature
        """The command, imported; None when there is none of that name."""
        if cmd_name not in self.table:
            return None
        file = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command = typer.main.get_command(import_module(f"{self.package}.{file}").app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The table, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))


def command() -> typer.Typer:
    """The app of one command's file."""
    return typer.Typer(rich_markup_mode=None, add_completion=False)


def group(home: str, commands: Mapping[str, str], about: str) -> typer.Typer:
    """The app of a folder of commands.

    Args:
        home: the folder's package; each command is the `app` of the file of its name there.
        commands: one-line help by name, in the order shown.
        about: help of the group.
    """

    class Group(LazyGroup):
        package = home
        table = commands

    app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None, add_completion=False)
    app.callback(help=about)(_nothing)
    return app


def _nothing() -> None:
    pass
