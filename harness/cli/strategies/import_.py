"""`harness strategies import`: outcomes that somebody else recorded, as a run to look at."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.price_options import AtOption, PricesOption, parse_moment
from harness.clock import SYSTEM_CLOCK
from harness.errors import ConfigError
from harness.pricing import PriceBook
from harness.report.wording import count, printable

app = command()


@app.command()
def import_table(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="One row an item and model: CSV, TSV, JSONL or Parquet.")
    ],
    *,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OURS=THEIRS",
            help="Which of the table's columns is item, model, provider, score, input_tokens, "
            "cache_read_tokens, output_tokens, latency_ms or latency_s; may be repeated.",
        ),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Provider of rows that name none.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run (default: import-TABLE).")] = None,
    at: AtOption = None,
    prices: PricesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Recorded outcomes of several models as a run, priced by our price book; bad rows are set aside.

    Example: harness strategies import outcomes.csv --column item=question --column score=correct
    """
    from harness.imports.outcome_import import ImportReport, import_outcomes  # noqa: PLC0415

    if not table.is_file():
        raise ConfigError(str(table), "there is no such file")
    report: ImportReport = import_outcomes(
        store,
        table,
        PriceBook.load(prices),
        at=parse_moment(at) or SYSTEM_CLOCK.now(),
        name=name,
        provider=provider,
        columns=column or (),
    )
    unpriced = {model: n for model, n in report.unpriced.items() if n}
    if as_json:
        print_json(
            {
                "run_id": report.run_id,
                "known": report.known,
                "rows": report.rows,
                "outcomes": report.outcomes,
                "bad_rows": report.bad_rows,
                "problems": report.problems,
                "ungraded": report.ungraded,
                "untimed": report.untimed,
                "models": dict(report.models),
                "unpriced": unpriced,
                "columns": dict(report.columns),
            }
        )
        return
    if report.known:
        out.print(Text(f"imported before as run {report.run_id}: nothing was added"))
        return
    models = count(len(report.models), "model")
    out.print(
        Text(
            f"{count(report.rows, 'row')}: {report.outcomes:,} good, {report.bad_rows:,} quarantined; "
            f"{models}; in run {report.run_id}"
        )
    )
    for problem in report.problems:
        out.print(Text(printable(f"  {problem}"), style="yellow"))
    for model, n in unpriced.items():
        out.print(
            Text(printable(f"unknown cost, not free: {count(n, 'outcome')} of {model}"), style="yellow")
        )
    if report.ungraded or report.untimed:
        out.print(Text(f"{report.ungraded:,} without a score, {report.untimed:,} without a latency"))
