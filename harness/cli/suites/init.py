"""`harness suites init`: a suite for a data set of one's own."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import out
from harness.cli.lazy import command
from harness.evaluation.suite_writing import write_suite

app = command()


@app.command()
def init(
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where `suite.yaml` is written.")],
    data: Annotated[Path, typer.Option(help="The data set: .csv, .tsv, .jsonl, .yaml or .txt.")],
    prompt: Annotated[str, typer.Option(help="What is asked, with columns in braces: '{question}'.")],
    expected: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that holds the reference answer.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="The system prompt, with columns in braces.")] = None,
) -> None:
    """A suite for a data set of your own, which runs as it is.

    Example: harness suites init support --data questions.csv --prompt '{question}' --expected answer
    """
    suite = write_suite(folder, data, prompt=prompt, system=system, expected=expected)
    out.print(
        Text(
            f"{suite.path}: {len(suite.cases):,} cases, graded by {', '.join(suite.marking.names) or 'none'}"
        )
    )
    out.print(
        Text(
            f"ask a model: harness eval {folder} --model local=http://127.0.0.1:8000/v1:my-model "
            "--price local=0.2/0.6",
            style="dim",
        ),
        soft_wrap=True,
    )
