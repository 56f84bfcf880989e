"""`harness export parquet`: rows as Parquet, in folders that every command reads back."""

from typing import Annotated

import typer

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.store import open_store
from harness.store.objects.export import export_parquet

app = command()


@app.command()
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
