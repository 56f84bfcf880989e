"""`harness export csv`: one table for a spreadsheet."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import DEFAULT_STORE, StoreOption, out
from harness.cli.lazy import command
from harness.errors import UsageError
from harness.store import open_store
from harness.store.database.tables import PUBLIC_TABLES
from harness.store.objects.export import export_csv, write_csv

app = command()


@app.command()
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
