"""`harness prices`: which prices are known, where each comes from, and which models have none."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from harness.cli.console import JsonOption, out, print_json
from harness.cli.price_options import AtOption, PricesOption, parse_moment
from harness.cli.prices.against import (
    AgainstOption,
    cost_map,
    draw_opinions,
    second_opinions,
    source_payload,
)
from harness.cli.prices.check import checked_models
from harness.cli.prices.drift import drift
from harness.errors import EXIT_FAIL, UnpricedModelError, UsageError
from harness.pricing import PriceBook, Quote, Rate
from harness.pricing.catalogue import CONTEXTS
from harness.pricing.spec import parse_model

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

app.command("drift")(drift)

_DEFAULT_PROVIDERS = ["anthropic", "openai"]
_KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning")


@app.callback()
def prices() -> None:
    """Prices of models, in USD per million tokens.

    Example: harness prices show anthropic/claude-sonnet-4-5
    """


@app.command("list")
def list_prices(
    *,
    provider: Annotated[list[str] | None, typer.Option(help="A provider; may be repeated.")] = None,
    match: Annotated[str, typer.Option(help="Only models whose id contains this.")] = "",
    context: Annotated[str, typer.Option(help="standard, batch, priority, flex or fast.")] = "standard",
    at: AtOption = None,
    prices_file: PricesOption = None,
    as_json: JsonOption = False,
) -> None:
    """The models that have a price, with it.

    Example: harness prices list --provider openai --match gpt-4o
    """
    if context not in CONTEXTS:
        raise UsageError(f"--context '{context}': expected one of {', '.join(CONTEXTS)}")
    book = PriceBook.load(prices_file)
    moment = parse_moment(at) or datetime.now(UTC)
    known = book.providers()
    for name in provider or ():
        if name not in known:
            raise UsageError(f"--provider '{name}': no prices; known are {', '.join(known)}")
    rows = [
        _entry(name, model, quote, context)
        for name in provider or _DEFAULT_PROVIDERS
        for model in book.listed_models(name, at=moment, context=context)
        if match in model and (quote := book.quote(name, model, at=moment, context=context))
    ]
    if as_json:
        print_json({"context": context, "models": rows})
        return
    table = Table(box=None, pad_edge=False)
    for column in ("provider", "model", "input", "output", "cache read", "write 5m", "write 1h"):
        table.add_column(
            column, justify="left" if column in {"provider", "model"} else "right", overflow="fold"
        )
    for row in rows:
        cells = [_cell(row["usd_per_mtok"][kind]) for kind in _KINDS[:5]]
        table.add_row(row["provider"], Text(row["model"]), *cells)
    out.print(table)
    others = len(known) - len(provider or _DEFAULT_PROVIDERS)
    out.print(
        Text(f"{len(rows)} models, USD per million tokens, {context}; {others} more providers by --provider.")
    )


@app.command()
def show(
    *,
    model: Annotated[str, typer.Argument(help="provider/model")],
    at: AtOption = None,
    prices_file: PricesOption = None,
    as_json: JsonOption = False,
) -> None:
    """One model's prices in every context, with their source.

    Example: harness prices show anthropic/claude-3-5-sonnet-20241022
    """
    ref = parse_model(model, "MODEL")
    book = PriceBook.load(prices_file)
    moment = parse_moment(at) or datetime.now(UTC)
    quotes = {c: book.quote(ref.provider, ref.model, at=moment, context=c) for c in CONTEXTS}
    entries = [_entry(ref.provider, ref.model, quote, c) for c, quote in quotes.items() if quote]
    if not entries:
        raise _unpriced(book, ref.provider, ref.model, moment)
    if as_json:
        print_json({"provider": ref.provider, "model": ref.model, "prices": entries})
        return
    for entry in entries:
        _draw_entry(entry)
    missing = [context for context, quote in quotes.items() if quote is None]
    if missing:
        out.print(Text(f"No price is known for: {', '.join(missing)}. Such calls are refused or unpriced."))


@app.command()
def check(
    *,
    config: Annotated[
        Path | None, typer.Option(help="The providers file (else PROVIDERS_CONFIG_PATH).")
    ] = None,
    strategy: Annotated[
        list[str] | None, typer.Option(help="A strategy's name or file to check too; may be repeated.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A provider/model to check too; may be repeated.")
    ] = None,
    against: AgainstOption = None,
    at: AtOption = None,
    prices_file: PricesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every model that the configuration would call, and whether it has a price; exit 1 if one has none.

    With --against, also where another source prices them otherwise; exit 1 if it does.

    Example: harness prices check --strategy hybrid
    """
    book = PriceBook.load(prices_file)
    moment = parse_moment(at) or datetime.now(UTC)
    also = [parse_model(text, "--model") for text in model or ()]
    rows = checked_models(book, moment, config=config, strategies=strategy or [], also=also)
    other = cost_map(against) if against else None
    opinions = second_opinions(book, other, rows, moment) if other else []
    missing = sum(not row["priced"] for row in rows)
    disagreeing = sum(bool(opinion["differences"]) for opinion in opinions)
    if as_json:
        second = {"against": source_payload(other), "opinions": opinions, "disagreeing": disagreeing}
        print_json({"models": rows, "unpriced": missing} | (second if other else {}))
    else:
        _draw_check(rows)
        if other:
            draw_opinions(other, opinions)
    if missing or disagreeing:
        raise typer.Exit(EXIT_FAIL)


