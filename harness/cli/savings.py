"""`harness savings`: what one strategy saves against another, and what other prices would."""

from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.opened import opened_sides
from harness.cli.price_options import PricesOption
from harness.cli.strategies.options import require_confidence
from harness.pricing import PriceBook
from harness.pricing.spec import parse_model
from harness.report.rows import mode_banner
from harness.report.savings_document import (
    NAIVE_HEAD,
    SAVING_HEAD,
    SIDE_HEAD,
    WHAT_IF_ASSUMPTION,
    WHAT_IF_HEAD,
    naive_rows,
    saving_rows,
    savings_document,
    side_rows,
    together_words,
    what_if_rows,
)
from harness.report.tables import plain_table
from harness.report.wording import printable, usd
from harness.strategies.savings import SavingsReport, savings_report

app = command()


@app.command()
def savings(
    *,
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Runs or JSON reports (default: latest).")
    ] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="Only these strategies, the first to save against; may be repeated."),
    ] = None,
    per_month: Annotated[
        int | None, typer.Option(min=1, max=10**9, help="Project to this many requests a month.")
    ] = None,
    compare: Annotated[
        list[str] | None, typer.Option(help="Another provider/model for the what-if; may be repeated.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of each interval.")] = 0.95,
    prices: PricesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Measured and what-if savings between runs, or between the strategies of one run.

    Example: harness savings latest --per-month 100000
    """
    require_confidence(confidence)
    also = [parse_model(name, "--compare") for name in compare or ()]
    book = PriceBook.load(prices)
    with opened_sides(runs or ["latest"], strategy or (), store) as sides:
        report = savings_report(sides, book, per_month=per_month, also=also, confidence=confidence)
    if as_json:
        print_json(savings_document(report))
        return
    _show(report)


def _show(report: SavingsReport) -> None:
    for banner in dict.fromkeys(mode_banner(figures.side.mode) for figures in report.sides):
        if banner is not None:
            out.print(Text(banner, style="bold yellow"))
    for figures in report.sides:
        for caution in figures.side.cautions:
            out.print(Text(printable(f"{figures.side.name}: {caution}"), style="bold yellow"))
    monthly = () if report.per_month is None else (f"per {report.per_month:,} a month",)
    out.print(plain_table((*_headed(SIDE_HEAD, report.confidence), *monthly), side_rows(report)))
    if report.savings:
        _show_measured(report)
    if naive_rows(report.sides):
        out.print(Text("\nNaive: all tokens at the draft model's price", style="bold"))
        out.print(plain_table(NAIVE_HEAD, naive_rows(report.sides)))
    for figures in report.sides:
        name = printable(figures.side.name)
        if figures.no_what_if is not None:
            out.print(Text(f"\nNo what-if of {name}: {figures.no_what_if}.", style="yellow"))
        if len(figures.what_if) > 1:
            out.print(Text(f"\nWhat if, {name}: {WHAT_IF_ASSUMPTION}", style="bold"))
            out.print(plain_table(_headed(WHAT_IF_HEAD, report.confidence), what_if_rows(figures)))


def _show_measured(report: SavingsReport) -> None:
    out.print(Text(f"\nMeasured, A = {printable(report.sides[0].side.name)}", style="bold"))
    out.print(plain_table(_headed(SAVING_HEAD, report.decided_at), saving_rows(report)))
    together = together_words(len(report.savings), report.confidence)
    if together is not None:
        out.print(Text(together, style="dim"))
    for found in report.savings:
        name = printable(found.b.name)
        if found.warning is not None:
            out.print(Text(printable(f"{found.b.name}: {found.warning}"), style="yellow"))
        month = found.total.per_month.value if found.total.per_month is not None else None
        if month is not None:
            word, more = ("saves", "") if month >= 0 else ("costs", " more")
            out.print(Text(f"{name} {word} {usd(abs(month), 2)}{more} a month"))


def _headed(head: tuple[str, ...], confidence: float) -> tuple[str, ...]:
    percent = f"{confidence * 100:.4g}% interval"
    return tuple(percent if cell == "95% interval" else cell for cell in head)
