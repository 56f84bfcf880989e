"""`harness dashboard`: the Streamlit application on a store, on loopback."""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from harness.bundle import bundle_root, bundled
from harness.cli.console import DEFAULT_STORE, StoreOption
from harness.cli.processes import module_command
from harness.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False)

HOST = "127.0.0.1"


@app.command()
def dashboard(
    *,
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 lets the system pick.")] = 8501,
    port_file: Annotated[Path | None, typer.Option(help="Write the port here when ready.")] = None,
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
        from harness.cli.dashboard_pictures import save_pictures  # noqa: PLC0415 - playwright is an extra

        save_pictures(store, screenshots, query=query)
        return
    command = [*dashboard_command(), "--port", str(free_port(port))]
    if port_file is not None:
        command += ["--port-file", str(port_file.resolve())]
    # In this very process: signals, exit code and lifeline stay those of the command.
    os.execve(sys.executable, command, dashboard_env(store))  # noqa: S606 - our own program, no shell


def dashboard_command() -> list[str]:
    """The command line that serves the dashboard, without its port.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    bundled("dashboard", "app.py")
    return module_command("dashboard")


def dashboard_env(store: Path) -> dict[str, str]:
    """This environment, with the store's place and the bundle importable."""
    env = dict(os.environ)
    env["HARNESS_STORE"] = str(store.resolve())
    env["PYTHONPATH"] = _with_path(env, str(bundle_root()))
    return env


def _with_path(env: Mapping[str, str], folder: str) -> str:
    rest = env.get("PYTHONPATH")
    return f"{folder}{os.pathsep}{rest}" if rest else folder


def free_port(wanted: int) -> int:
    """A port that can be bound on loopback now.

    Raises:
        UsageError: the wanted one is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            raise UsageError(
                f"port {wanted} on {HOST} is taken ({error.strerror}); --port 0 picks a free one"
            ) from error
        return int(probe.getsockname()[1])
