"""`harness runs reprice`: a recorded run at other prices, old beside new, nothing recorded touched."""

from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.opened import opened_runs
from harness.cli.price_options import AtOption, PricesOption, parse_moment
from harness.errors import UsageError
from harness.figures.selection import Rows, Selection
from harness.pricing import PriceBook
from harness.strategies.other_prices import RepricedRow, RepricedRun, repriced_run

app = command()


@app.command()
def reprice(
    *,
    run: Annotated[
        str, typer.Argument(help="A run's id, name or unique prefix, `latest`, or a JSON report.")
    ] = "latest",
    prices: PricesOption = None,
    at: AtOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """What a run's recorded tokens cost at other prices. Nothing recorded changes.

    Example: harness runs reprice latest --at 2026-03-13
    """
    book = PriceBook.load(prices)
    moment = parse_moment(at)
    with opened_runs([run], store) as ((view, found),):
        repriced = repriced_run(Rows(view, Selection(run_ids=(found.run_id,))), book, moment)
    if not repriced.calls:
        raise UsageError(f"run {found.run_id} recorded no calls, nor which models its requests used")
    if as_json:
        print_json({"run_id": found.run_id, "at": moment} | _payload(repriced))
    else:
        _draw(found.run_id, repriced)


def _payload(run: RepricedRun) -> dict[str, Any]:
    return {
        "calls": run.calls,
        "old_cost_usd": run.old_cost_usd,
        "old_unpriced_calls": run.old_unpriced,
        "old_prices": run.old_prices,
        "new_cost_usd": run.new_cost_usd,
        "new_unpriced_calls": run.new_unpriced,
        "new_prices": run.new_prices,
        "compared_calls": run.compared_calls,
        "change_usd": run.change_usd,
        "by_model": [
            {
                "role": row.role,
                "provider": row.provider,
                "model": row.model,
                "calls": row.calls,
                "old_cost_usd": row.old_cost_usd,
                "old_unpriced_calls": row.old_unpriced,
                "new_cost_usd": row.new_cost_usd,
                "new_unpriced_calls": row.new_unpriced,
            }
            for row in run.rows
        ],
    }


def _draw(run_id: str, run: RepricedRun) -> None:
    table = Table(title=f"Run {run_id}, re-priced", title_justify="left", box=None, pad_edge=False)
    for column in ("role", "model"):
        table.add_column(column, overflow="fold")
    for column in ("calls", "recorded", "re-priced"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in run.rows:
        table.add_row(row.role, Text(f"{row.provider}/{row.model}"), f"{row.calls:,}", *_costs(row))
    table.add_row("total", "", f"{run.calls:,}", *_costs(run))
    out.print(table)
    for name, unpriced in (("recorded", run.old_unpriced), ("re-priced", run.new_unpriced)):
        if unpriced:
            excluded = f"{unpriced:,} unpriced call{'s' * (unpriced > 1)}"
            out.print(Text(f"The {name} total excludes {excluded}.", "yellow"))
    if run.change_usd is not None:
        both = f"{run.compared_calls:,} calls that both price"
        out.print(Text(f"Change over the {both}: {_change(run.change_usd)}."))
    old, new = _named(run.old_prices), _named(run.new_prices)
    out.print(Text(f"Recorded with {old}; re-priced with {new}. Nothing recorded was changed.", "dim"))


def _costs(side: RepricedRow | RepricedRun) -> tuple[str, str]:
    return f"${side.old_cost_usd:f}", f"${side.new_cost_usd:f}"


def _change(change_usd: Decimal) -> str:
    if change_usd == 0:
        return "none"
    return f"{'-' if change_usd < 0 else '+'}${abs(change_usd):f}"


def _named(prices: tuple[str, ...]) -> str:
    return ", ".join(prices) or "no known price"
