"""`harness strategies frontier`: which strategy to take, of those recorded and of those nobody ran."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out, print_json
from harness.cli.lazy import command
from harness.cli.opened import opened_sides
from harness.cli.price_options import PricesOption
from harness.cli.strategies.compare import say
from harness.cli.strategies.options import (
    ByOption,
    CaseOption,
    ConfidenceOption,
    StrategyOption,
    require_by,
    require_confidence,
)
from harness.errors import UsageError
from harness.gate.config import parse_duration_ms
from harness.outputs import replace_file
from harness.pricing import PriceBook
from harness.report.frontier_document import (
    CURVE_HEAD,
    FRONTIER_HEAD,
    MIX_HEAD,
    curve_rows,
    frontier_document,
    frontier_rows,
    judged_line,
    mix_rows,
    search_line,
)
from harness.report.rows import mode_banner
from harness.report.tables import plain_table
from harness.report.wording import printable
from harness.strategies.checkers import StatedChecker
from harness.strategies.frontier import FrontierReport, frontier_report
from harness.strategies.mixes import Checkers
from harness.strategies.search import Limits
from harness.strategies.writing import strategy_yaml

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
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", min=0.0, help="USD that a request may cost.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Add mixes that nobody ran, from the recorded answers.")
    ] = False,
    checker: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CATCHES,PASSES",
            help="With --replay: a cascade's checker by the share of short answers it catches and of good "
            "ones it passes, as in 0.8,0.95; may be repeated.",
        ),
    ] = None,
    no_perfect: Annotated[
        bool, typer.Option("--no-perfect", help="With --replay: leave perfect checkers out.")
    ] = False,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the recommended mix as a strategy file.")
    ] = None,
    strategy: StrategyOption = None,
    case: CaseOption = None,
    by: ByOption = "strategy",
    confidence: ConfidenceOption = 0.95,
    prices: PricesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Cost, p95 and high tier of every strategy, which are not beaten, and the cheapest that will do.

    Example: harness strategies frontier latest --max-p95 8s --min-high-tier 0.9
    """
    require_confidence(confidence)
    limits = Limits(max_p95_ms=parse_duration_ms(max_p95), min_high_tier=min_high_tier, max_cost_usd=max_cost)
    checkers = Checkers(perfect=not no_perfect, stated=[_stated(text) for text in checker or ()])
    sides = opened_sides(runs or ["latest"], strategy or (), store, cases=case or (), by=require_by(by))
    with sides as found:
        report = frontier_report(
            found,
            limits=limits,
            cases=case or (),
            confidence=confidence,
            book=PriceBook.load(prices) if replay else None,
            checkers=checkers,
        )
    if write is not None:
        _write(report, write)
    if as_json:
        print_json(frontier_document(report))
    else:
        _show(report)


def _stated(text: str) -> StatedChecker:
    parts = text.split(",")
    try:
        catches, passes = (float(part) for part in parts)
    except ValueError as error:
        raise UsageError(f"--checker '{text}': expected two shares, as in 0.8,0.95") from error
    if not (0.0 <= catches <= 1.0 and 0.0 <= passes <= 1.0):
        raise UsageError(f"--checker '{text}': both shares lie between 0 and 1")
    return StatedChecker(catches, passes)


def _write(report: FrontierReport, path: Path) -> None:
    policy = report.recommended_mix
    if policy is None:
        name = report.recommendation.name
        raise UsageError(
            f"--write {path}: {name} was recorded, so it has a file already"
            if name is not None
            else f"--write {path}: nothing is recommended"
        )
    replace_file(path, strategy_yaml(policy).encode())
    err.print(f"harness: wrote {path}", markup=False)


def _show(report: FrontierReport) -> None:
    say(mode_banner(report.mode), report.notes, report.left_out)
    out.print(plain_table(FRONTIER_HEAD, frontier_rows(report)))
    out.print(Text(judged_line(report), style="dim"))
    if report.search is not None and report.search.mixes:
        out.print(Text("\nMixes that nobody ran, against chance at the same cost", style="bold"))
        out.print(plain_table(MIX_HEAD, mix_rows(report.search)))
        out.print(Text(search_line(report.search), style="dim"))
        if report.search.curves:
            out.print(
                Text("\nHow well a score routes: share of the gap in high tier recovered", style="bold")
            )
            out.print(plain_table(CURVE_HEAD, curve_rows(report.search)))
    colour = "green" if report.recommendation.certain else "yellow"
    out.print(Text(f"\n{printable(report.recommendation.sentence)}", style=f"bold {colour}"))
    if report.runner_up is not None:
        out.print(Text(printable(report.runner_up.sentence)))