def _entry(provider: str, model: str, quote: Quote, context: str) -> dict[str, Any]:
    return {
        "provider": provider,
        "model": model,
        "context": context,
        "priced_as": quote.priced_as,
        "price_source": quote.price_source,
        "price_version": quote.price_version,
        "source_url": quote.source_url,
        "start_date": quote.start_date and quote.start_date.isoformat(),
        "moving": quote.moving,
        "lent_by": quote.lent_by,
        "rule": quote.rule,
        "usd_per_mtok": {kind: _rate(getattr(quote.card, kind)) for kind in _KINDS},
        "usd_per_request": quote.card.per_request_usd,
    }


def _rate(rate: Rate | None) -> Any:
    if rate is None:
        return None
    tiers = [
        {"above_input_tokens": tier.above_input_tokens, "usd_per_mtok": tier.usd_per_mtok}
        for tier in rate.tiers
    ]
    return {"base": rate.base_usd_per_mtok, "tiers": tiers} if tiers else rate.base_usd_per_mtok


def _cell(rate: Any) -> str:
    if rate is None:
        return "-"
    if isinstance(rate, dict):
        return f"{rate['base']:f}+"
    return f"{rate:f}"


def _draw_entry(entry: dict[str, Any]) -> None:
    out.print(Text(f"{entry['provider']}/{entry['model']}, {entry['context']}", style="bold"))
    table = Table(box=None, pad_edge=False, show_header=False)
    for kind in _KINDS:
        rate = entry["usd_per_mtok"][kind]
        if not isinstance(rate, dict):
            table.add_row(
                f"  {kind.replace('_', ' ')}", "no price" if rate is None else f"${rate:f} / million"
            )
            continue
        tiers = "".join(
            f", ${tier['usd_per_mtok']:f} for all tokens above {tier['above_input_tokens']:,} input tokens"
            for tier in rate["tiers"]
        )
        table.add_row(f"  {kind.replace('_', ' ')}", f"${rate['base']:f} / million{tiers}")
    if entry["usd_per_request"]:
        table.add_row("  per request", f"${entry['usd_per_request']:f}")
    version = entry["price_version"] or ""
    table.add_row("  priced as", str(entry["priced_as"] or "free by declaration"))
    if entry["rule"]:
        table.add_row("  read as", entry["rule"])
    if entry["lent_by"]:
        table.add_row("  lent by", f"{entry['lent_by']}; {entry['provider']} has no price of its own for it")
    if entry["moving"]:
        day = entry["start_date"] or "an unknown date"
        table.add_row(
            "  moves", f"the name stands for another model from time to time; this is its price of {day}"
        )
    since = f", since {entry['start_date']}" if entry["start_date"] else ""
    table.add_row(
        "  source", f"{entry['price_source']} {version}{since} {entry['source_url'] or ''}".rstrip()
    )
    out.print(table)


def _unpriced(book: PriceBook, provider: str, model: str, at: datetime) -> UnpricedModelError:
    return UnpricedModelError(provider, model, book.unpriced_because(provider, model, at=at))


def _draw_check(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("model", "price", "used by"):
        table.add_column(column, overflow="fold")
    for row in rows:
        name = f"{row['provider']}/{row['model']}"
        table.add_row(Text(name), _price_found(row), Text(", ".join(row["used_by"])))
    out.print(table)


def _price_found(row: dict[str, Any]) -> Text:
    if not row["priced"]:
        return Text(f"NONE ({row['unpriced_because']})", "red")
    if not row["priced_as"]:
        return Text("free by declaration")
    lent = f", lent by {row['lent_by']}" if row["lent_by"] else ""
    dated = f", price of {row['start_date'] or 'an unknown date'}" if row["moving"] else ""
    return Text(f"as {row['priced_as']}{lent}{dated}")
