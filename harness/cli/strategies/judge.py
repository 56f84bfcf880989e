"""`harness strategies compare` and `frontier`: recorded strategies, held against each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.run_source import load_run
from harness.errors import UsageError
from harness.gate.config import parse_duration_ms
from harness.report import mode_banner, plain_table
from harness.report.comparable import LeftOut
from harness.report.frontier import FrontierReport, Limits, frontier_report
from harness.report.frontier_document import FRONTIER_HEAD, frontier_document, frontier_rows, judged_line
from harness.report.savings import SavingsSide, savings_sides
from harness.report.strategies import (
    STRATEGIES_HEAD,
    StrategiesReport,
    pairing_words,
    strategies_document,
    strategies_report,
    strategies_rows,
    together_words,
)
from harness.report.wording import printable

StrategyOption = Annotated[list[str] | None, typer.Option(help="Only these strategies; may be repeated.")]
CaseOption = Annotated[
    list[str] | None,
    typer.Option("--case", help="Only cases of this id or pattern, as in 'pricing-*'; may be repeated."),
]
ConfidenceOption = Annotated[float, typer.Option(help="Of the intervals, as in 0.95.")]
_COLOURS = {"better": "green", "worse": "red"}


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


def recorded_sides(references: Sequence[str], wanted: Sequence[str], store: Path) -> list[SavingsSide]:
    """The sides of runs and reports, only the wanted strategies, in the order wanted.

    Raises:
        UsageError: no counted request, or no such strategy.
    """
    found: list[SavingsSide] = []
    for reference in dict.fromkeys(references):
        loaded = load_run(reference, store)
        found += savings_sides(loaded.run, loaded.requests, loaded.calls)
    if not found:
        raise UsageError(f"no counted request in {', '.join(references)}: nothing to compare")
    names = {side.strategy for side in found}
    for name in wanted:
        if name not in names:
            known = ", ".join(sorted(n for n in names if n)) or "none"
            raise UsageError(f"--strategy '{name}': no request of that strategy (there are: {known})")
    if wanted:
        found = [side for name in dict.fromkeys(wanted) for side in found if side.strategy == name]
    return found


def require_confidence(confidence: float) -> None:
    """Refuse a percentage where a ratio is meant, and what is no confidence at all.

    Raises:
        UsageError: not between 0.5 and 1.
    """
    if not 0.5 < confidence < 1.0:
        raise UsageError(f"--confidence must be between 0.5 and 1, as in 0.95, not {confidence:g}")


def _show_comparison(report: StrategiesReport) -> None:
    _say(mode_banner(report.mode), report.notes, report.left_out)
    for other in report.others:
        title = f"\n{printable(other.name)} against {printable(report.first.name)}, {pairing_words(other)}"
        out.print(Text(title, style="bold"))
        rows = strategies_rows(other)
        table = plain_table(STRATEGIES_HEAD, rows)
        for index, row in enumerate(rows):
            table.rows[index].style = _COLOURS.get(row[-1])
        out.print(table)
    out.print(Text(f"\n{together_words(report)}", style="dim"))


def _show_frontier(report: FrontierReport) -> None:
    _say(mode_banner(report.mode), report.notes, report.left_out)
    out.print(plain_table(FRONTIER_HEAD, frontier_rows(report)))
    out.print(Text(judged_line(report), style="dim"))
    colour = "green" if report.recommendation.certain else "yellow"
    out.print(Text(f"\n{printable(report.recommendation.sentence)}", style=f"bold {colour}"))


def _say(banner: str | None, notes: Sequence[str], left_out: Sequence[LeftOut]) -> None:
    for text in ([banner] if banner is not None else []) + list(notes):
        out.print(Text(printable(text), style="bold yellow"))
    for found in left_out:
        out.print(Text(printable(f"left out: {found.name}: {found.reason}"), style="yellow"))
