# ruff: noqa: S608 - constant SQL, values are bound
"""`harness prices drift`: what a recorded run would cost by the price book and by another source."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.price_options import PricesOption
from harness.cli.prices.against import cost_map, source_payload
from harness.errors import UsageError
from harness.pricing import PriceBook
from harness.pricing.book import DECLARED
from harness.pricing.columns import UsageColumns, card_column, cost_column
from harness.pricing.litellm_map import PACKAGE, CostMap
from harness.store import Snapshot, open_store

_TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
)
_SENT = """FROM calls WHERE run_id = $run AND outcome != 'refused' AND price_source IS DISTINCT FROM $declared
    AND request_id NOT IN (SELECT request_id FROM requests WHERE run_id = $run AND warmup)"""
_PLAIN = f"{_SENT} AND served_terms IS NULL"
_GROUPS = f"SELECT DISTINCT provider, model, served_model, price_context {_PLAIN} ORDER BY ALL"
_CALLS = f"""SELECT started_at, {", ".join(_TOKENS)} {_PLAIN} AND provider = $provider AND model = $model
    AND served_model IS NOT DISTINCT FROM $served AND price_context = $context"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """The calls of one model in one context. The two totals are over the `compared` calls that both price."""

    provider: str
    model: str
    context: str
    calls: int
    compared: int
    ours_usd: Decimal
    theirs_usd: Decimal
    their_name: str | None


def drift(
    *,
    run: Annotated[str, typer.Argument(help="A run's id, name or unique prefix, or `latest`.")] = "latest",
    against: Annotated[
        str, typer.Option(help="`litellm` (the extra of that name), or a cost map file of its format.")
    ] = PACKAGE,
    prices: PricesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """What a run's recorded tokens cost by our prices and by another source's. Nothing recorded changes.

    Example: harness prices drift latest --against litellm
    """
    book, other = PriceBook.load(prices), cost_map(against)
    opened = open_store(store)
    opened.ingest()
    with opened.snapshot() as view:
        run_id = view.run(run).run_id
        rows = list(_rows(view, run_id, book, other))
        ((left_out,),) = view.rows(
            f"SELECT count(*) {_SENT} AND served_terms IS NOT NULL", {"run": run_id, "declared": DECLARED}
        )
    if not rows:
        raise UsageError(f"run {run_id} recorded no calls to price again")
    if as_json:
        print_json(_payload(run_id, other, rows, left_out))
    else:
        _draw(run_id, other, rows, left_out)


def _rows(view: Snapshot, run_id: str, book: PriceBook, other: CostMap) -> Iterator[DriftRow]:
    bound = {"run": run_id, "declared": DECLARED}
    for provider, model, served, context in view.rows(_GROUPS, bound):
        group = {"provider": provider, "model": model, "served": served, "context": context}
        told = view.columns(_CALLS, bound | group)
        at = np.ma.getdata(told["started_at"]).astype("datetime64[us]")
        usage = UsageColumns(**{name: told[name] for name in _TOKENS})
        charged = book.charged_model(provider, model, served)
        ours = cost_column(book, provider, charged, usage, at, context=context)
        entry = other.find(provider, charged, None)
        card = entry.card(context) if entry else None
        theirs = card_column(card, usage) if card else None
        both = ours.known & theirs.known if theirs else np.zeros_like(ours.known)
        yield DriftRow(
            provider=provider,
            model=charged,
            context=context,
            calls=len(both),
            compared=int(both.sum()),
            ours_usd=ours.where(both).total_usd(),
            theirs_usd=theirs.where(both).total_usd() if theirs else Decimal(0),
            their_name=entry.name if entry else None,
        )


def _payload(run_id: str, other: CostMap, rows: list[DriftRow], left_out: int) -> dict[str, Any]:
    compared = sum(row.compared for row in rows)
    ours, theirs = _totals(rows)
    return {
        "run_id": run_id,
        "against": source_payload(other),
        "calls": sum(row.calls for row in rows) + left_out,
        "compared_calls": compared,
        "our_cost_usd": ours if compared else None,
        "their_cost_usd": theirs if compared else None,
        "change_usd": theirs - ours if compared else None,
        "by_model": [
            {
                "provider": row.provider,
                "model": row.model,
                "price_context": row.context,
                "their_name": row.their_name,
                "calls": row.calls,
                "compared_calls": row.compared,
                "our_cost_usd": row.ours_usd if row.compared else None,
                "their_cost_usd": row.theirs_usd if row.compared else None,
            }
            for row in rows
        ],
    }


def _draw(run_id: str, other: CostMap, rows: list[DriftRow], left_out: int) -> None:
    table = Table(
        title=f"Run {run_id}, by two sources' prices", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("model", overflow="fold")
    for column in ("calls", "compared", "ours", other.version):
        table.add_column(column, justify="right")
    for row in rows:
        costs = (f"${row.ours_usd:f}", f"${row.theirs_usd:f}") if row.compared else ("-", "-")
        table.add_row(Text(f"{row.provider}/{row.model}"), f"{row.calls:,}", f"{row.compared:,}", *costs)
    out.print(table)
    ours, theirs = _totals(rows)
    compared, calls = sum(row.compared for row in rows), sum(row.calls for row in rows) + left_out
    if compared:
        share = f" ({theirs / ours - 1:+.1%})" if ours else ""
        out.print(Text(f"Over the {compared:,} calls that both price: ${ours:f} and ${theirs:f}{share}."))
    if compared < calls:
        out.print(Text(f"{calls - compared:,} of {calls:,} calls are not priced by both.", "yellow"))


def _totals(rows: list[DriftRow]) -> tuple[Decimal, Decimal]:
    return sum((r.ours_usd for r in rows), Decimal(0)), sum((r.theirs_usd for r in rows), Decimal(0))
