"""`harness strategies compare`: every strategy against one."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.opened import opened_sides
from harness.cli.strategies.options import (
    ByOption,
    CaseOption,
    ConfidenceOption,
    StrategyOption,
    require_by,
    require_confidence,
)
from harness.figures.sides import LeftOut
from harness.report.rows import mode_banner
from harness.report.strategies import (
    STRATEGIES_HEAD,
    pairing_words,
    strategies_document,
    strategies_rows,
    together_words,
)
from harness.report.tables import plain_table
from harness.report.wording import printable
from harness.strategies.comparing import StrategiesReport, strategies_report

_COLOURS = {"better": "green", "worse": "red"}


app = command()


@app.command()
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Runs or JSON reports.")],
    *,
    against: Annotated[
        str | None, typer.Option(help="The strategy to hold the others against (default: the first).")
    ] = None,
    strategy: StrategyOption = None,
    case: CaseOption = None,
    by: ByOption = "strategy",
    confidence: ConfidenceOption = 0.95,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Each strategy against one: cost, p50, p95, quality, high tier and errors, paired by case.

    The verdicts are corrected for their number (Holm), so that all of them hold together.

    Example: harness strategies compare latest --against hybrid
    """
    require_confidence(confidence)
    with opened_sides(runs, strategy or (), store, cases=case or (), by=require_by(by)) as sides:
        report = strategies_report(sides, against=against, confidence=confidence)
    if as_json:
        print_json(strategies_document(report))
    else:
        _show(report)


def say(banner: str | None, notes: Sequence[str], left_out: Sequence[LeftOut]) -> None:
    """What must be known before the figures are read."""
    for text in ([banner] if banner is not None else []) + list(notes):
        out.print(Text(printable(text), style="bold yellow"))
    for found in left_out:
        out.print(Text(printable(f"left out: {found.name}: {found.reason}"), style="yellow"))


def _show(report: StrategiesReport) -> None:
    say(mode_banner(report.mode), report.notes, report.left_out)
    for other in report.others:
        names = f"{printable(other.side.name)} against {printable(report.first.name)}"
        out.print(Text(f"\n{names}, {pairing_words(other)}", style="bold"))
        rows = strategies_rows(other)
        table = plain_table(STRATEGIES_HEAD, rows)
        for index, row in enumerate(rows):
            table.rows[index].style = _COLOURS.get(row[-1])
        out.print(table)
    out.print(Text(f"\n{together_words(report)}", style="dim"))
