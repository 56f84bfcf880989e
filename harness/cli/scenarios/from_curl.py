"""`harness scenarios from-curl`: a first file from a curl command."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import out
from harness.cli.lazy import command
from harness.load.first_file import write_first_file

app = command()


@app.command()
def from_curl(
    curl: Annotated[str, typer.Argument(metavar="'curl ...'", help="The command, as one quoted argument.")],
    *,
    out_path: Annotated[Path, typer.Option("--out", help="The file that is written; none is overwritten.")],
    send: Annotated[
        bool, typer.Option("--probe", help="Send the request once, and say where in its answer things stand.")
    ] = False,
) -> None:
    """Write a first scenario file that already runs; secrets become variables of the environment.

    Example: harness scenarios from-curl 'curl http://127.0.0.1:8000/ask -d "{}"' --out mine.yaml --probe
    """
    first = write_first_file(curl, out_path, send=send)
    out.print(
        Text(f"{out_path}: {first.found or 'nothing recognised yet' if send else 'written'}"), soft_wrap=True
    )
    for variable in first.variables:
        out.print(Text(f"before a run: export {variable}=..."), soft_wrap=True)
    out.print(Text(f"next: harness scenarios check {out_path}"), soft_wrap=True)
