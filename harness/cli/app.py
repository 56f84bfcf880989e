"""The `harness` command: its table of commands, and the ways in which any of them may end.

Nothing heavy is imported here: help and version need no more than this file, and a command imports its own.
"""

import gc
import io
import os
import sys
from contextlib import suppress
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from harness.errors import EXIT_INTERRUPTED, EXIT_USAGE, HarnessError
from harness.outputs import disk_is_full, refused
from harness.version import __version__

ABOUT = "Decide which LLM providers to run in production, and prove it with numbers."
COMMANDS: dict[str, str] = {
    "demo": "emulator, service and 300 requests in a minute: baseline, gate, report",
    "baseline": "drive load at a service and record every request",
    "scenarios": "what load asks of a service of your own: list, check, write",
    "calibrate": "measure the harness's own error on this machine",
    "eval": "a suite through several strategies: graded, priced, compared",
    "suites": "write, list and check suites of your own",
    "gate": "PASS, FAIL or INCONCLUSIVE on a run",
    "compare": "two runs: differences with intervals",
    "savings": "what one strategy saves against another, measured and what-if",
    "power": "how many requests or cases a question needs",
    "runs": "list, show, publish, re-price and prune runs",
    "cost": "what a draft and a repair cost, apart and together",
    "prices": "list, show and check the prices of models",
    "providers": "what an endpoint really does, and the entry for it",
    "config": "what was resolved, and from where",
    "strategies": "the mixes of providers there are, compared; which one to take",
    "export": "rows as Parquet or CSV, dashboards and monitors for Datadog",
    "ingest": "events that any service wrote, into the store",
    "import": "another tool's result file, as a run of its own",
    "doctor": "is this ready for production?",
    "alerts": "cost spikes, errors, fixtures in production, changed routing",
    "store": "check, repair and measure the store",
    "dashboard": "compare providers, costs and quality in the browser",
    "serve": "the reference service",
    "emulate": "a loopback stand-in for the providers",
}
"""One-line help by name; the `app` of each is in `harness/cli/<name>.py`, or in a folder of that name."""

_LEAST_COLUMNS, _MOST_COLUMNS = 50, 80
_COLLECT_EVERY = 50_000
"""Objects between garbage collections: what imports make lives for ever, and looking through it again and
again takes a sixth of a short command's time. For the same reason pydantic looks for no plug-ins."""


def help_text(program: str) -> str:
    """What `harness --help` prints."""
    columns = max(_LEAST_COLUMNS, min(get_terminal_size().columns, _MOST_COLUMNS) - 2)
    gap = max(map(len, COMMANDS)) + 4
    options = {"--version": "Print the version and exit.", "--help": "Show this message and exit."}
    usage = f"Usage: {program} "
    lines = [*wrap(f"{usage}[OPTIONS] COMMAND [ARGS]...", columns, subsequent_indent=" " * len(usage)), ""]
    lines += [
        *wrap(ABOUT, columns, initial_indent="  ", subsequent_indent="  "),
        "",
        "  Example: harness demo",
    ]
    for title, table in (("Options", options), ("Commands", COMMANDS)):
        lines += ["", f"{title}:"]
        indent = gap if table is COMMANDS else max(map(len, table)) + 4
        for name, words in table.items():
            first, *rest = wrap(words, columns - indent)
            lines += [f"  {name:<{indent - 2}}{first}", *(" " * indent + line for line in rest)]
    return "\n".join(lines)


def _run() -> None:
    """Answer a question about the whole, or hand over to a command."""
    arguments = sys.argv[1:]
    if arguments in ([], ["--help"]):
        program = os.path.basename(sys.argv[0])  # noqa: PTH119 - a name, not a path
        text = help_text("python -m harness" if program == "__main__.py" else program)
        print(text, file=sys.stdout if arguments else sys.stderr)
        sys.exit(0 if arguments else EXIT_USAGE)
    if arguments == ["--version"]:
        print(__version__)
        return
    gc.set_threshold(_COLLECT_EVERY)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    from harness.cli.root import app  # noqa: PLC0415 - Typer, which help and version do without

    app()


def _buffer_output() -> None:
    """Give standard output its buffer where PYTHONUNBUFFERED took it.

    Without one, Python lets a write that a full disk cut short pass for a whole one.
    """
    if sys.stdout is not sys.__stdout__ or not isinstance(sys.stdout, io.TextIOWrapper):
        return
    if isinstance(sys.stdout.buffer, io.RawIOBase):
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        raw: Any = sys.stdout.detach()
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=True
        )


def _drop_output() -> None:
    """Let go of what standard output still holds: the interpreter would try to write it again at its end."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def main() -> None:
    """Run a command; every deliberate error is one sentence and its exit code."""
    _buffer_output()
    try:
        try:
            _run()
        finally:
            sys.stdout.flush()  # at the interpreter's end it would be too late for a sentence
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:  # standard output, or a temporary file, on a full disk
        if not disk_is_full(error):
            raise
        print(f"harness: {refused(str(error.filename or 'the output'), error)}", file=sys.stderr)
        _drop_output()
        sys.exit(EXIT_USAGE)
