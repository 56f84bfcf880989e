"""`harness suites check`: what a suite asks and how it grades, with nothing sent."""

from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import JsonOption, out, print_json
from harness.cli.lazy import command
from harness.evaluation import load_suite
from harness.tasks.from_file import task_of

app = command()


@app.command()
def check(
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help="A built-in suite's name, a file, or a folder.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Hold everything that a suite says against its data set, and show the first question; nothing is sent.

    Example: harness suites check golden
    """
    loaded = load_suite(suite)
    first = loaded.cases[0]
    task = task_of(loaded.asked(), first)
    prompt = task.draft_prompt(task.parse_input(first.body))
    messages = [{"role": "system", "content": prompt.system}] * bool(prompt.system) + prompt.messages
    said = {
        "suite": loaded.name,
        "file": str(loaded.path),
        "task": loaded.task,
        "cases": len(loaded.cases),
        "repeats": loaded.repeats,
        "strategies": list(loaded.strategies),
        "graders": list(loaded.marking.names),
        "judges": list(loaded.marking.judges),
        "first_case": first.case_id,
        "first_prompt": messages,
    }
    if as_json:
        print_json(said)
        return
    for name in ("suite", "file", "task", "cases", "repeats", "strategies", "graders", "judges"):
        value = said[name]
        shown = ", ".join(value) or "none" if isinstance(value, list) else str(value)
        out.print(Text(f"{name:<11}{shown}"), soft_wrap=True)
    out.print(Text(f"\nfirst question ({first.case_id}):", style="bold"))
    for message in messages:
        out.print(Text(f"[{message['role']}] {message['content']}"))
