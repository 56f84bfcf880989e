"""`harness ingest`: events that any service wrote, into the store."""

import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out, print_json
from harness.cli.lazy import command
from harness.errors import UsageError
from harness.imports.follow import follow
from harness.outputs import refused, write_whole
from harness.processes.lifeline import watch_lifeline
from harness.store import LogReport, ingest, ingest_events, open_store

app = command()

_PIECE_BYTES = 1024 * 1024


@app.command()
def ingest_log(
    log: Annotated[str, typer.Argument(metavar="FILE", help="A log of JSON lines; - reads standard input.")],
    *,
    join: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Fill this run's cost, provider and tier by request id."),
    ] = None,
    keep_following: Annotated[
        bool, typer.Option("--follow", help="Go on as the file grows, also when it is rotated.")
    ] = False,
    environment: Annotated[
        str | None, typer.Option(help="Environment of events that do not tell theirs.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Take the request events of a log; what was taken before is not taken again.

    Example: harness ingest service.jsonl --join latest
    """
    run_id = None if join is None else _run_id(store, join)
    options: dict[str, Any] = {"join_run": run_id, "environment": environment}
    if keep_following:
        watch_lifeline()
        total = _follow(store, log, options, as_json=as_json)
    elif log == "-":
        with _standard_input() as copied:
            total = _take(store, Path("standard input"), copied, options)
    else:
        total = _take(store, Path(log), None, options)
    if not keep_following:
        _refuse_nothing(log, total, joining=run_id is not None)
    if as_json:
        print_json({"file": log, "joined_to": run_id, **asdict(total)})
        return
    out.print(_sentence(total, joining=run_id is not None), markup=False, soft_wrap=True)


def _refuse_nothing(log: str, report: LogReport, *, joining: bool) -> None:
    """A log of which nothing at all was taken is the wrong file, or written in a way that is not read.

    Raises:
        UsageError: no event, now or in an earlier pass.
    """
    taken = report.joined if joining else report.events
    if taken or report.known or report.resumed_at:
        return
    if not report.lines:
        raise UsageError(f"{log}: holds no complete line")
    parts = [f"{report.bad_lines:,} cannot be read (table `quarantine` says why)"] if report.bad_lines else []
    parts += [f"{report.skipped:,} are about something else"] if report.skipped else []
    parts += [f"{report.unmatched:,} are about requests of other runs"] if report.unmatched else []
    raise UsageError(f"{log}: none of its {report.lines:,} lines was taken: {', '.join(parts)}")


def _run_id(store: Path, reference: str) -> str:
    opened = open_store(store)
    opened.ingest(wait=True)
    with opened.snapshot() as view:
        return view.run(reference).run_id


def _take(store: Path, source: Path, opened: Path | None, options: dict[str, Any]) -> LogReport:
    ingest(store)  # what a service spooled itself is known before its log is read
    return ingest_events(store, source, opened=opened, **options)


def _follow(store: Path, log: str, options: dict[str, Any], *, as_json: bool) -> LogReport:
    if log == "-":
        raise UsageError("--follow needs a file; a pipe is read to its end anyway")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    total = LogReport(run_id="")
    err.print(f"following {log}", markup=False)
    for opened in follow(Path(log), stopped):
        report = _take(store, Path(log), opened, options)
        total = _sum(total, report)
        if report.lines and not as_json:
            out.print(
                _sentence(report, joining=options["join_run"] is not None), markup=False, soft_wrap=True
            )
    return total


def _sum(total: LogReport, more: LogReport) -> LogReport:
    counts = {
        item.name: getattr(total, item.name) + getattr(more, item.name)
        for item in fields(LogReport)
        if item.name not in ("run_id", "resumed_at")
    }
    return LogReport(run_id=more.run_id or total.run_id, resumed_at=total.resumed_at, **counts)


@contextmanager
def _standard_input() -> Iterator[Path]:
    """Standard input as a file, so that how far it was taken can be remembered."""
    with tempfile.TemporaryDirectory(prefix="harness-ingest-") as folder:
        copy = Path(folder) / "copy"
        try:
            with copy.open("wb", buffering=0) as file:
                while piece := sys.stdin.buffer.read(_PIECE_BYTES):
                    write_whole(file.fileno(), piece)
        except OSError as error:
            raise refused("the copy of standard input", error) from error
        yield copy


def _sentence(report: LogReport, *, joining: bool) -> str:
    parts = [f"{report.events:,} good", f"{report.bad_lines:,} quarantined", f"{report.skipped:,} skipped"]
    if report.known:
        parts.append(f"{report.known:,} known already")
    text = f"{report.lines:,} lines: {', '.join(parts)}"
    if joining:
        text += f"; joined {report.joined:,} requests of {report.run_id}, {report.unmatched:,} of others"
    elif report.events:
        text += f"; in run {report.run_id}"
    return text
