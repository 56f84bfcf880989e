"""`harness store`: check, repair and measure a store."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.errors import EXIT_FAIL
from harness.store.upkeep.inspection import StoreStats, check_store, store_stats
from harness.store.upkeep.repair import repair_store

app = typer.Typer(no_args_is_help=True, help="Check, repair and measure the store.")

_MIB = 1024 * 1024


@app.command("check")
def check(
    *,
    store: StoreOption = DEFAULT_STORE,
    quick: Annotated[bool, typer.Option("--quick", help="Do not read every value.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read every value, and hold the store against its own rules; exit 1 when something is wrong.

    Example: harness store check --store results
    """
    found = check_store(store, quick=quick)
    if as_json:
        print_json({"sound": found.sound, "problems": found.problems, "remarks": found.remarks})
    else:
        for problem in found.problems:
            out.print(f"problem: {problem}", style="red")
        for remark in found.remarks:
            out.print(f"remark: {remark}")
        out.print("the store is sound" if found.sound else "try `harness store repair`")
    if not found.sound:
        raise typer.Exit(EXIT_FAIL)


@app.command("repair")
def repair(
    *,
    store: StoreOption = DEFAULT_STORE,
    exported: Annotated[
        str | None, typer.Option("--from", help="Exported Parquet to fill what is lost.", metavar="PLACE")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Finish dead spools, retry the quarantine, rebuild a damaged database from what still reads.

    Nothing that holds data is deleted.

    Example: harness store repair
    """
    report = repair_store(store, exported=exported)
    if as_json:
        print_json({"done": report.done})
        return
    for sentence in report.done:
        out.print(sentence)
    if not report.done:
        out.print("nothing to repair")


@app.command("stats")
def stats(*, store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Rows, sizes and what still waits in spools.

    Example: harness store stats --json
    """
    found = store_stats(store)
    if as_json:
        print_json(_as_json(found))
    else:
        out.print(_table(found))


def _as_json(found: StoreStats) -> dict[str, object]:
    return {
        "path": str(found.path),
        "schema": found.schema,
        "database_bytes": found.database_bytes,
        "spools": found.spools,
        "rows": found.rows,
        "runs_by_kind": found.runs_by_kind,
        "first_request_at": found.first_request_at,
        "last_request_at": found.last_request_at,
    }


def _table(found: StoreStats) -> Table:
    table = Table(title=f"store {Path(found.path)}", show_header=False)
    table.add_row("schema", str(found.schema))
    table.add_row("database", f"{found.database_bytes / _MIB:.1f} MiB")
    spools = found.spools
    table.add_row(
        "spools",
        f"{spools.files} files, {spools.bytes / _MIB:.1f} MiB, {spools.lines} lines, "
        f"{spools.living_owners} living owners",
    )
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.runs_by_kind.items())
    table.add_row("runs", kinds or "none")
    for name, count in found.rows.items():
        if name != "runs":
            table.add_row(name, f"{count:,}")
    if found.first_request_at and found.last_request_at:
        table.add_row("requests from", f"{found.first_request_at:%Y-%m-%d %H:%M:%S} UTC")
        table.add_row("to", f"{found.last_request_at:%Y-%m-%d %H:%M:%S} UTC")
    return table
