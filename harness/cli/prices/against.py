"""`harness prices check --against`: where another source prices the models in use otherwise."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from harness.cli.console import out
from harness.pricing import PriceBook
from harness.pricing.catalogue import DATA_DATES, VERSION
from harness.pricing.litellm_map import PACKAGE, CostMap, read_cost_map
from harness.pricing.second_opinion import PriceDifference, price_differences

AgainstOption = Annotated[
    str | None,
    typer.Option(
        help="A second opinion on prices: `litellm` (the extra of that name), or a file of its format."
    ),
]


def cost_map(against: str) -> CostMap:
    """The source that `--against` names.

    Raises:
        UsageError: the package is not installed.
        ConfigError: the file is no cost map.
    """
    return read_cost_map(None if against == PACKAGE else Path(against))


def source_payload(other: CostMap | None) -> dict[str, Any] | None:
    """A source and its date."""
    if other is None:
        return None
    return {"source": other.version, "published": other.published.isoformat() if other.published else None}


def second_opinions(
    book: PriceBook, other: CostMap, rows: Sequence[dict[str, Any]], at: datetime
) -> list[dict[str, Any]]:
    """One row a model in use: what the other source says of it, and where both differ."""
    return [_opinion(book, other, row["provider"], row["model"], at) for row in rows if row["price_source"]]


def _opinion(book: PriceBook, other: CostMap, provider: str, model: str, at: datetime) -> dict[str, Any]:
    quote = book.quote(provider, model, at=at)
    theirs = other.find(provider, model, quote.priced_as if quote else None)
    card = theirs.card("standard") if theirs else None
    differences = price_differences(quote.card, card) if quote and card else []
    since = (quote.start_date if quote else None) or DATA_DATES.get(VERSION)
    return {
        "provider": provider,
        "model": model,
        "our_date": since and since.isoformat(),
        "their_name": theirs.name if theirs else None,
        "their_source": theirs.source_url if theirs else None,
        "is_known_to_both": card is not None,
        "differences": [_payload(difference) for difference in differences],
    }


def _payload(difference: PriceDifference) -> dict[str, Any]:
    return {
        "kind": difference.kind,
        "above_input_tokens": difference.above_input_tokens,
        "our_usd_per_mtok": _plain(difference.ours_usd_per_mtok),
        "their_usd_per_mtok": _plain(difference.theirs_usd_per_mtok),
        "change_ratio": difference.change_ratio,
    }


def _plain(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else Decimal(format(amount.normalize(), "f"))


def draw_opinions(other: CostMap, opinions: Sequence[dict[str, Any]]) -> None:
    """The differences as a table, and which models only one of the sources knows."""
    differing = [opinion for opinion in opinions if opinion["differences"]]
    if differing:
        table = Table(box=None, pad_edge=False, title="Prices that differ, USD per million tokens")
        table.title_justify = "left"
        for column in ("model", "kind", "above", "ours", "theirs", "change"):
            table.add_column(column, overflow="fold")
        for opinion in differing:
            for item in opinion["differences"]:
                table.add_row(Text(f"{opinion['provider']}/{opinion['model']}"), *_cells(item))
        out.print(table)
    unknown = [f"{o['provider']}/{o['model']}" for o in opinions if not o["is_known_to_both"]]
    if unknown:
        out.print(Text(f"Not known to {other.version}: {', '.join(unknown)}.", "yellow"))
    same = len(opinions) - len(differing) - len(unknown)
    dates = ", ".join(sorted({o["our_date"] or "an unknown date" for o in opinions}))
    out.print(
        Text(
            f"{same} of {len(opinions)} models agree with {other.version} "
            f"of {other.published or 'an unknown date'}; our prices are of {dates or 'no date'}."
        )
    )


def _cells(item: dict[str, Any]) -> list[str]:
    ours, theirs, change = item["our_usd_per_mtok"], item["their_usd_per_mtok"], item["change_ratio"]
    return [
        item["kind"].replace("_", " "),
        f"{item['above_input_tokens']:,}" if item["above_input_tokens"] else "",
        "none" if ours is None else f"{ours:f}",
        "none" if theirs is None else f"{theirs:f}",
        "" if change is None else f"{change:+.1%}",
    ]
