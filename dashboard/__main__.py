"""Serve the dashboard: `python -m dashboard`, as `harness dashboard` starts it.

Rather than `streamlit run`, so that the process holds a lifeline and says when it is ready.
"""

import argparse
import sys
import time
import urllib.error
import urllib.request
from _thread import start_new_thread
from pathlib import Path

from streamlit import net_util
from streamlit.web import cli

from harness.outputs import replace_file
from harness.processes.lifeline import watch_lifeline

HOST = "127.0.0.1"
OWN_HOSTS = (HOST, "localhost", "::1")
_READY_WITHIN_S = 60.0

OPTIONS = {
    "server.address": HOST,
    "server.headless": "true",
    "runner.magicEnabled": "false",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "browser.serverAddress": HOST,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "minimal",
    # Streamlit's own CSV export does not neutralise formula cells; ours does.
    "client.disableDataExport": "true",
    "theme.paddingTop": "2.5rem",
    "theme.light.primaryColor": "#2563eb",
    "theme.dark.primaryColor": "#60a5fa",
    "theme.metricValueFontSize": "1.6rem",
    "theme.baseFontSize": "15",
    "theme.codeFontSize": "0.85rem",
}
"""Streamlit's configuration; nothing of it comes from the folder in which the command was given."""


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    watch_lifeline()
    parser = argparse.ArgumentParser(prog="python -m dashboard", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--allow-host", action="append", default=[])
    options = parser.parse_args()
    start_new_thread(_tell_when_ready, (options.port, options.port_file))
    app = Path(__file__).with_name("app.py")
    flags = [f"--{name}={value}" for name, value in {**OPTIONS, "server.port": str(options.port)}.items()]
    # Any other Host is somebody's page that a browser here was sent to: rebinding.
    flags += [f"--server.allowedHosts={host}" for host in (*OWN_HOSTS, *options.allow_host)]
    net_util.get_external_ip = net_util.get_internal_ip = _no_look_up
    sys.argv = ["streamlit", "run", str(app), *flags]
    cli.main(prog_name="streamlit")


def _no_look_up() -> str | None:
    """Streamlit asks a service of Amazon's who this machine is, whenever a foreign page knocks."""
    return None


def _tell_when_ready(port: int, port_file: Path | None) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    url = f"http://{HOST}:{port}"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):  # noqa: S310 - our own loopback
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    else:
        return
    if port_file is not None:
        replace_file(port_file, f"{port}\n".encode())
    print(f"listening on {url}", flush=True)  # noqa: T201 - what the command promises to print


main()
