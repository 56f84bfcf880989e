import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def load_reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = load_reference()
COMMANDS = dict(REFERENCE.commands())


def shown_commands() -> list[tuple[str, str]]:
    """Every `harness ...` line of a code block, continuation lines joined."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```(?:console|sh|bash)\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                text = re.sub(r"^([A-Z_]+=\S+ )+", "", line.strip().removeprefix("$ "))
                if text.startswith("harness "):
                    found.append((page.name, text.split(" | ")[0].split(" > ")[0].rstrip("& ")))
    return found


def test_the_reference_page_is_current() -> None:
    assert REFERENCE.PAGE.read_text() == REFERENCE.reference(), "run `make reference`"


def test_every_flag_says_what_it_does() -> None:
    silent = [
        (name, flag)
        for name, command in COMMANDS.items()
        for flag, text in REFERENCE.parameters(command)
        if not text
    ]
    assert silent == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_parses(name: str) -> None:
    example = re.search(r"Example: (?:[A-Z_]+=\S+ )*(harness .*)", COMMANDS[name].help or "")
    assert example, f"{name} --help has no example"
    parse(example.group(1))


@pytest.mark.parametrize(("page", "command"), shown_commands())
def test_every_documented_command_parses(page: str, command: str) -> None:
    parse(command)


def test_every_variable_that_a_flag_reads_is_documented() -> None:
    read = {
        variable
        for command in COMMANDS.values()
        for parameter in command.params
        for variable in ([parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or [])
    }
    assert read <= set(REFERENCE.SETTINGS)


def parse(line: str) -> None:
    """Parse a command line down to its last flag without running it; a wrong one raises."""
    words = shlex.split(line, comments=True)
    name = max((name for name in COMMANDS if words[: len(name.split())] == name.split()), key=len, default="")
    assert name, f"no such command: {line}"
    COMMANDS[name].make_context(name, words[len(name.split()) :])
