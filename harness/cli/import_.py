"""`harness import`: another tool's result file as a run of its own."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.price_options import AtOption, PricesOption, parse_moment
from harness.clock import SYSTEM_CLOCK
from harness.errors import ConfigError
from harness.imports.results.taking import ResultReport, import_result
from harness.pricing import PriceBook
from harness.report.wording import count, printable

app = command()


@app.command()
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the tool wrote; gzip is read as well.")],
    *,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="aiperf, artillery, guidellm, inference-perf, inspect-ai, k6, locust, promptfoo or "
            "vllm-bench; told by the file itself when not given.",
        ),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Provider of requests that name none.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run (default: FORMAT-FILE).")] = None,
    at: AtOption = None,
    prices: PricesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Take another tool's results as a run: its requests, priced here, and its own aggregates beside them.

    Example: harness import promptfoo-output.json
    """
    if not file.is_file():
        raise ConfigError(str(file), "there is no such file")
    report = import_result(
        store,
        file,
        PriceBook.load(prices),
        at=parse_moment(at) or SYSTEM_CLOCK.now(),
        format_name=format_name,
        name=name,
        provider=provider,
    )
    if as_json:
        print_json({**asdict(report), "told": report.told.payload() if report.told else None})
    else:
        _show(report)


def _show(report: ResultReport) -> None:
    if report.known:
        out.print(Text(f"imported before as run {report.run_id}: nothing was added"))
        return
    files = " and ".join(report.files)
    head = f"{report.tool}, {files}: {count(report.requests, 'request')}"
    if report.failed:
        head += f", {report.failed:,} failed"
    if report.bad_rows:
        head += f", {report.bad_rows:,} quarantined"
    out.print(Text(printable(f"{head}; in run {report.run_id}")))
    notes = [f"  {problem}" for problem in report.problems]
    notes += [
        f"unknown cost, not free: {count(n, 'request')} of {model}" for model, n in report.unpriced.items()
    ]
    told = report.told
    if told is not None:
        notes += list(told.remarks)
        if told.figures:
            notes.append(
                f"{count(len(told.figures), 'figure')} told by the tool: `harness runs show {report.run_id}`"
            )
    for note in notes:
        out.print(Text(printable(note), style="yellow"))
    if report.requests and (report.untimed or report.ungraded):
        out.print(Text(f"answers: {report.untimed:,} without a latency, {report.ungraded:,} without a score"))
