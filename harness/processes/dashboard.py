"""How the dashboard is served: its command line, its environment and a free port."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from harness.bundle import bundle_root, bundled
from harness.errors import UsageError
from harness.processes.children import module_command

HOST = "127.0.0.1"


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
