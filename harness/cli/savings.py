"""`harness savings`: what one strategy saves against another, and what other prices would."""

from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.price_options import PricesOption
from harness.cli.strategies.sides import recorded_sides, require_confidence
from harness.pricing import PriceBook
from harness.pricing.spec import parse_model
from harness.report.comparable import comparable_sides
from harness.report.replay import (
    REPLAY_ASSUMPTION,
    REPLAY_HEAD,
    replay_document,
    replay_rows,
    replayed_cascades,
)
from harness.report.rows import mode_banner
from harness.report.savings import SavingsReport, savings_report
from harness.report.savings_document import (
    NAIVE_HEAD,
    SAVING_HEAD,
    SIDE_HEAD,
    WHAT_IF_ASSUMPTION,
    WHAT_IF_HEAD,
    naive_rows,
    saving_rows,
    savings_document,
    side_name,
    side_rows,
    what_if_rows,
)
from harness.report.tables import plain_table
from harness.report.wording import usd

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
    sides = recorded_sides(runs or ["latest"], strategy or [], store)
    report = savings_report(
        sides,
        PriceBook.load(prices),
        per_month=per_month,
        also=also,
        confidence=confidence,
    )
    replays = replayed_cascades(comparable_sides(sides).sides, confidence=confidence)
    if as_json:
        print_json({**savings_document(report), "replays": replay_document(replays)})
        return
    _show(report)
    if replays:
        out.print(Text(f"\nWhat if, cascades of two: {REPLAY_ASSUMPTION}", style="bold"))
        out.print(plain_table(REPLAY_HEAD, replay_rows(replays)))


def _show(report: SavingsReport) -> None:
    for banner in dict.fromkeys(mode_banner(figures.side.mode) for figures in report.sides):
        if banner is not None:
            out.print(Text(banner, style="bold yellow"))
    for figures in report.sides:
        if figures.side.caution is not None:
            out.print(Text(f"{side_name(report, figures.side)}: {figures.side.caution}", style="bold yellow"))
    monthly = () if report.per_month is None else (f"per {report.per_month:,} a month",)
    out.print(plain_table((*_headed(SIDE_HEAD, report), *monthly), side_rows(report)))
    if report.savings:
        _show_measured(report)
    if naive_rows(report):
        out.print(Text("\nNaive: all tokens at the draft model's price", style="bold"))
        out.print(plain_table(NAIVE_HEAD, naive_rows(report)))
    for figures in report.sides:
        if len(figures.what_if) > 1:
            out.print(
                Text(f"\nWhat if, {side_name(report, figures.side)}: {WHAT_IF_ASSUMPTION}", style="bold")
            )
            out.print(plain_table(_headed(WHAT_IF_HEAD, report), what_if_rows(figures)))


def _show_measured(report: SavingsReport) -> None:
    out.print(Text(f"\nMeasured, A = {side_name(report, report.sides[0].side)}", style="bold"))
    out.print(plain_table(_headed(SAVING_HEAD, report), saving_rows(report)))
    for found in report.savings:
        if found.warning is not None:
            out.print(Text(f"{side_name(report, found.b)}: {found.warning}", style="yellow"))
        month = found.total.per_month.value if found.total.per_month is not None else None
        if month is not None:
            word, more = ("saves", "") if month >= 0 else ("costs", " more")
            out.print(Text(f"{side_name(report, found.b)} {word} {usd(abs(month), 2)}{more} a month"))


def _headed(head: tuple[str, ...], report: SavingsReport) -> tuple[str, ...]:
    percent = f"{report.confidence * 100:.10g}% interval"
    return tuple(percent if cell == "95% interval" else cell for cell in head)
