"""docs/dashboard.md: its commands parse, and every page, parameter and option is in it."""

import ast
import re
import shlex
from pathlib import Path

import typer

from harness.bundle import bundled
from harness.cli.dashboard import app
from harness.processes.pictures import PAGES

PAGE = (Path(__file__).parents[2] / "docs/dashboard.md").read_text()
COMMAND = typer.main.get_command(app)


def test_the_commands_parse():
    lines = [
        line for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
    ]
    assert len(lines) == 5
    for line in lines:
        program, name, *arguments = shlex.split(line)
        assert (program, name) == ("harness", "dashboard")
        COMMAND.make_context("dashboard", arguments)


def test_every_option_and_page_is_documented():
    for option in COMMAND.params:
        assert option.name == "help" or option.opts[0] in PAGE, option.opts
    for name in PAGES[1:]:
        assert f"`/{name}`" in PAGE


def test_every_url_parameter_is_documented():
    folder = bundled("dashboard", "app.py").parent
    keys = {key for path in folder.rglob("*.py") for key in _bound_keys(ast.parse(path.read_text()))}
    assert {"by", "volume", "request", "since"} <= keys
    table = PAGE.split("## Links")[1]
    for key in keys:
        assert f"`{key}`" in table, key


def _bound_keys(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            named = {word.arg: word.value for word in node.keywords}
            if "bind" in named and isinstance(named.get("key"), ast.Constant):
                yield named["key"].value
