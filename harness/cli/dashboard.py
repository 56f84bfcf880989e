"""`harness dashboard`: the Streamlit application on a store, on loopback."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import DEFAULT_STORE, StoreOption, out
from harness.cli.lazy import command
from harness.errors import UsageError
from harness.processes.dashboard import dashboard_command, dashboard_env, free_port
from harness.store.reader import no_store_at

app = command()


@app.command()
def dashboard(
    *,
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 lets the system pick.")] = 8501,
    port_file: Annotated[Path | None, typer.Option(help="Write the port here when ready.")] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name under which a proxy shows it; others than loopback's are refused."),
    ] = None,
    screenshots: Annotated[
        Path | None,
        typer.Option(help="Save a picture of every page in this folder and end (needs playwright)."),
    ] = None,
    query: Annotated[str, typer.Option(help="Filters of the pictures, as in a link: 'kind=eval'.")] = "",
) -> None:
    """Compare providers, costs and quality in the browser; listens on 127.0.0.1 only.

    Example: harness dashboard --store results
    """
    if screenshots is not None:
        try:
            from harness.processes.pictures import save_pictures  # noqa: PLC0415 - an extra, used here only
        except ImportError as error:
            raise UsageError("--screenshots needs playwright: pip install 'llm-harness[dev]'") from error
        for path in save_pictures(store, screenshots, query=query):
            out.print(str(path))
        return
    if ":/" not in str(store) and not store.is_dir():
        raise no_store_at(store)
    command = [*dashboard_command(), "--port", str(free_port(port))]
    for host in allow_host or []:
        command += ["--allow-host", host]
    if port_file is not None:
        command += ["--port-file", str(port_file.resolve())]
    # In this very process: signals, exit code and lifeline stay those of the command.
    os.execve(sys.executable, command, dashboard_env(store))  # noqa: S606 - our own program, no shell
