"""`harness strategies compare`: recorded strategies, held against one."""

from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.strategies.sides import (
    CaseOption,
    ConfidenceOption,
    StrategyOption,
    print_notes,
    recorded_sides,
    require_confidence,
)
from harness.report.rows import mode_banner
from harness.report.strategies import (
    STRATEGIES_HEAD,
    StrategiesReport,
    pairing_words,
    strategies_document,
    strategies_report,
    strategies_rows,
    together_words,
)
from harness.report.tables import plain_table
from harness.report.wording import printable

app = command()
_COLOURS = {"better": "green", "worse": "red"}


@app.command()
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Runs or JSON reports.")],
    *,
    against: Annotated[
        str | None, typer.Option(help="The strategy to hold the others against (default: the first).")
    ] = None,
    strategy: StrategyOption = None,
    case: CaseOption = None,
    confidence: ConfidenceOption = 0.95,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Each strategy against one: cost, p50, p95, quality, high tier and errors, paired by case.

    The verdicts are corrected for their number (Holm), so that all of them hold together.

    Example: harness strategies compare latest --against hybrid
    """
    require_confidence(confidence)
    report = strategies_report(
        recorded_sides(runs, strategy or (), store),
        against=against,
        cases=case or (),
        confidence=confidence,
    )
    if as_json:
        print_json(strategies_document(report))
    else:
        _show_comparison(report)


def _show_comparison(report: StrategiesReport) -> None:
    print_notes(mode_banner(report.mode), report.notes, report.left_out)
    for other in report.others:
        title = f"\n{printable(other.name)} against {printable(report.first.name)}, {pairing_words(other)}"
        out.print(Text(title, style="bold"))
        rows = strategies_rows(other)
        table = plain_table(STRATEGIES_HEAD, rows)
        for index, row in enumerate(rows):
            table.rows[index].style = _COLOURS.get(row[-1])
        out.print(table)
    out.print(Text(f"\n{together_words(report)}", style="dim"))
