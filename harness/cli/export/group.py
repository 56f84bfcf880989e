"""`harness export`: rows as Parquet or CSV, dashboards and monitors for Datadog."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.export.datadog import datadog
from harness.errors import UsageError
from harness.store import open_store
from harness.store.database.tables import PUBLIC_TABLES
from harness.store.objects.export import export_csv, export_parquet, write_csv

app = typer.Typer(no_args_is_help=True, help="Rows, dashboards and monitors, for elsewhere.")
app.command("datadog")(datadog)


@app.command("parquet")
def parquet(
    where: Annotated[str, typer.Argument(help="A folder, or an address such as s3://bucket/path.")],
    *,
    run: Annotated[list[str] | None, typer.Option(help="Only this run; may be repeated.")] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Write Parquet in folders by date and run; every command and the dashboard read it back with --store.

    Example: harness export parquet exported --store results
    """
    opened = open_store(store)
    opened.ingest()
    report = export_parquet(opened, where, runs=run or ())
    if as_json:
        print_json(report)
        return
    rows = ", ".join(f"{count:,} {table}" for table, count in report.rows.items())
    out.print(f"wrote {len(report.run_ids)} runs to {report.where}: {rows}")


@app.command("csv")
def csv(
    table: Annotated[str, typer.Argument(help=f"One of: {', '.join(PUBLIC_TABLES)}.")] = "requests",
    *,
    out_file: Annotated[Path | None, typer.Option("--out", help="The file; standard output without.")] = None,
    run: Annotated[str | None, typer.Option(help="Only this run.")] = None,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Write one table as CSV; cells that a spreadsheet would run as formulas are escaped.

    Example: harness export csv requests --run latest --out requests.csv
    """
    if table not in PUBLIC_TABLES:
        raise UsageError(f"there is no table '{table}'; there are {', '.join(PUBLIC_TABLES)}")
    if run is not None and table in ("alert_events", "quarantine"):
        raise UsageError(f"rows of '{table}' belong to no run; leave --run out")
    opened = open_store(store)
    opened.ingest()
    if out_file is None:
        write_csv(opened, table, sys.stdout, run=run)
        return
    count = export_csv(opened, table, out_file, run=run)
    out.print(f"wrote {count:,} rows to {out_file}")
