"""`harness strategies frontier`: which strategies nothing beats, and the cheapest that will do."""

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
from harness.gate.config import parse_duration_ms
from harness.report.frontier import FrontierReport, Limits, frontier_report
from harness.report.frontier_document import FRONTIER_HEAD, frontier_document, frontier_rows, judged_line
from harness.report.rows import mode_banner
from harness.report.tables import plain_table
from harness.report.wording import printable

app = command()


@app.command()
def frontier(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Runs or JSON reports (default: latest).")
    ] = None,
    *,
    max_p95: Annotated[str, typer.Option("--max-p95", help="The p95 to keep, as in 8s or 800ms.")] = "8s",
    min_high_tier: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The share of high tier to reach, 0..1.")
    ] = 0.9,
    replay: Annotated[
        bool, typer.Option("--replay", help="Add cascades of two strategies, replayed from their answers.")
    ] = False,
    strategy: StrategyOption = None,
    case: CaseOption = None,
    confidence: ConfidenceOption = 0.95,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Cost, p95 and high tier of every strategy, which are not beaten, and the cheapest that will do.

    Example: harness strategies frontier latest --max-p95 8s --min-high-tier 0.9
    """
    require_confidence(confidence)
    report = frontier_report(
        recorded_sides(runs or ["latest"], strategy or (), store),
        limits=Limits(max_p95_ms=parse_duration_ms(max_p95), min_high_tier=min_high_tier),
        cases=case or (),
        confidence=confidence,
        replay=replay,
    )
    if as_json:
        print_json(frontier_document(report))
    else:
        _show_frontier(report)


def _show_frontier(report: FrontierReport) -> None:
    print_notes(mode_banner(report.mode), report.notes, report.left_out)
    out.print(plain_table(FRONTIER_HEAD, frontier_rows(report)))
    out.print(Text(judged_line(report), style="dim"))
    colour = "green" if report.recommendation.certain else "yellow"
    out.print(Text(f"\n{printable(report.recommendation.sentence)}", style=f"bold {colour}"))
