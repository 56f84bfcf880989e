"""`harness ingest`: events that any service wrote, and other tools' telemetry, into the store."""

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.analysis.matching import DEFAULT_WINDOW_MS
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out, print_json
from harness.cli.ingest_words import (
    FormatTotal,
    explanation_lines,
    format_sentence,
    log_sentence,
    refuse_nothing,
    summed,
)
from harness.cli.lazy import command
from harness.cli.price_options import PricesOption
from harness.errors import UsageError
from harness.imports.choosing import chosen_reader
from harness.imports.explaining import explained
from harness.imports.follow import follow
from harness.imports.formats import Reader
from harness.imports.joining import BY_ID, WAYS, Joining
from harness.imports.mapping import read_map
from harness.imports.pricing_events import pricing_with
from harness.imports.taking import FormatReport, take_format
from harness.outputs import refused, replace_file, write_whole
from harness.pricing import PriceBook
from harness.processes.lifeline import watch_lifeline
from harness.store import LogReport, ingest, ingest_events, open_store

app = command()

_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What one command line asks for."""

    store: Path
    log: str
    prices: Path | None
    format: str | None
    maps: tuple[str, ...]
    run_id: str | None
    ways: tuple[str, ...]
    window_ms: tuple[float, float]
    environment: str | None


@app.command()
def ingest_log(
    log: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="JSON lines, a document, CSV or Parquet; - reads standard input."
        ),
    ],
    *,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="events, otlp, litellm, litellm-spend, langfuse, ...; without it, by what is seen.",
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="OURS=THEIRS",
            help="Which value is which column, e.g. latency_ms=dur_s*1000; repeat.",
        ),
    ] = None,
    map_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file of such maps, one a line.")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Show the keys, what they would be and what is missing; take nothing."
        ),
    ] = False,
    write_map: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --explain: write the map to edit.")
    ] = None,
    join: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Fill this run's cost, provider and tier instead of making a run."),
    ] = None,
    join_by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WAY",
            help="request-id, trace-id, provider-request-id (these three without it) or time; repeat.",
        ),
    ] = None,
    join_window: Annotated[
        str | None,
        typer.Option(
            metavar="MS..MS", help="How long after a request's end its line may be written; -20..60."
        ),
    ] = None,
    keep_following: Annotated[
        bool, typer.Option("--follow", help="Go on as the file grows, also when it is rotated.")
    ] = False,
    environment: Annotated[
        str | None, typer.Option(help="Environment of events that do not tell theirs.")
    ] = None,
    prices: PricesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Take a log's request events, or another tool's telemetry; what was taken before is not taken again.

    Example: harness ingest service.jsonl --join latest
    """
    if explain:
        _explain(log, write_map, as_json=as_json)
        return
    ways = _ways(join_by)
    task = _Task(
        store=store,
        log=log,
        prices=prices,
        format=format_,
        maps=(*(read_map(map_file) if map_file else ()), *(maps or ())),
        run_id=None if join is None else _run_id(store, join),
        ways=ways,
        window_ms=_window(join_window, ways),
        environment=environment,
    )
    if join is None and (join_by or join_window):
        raise UsageError("--join-by and --join-window say how to --join RUN")
    if keep_following:
        watch_lifeline()
        total = _follow(task, as_json=as_json)
    elif log == "-":
        with _standard_input() as copied:
            total = _take(task, Path("standard input"), copied)
            refuse_nothing(log, total, copied)
    else:
        total = _take(task, Path(log), None)
        refuse_nothing(log, total, Path(log))
    if as_json:
        print_json({"file": log, "joined_to": task.run_id, **asdict(total)})
        return
    _say(total, joining=task.run_id is not None)


def _say(total: LogReport | FormatReport, *, joining: bool) -> None:
    text = log_sentence(total, joining=joining) if isinstance(total, LogReport) else format_sentence(total)
    out.print(text, markup=False, soft_wrap=True)


def _explain(log: str, write_map: Path | None, *, as_json: bool) -> None:
    if log == "-":
        with _standard_input() as copied:
            found = explained(copied)
    else:
        found = explained(Path(log))
    if not found.objects:
        raise UsageError(f"{log}: holds no JSON object, nor a row of a table")
    if write_map is not None:
        replace_file(write_map, found.map_text().encode())
    if as_json:
        print_json({"file": log, **asdict(found)})
        return
    for line in explanation_lines(log, found):
        out.print(line, markup=False, soft_wrap=True)
    if write_map is not None:
        out.print(
            f"wrote {write_map}: edit it, then harness ingest {log} --map-file {write_map}",
            markup=False,
            soft_wrap=True,
        )


def _ways(told: list[str] | None) -> tuple[str, ...]:
    wrong = next((way for way in told or () if way not in WAYS), None)
    if wrong is not None:
        raise UsageError(f"--join-by '{wrong[:40]}': is none of {', '.join(WAYS)}")
    return tuple(dict.fromkeys(told)) if told else BY_ID


def _window(text: str | None, ways: tuple[str, ...]) -> tuple[float, float]:
    if text is None:
        return DEFAULT_WINDOW_MS
    if "time" not in ways:
        raise UsageError("--join-window is of --join-by time")
    low, dots, high = text.partition("..")
    try:
        window = float(low), float(high)
    except ValueError:
        window = (1.0, 0.0)
    if not dots or not window[0] <= window[1] or not all(abs(side) <= 3_600_000 for side in window):
        raise UsageError(f"--join-window '{text[:40]}': expected two numbers of milliseconds, as -20..60")
    return window


def _run_id(store: Path, reference: str) -> str:
    opened = open_store(store)
    opened.ingest(wait=True)
    with opened.snapshot() as view:
        return view.run(reference).run_id


def _take(task: _Task, source: Path, opened: Path | None) -> LogReport | FormatReport:
    ingest(task.store)  # what a service spooled itself is known before its log is read
    reader = chosen_reader(source, opened, name=task.format, maps=task.maps)
    book = PriceBook.configured(os.environ) if task.prices is None else PriceBook.load(task.prices)
    if reader is None:
        return ingest_events(
            task.store,
            source,
            opened=opened,
            join_run=task.run_id,
            environment=task.environment,
            window_ms=task.window_ms if "time" in task.ways else None,
            priced=pricing_with(book),
        )
    return _take_format(task, source, opened, reader, book)


def _take_format(
    task: _Task, source: Path, opened: Path | None, reader: Reader, book: PriceBook
) -> FormatReport:
    joining = None
    if task.run_id is not None:
        joining = Joining(run_id=task.run_id, ways=task.ways, window_ms=task.window_ms)
    return take_format(
        task.store, source, reader, book, opened=opened, environment=task.environment, joining=joining
    )


def _follow(task: _Task, *, as_json: bool) -> LogReport | FormatReport:
    if task.log == "-":
        raise UsageError("--follow needs a file; a pipe is read to its end anyway")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    total: FormatTotal = None
    err.print(f"following {task.log}", markup=False)
    for opened in follow(Path(task.log), stopped):
        report = _take(task, Path(task.log), opened)
        total = summed(total, report)
        if report.lines and not as_json:
            _say(report, joining=task.run_id is not None)
    return LogReport(run_id="") if total is None else total


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
