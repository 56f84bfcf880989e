"""`harness gate`: PASS, FAIL or INCONCLUSIVE on a run, for people and for CI."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.run_source import OpenRun, TagOption, open_runs
from harness.errors import EXIT_FAIL, EXIT_INCONCLUSIVE, UsageError
from harness.figures.sides import Side, strategy_side, whole_side
from harness.figures.tags import tag_filters
from harness.gate import GateLimits, GateReport, evaluate_gate
from harness.gate.config import GateConfig, load_gate_config, parse_duration_ms
from harness.gate.figure_limit import parse_figure_limit
from harness.outputs import append_whole, replace_file
from harness.records import GateResult, GateVerdict
from harness.report.markdown import gate_markdown
from harness.report.tables import plain_table
from harness.report.wording import printable
from harness.store import Spool

app = command()

EXIT_CODES = {
    GateVerdict.PASS: 0,
    GateVerdict.FAIL: EXIT_FAIL,
    GateVerdict.INCONCLUSIVE: EXIT_INCONCLUSIVE,
}
_COLOURS = {GateVerdict.PASS: "green", GateVerdict.FAIL: "red", GateVerdict.INCONCLUSIVE: "yellow"}


@app.command()
def gate(
    *,
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="Run id, name, unique prefix, or a JSON report file. Default: the newest baseline.",
        ),
    ] = None,
    max_p95: Annotated[
        str | None, typer.Option(help="Largest p95 latency, with its unit: 8s, 800ms. Default 8s.")
    ] = None,
    max_error_ratio: Annotated[
        float | None, typer.Option(min=0, max=1, help="Largest share of failed requests, 0..1. Default 0.")
    ] = None,
    min_rps: Annotated[float | None, typer.Option(min=0, help="Least answers per second.")] = None,
    max_cost_per_request: Annotated[
        str | None, typer.Option(help="Largest mean cost of a request, US dollars.")
    ] = None,
    min_high_tier: Annotated[
        float | None, typer.Option(min=0, max=1, help="Least share of requests of high tier, 0..1.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Fail on a significant regression against this run.")
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="Judge this strategy of an evaluation alone.")] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="STRATEGY", help="Fail when significantly worse than this strategy of RUN."),
    ] = None,
    tag: TagOption = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="FIGURE<=VALUE", help="Limit any figure: 'p95_ttft<=800ms', 'repaired<=20%'."),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(help="Let the interval at this confidence decide, as in 0.95, not the point estimate."),
    ] = None,
    require_live: Annotated[
        bool | None,
        typer.Option("--require-live/--allow-not-live", help="Anything but live providers: INCONCLUSIVE."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Limits from this file. Default: gate.yaml or pyproject.toml [tool.harness.gate]."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the checks as JUnit XML.")] = None,
    step_summary: Annotated[
        bool, typer.Option("--step-summary", help="Append Markdown to the file $GITHUB_STEP_SUMMARY names.")
    ] = False,
    store: StoreOption = DEFAULT_STORE,
    json: JsonOption = False,
) -> None:
    """Judge a run: exit 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 2 when there is nothing to judge.

    Example: harness gate --max-p95 8s --max-error-ratio 0
    """
    settings = load_gate_config(config, Path.cwd()).model_copy(
        update={
            name: value
            for name, value in {
                "max_p95": None if max_p95 is None else parse_duration_ms(max_p95),
                "max_error_ratio": max_error_ratio,
                "min_rps": min_rps,
                "max_cost_per_request": _dollars(max_cost_per_request),
                "min_high_tier": min_high_tier,
                "confidence": _confidence(confidence),
                "require_live": require_live,
                "baseline": baseline,
                "strategy": strategy,
                "against": against,
                "tag": tag,
                "limit": limit,
            }.items()
            if value is not None
        }
    )
    references = [run] if settings.baseline is None else [run, settings.baseline]
    with open_runs(references, store) as found:
        report = judge(found[0], settings, *found[1:])
        stored = found[0].stored
    if junit is not None:
        from harness.gate.junit import junit_xml  # noqa: PLC0415 - XML only where it is asked for

        replace_file(junit, junit_xml(report))
    if step_summary:
        _append_step_summary(gate_markdown(report.as_json()))
    if stored and report.tags is None:  # one on a part is not the run's
        record_verdict(report, store)
    if json:
        print_json(report.as_json())
    else:
        print_report(report)
    raise typer.Exit(EXIT_CODES[report.verdict])


def judge(opened: OpenRun, settings: GateConfig, earlier: OpenRun | None = None) -> GateReport:
    """The verdict on an open run by a file's or the command's settings.

    Raises:
        UsageError: a run has no such strategy.
    """
    return evaluate_gate(
        _side(opened, settings.strategy, settings.tag),
        limits_of(settings),
        baseline=None if earlier is None else _side(earlier, settings.strategy, settings.tag),
        against=None if settings.against is None else _side(opened, settings.against, settings.tag),
    )


def _side(opened: OpenRun, strategy: str | None, tags: Sequence[str] | None) -> Side:
    chosen = tag_filters(tags or ())
    if strategy is None:
        return whole_side(opened.view, opened.run, tags=chosen)
    return strategy_side(opened.view, opened.run, strategy, tags=chosen)


def limits_of(settings: GateConfig) -> GateLimits:
    """The limits a configuration sets; what it leaves out keeps its default."""
    defaults = GateLimits()
    return GateLimits(
        max_p95_ms=defaults.max_p95_ms if settings.max_p95 is None else settings.max_p95,
        max_error_ratio=settings.max_error_ratio or defaults.max_error_ratio,
        min_rps=settings.min_rps,
        max_cost_per_request_usd=settings.max_cost_per_request,
        min_high_tier_ratio=settings.min_high_tier,
        confidence=settings.confidence,
        require_live=bool(settings.require_live),
        figures=tuple(map(parse_figure_limit, settings.limit or ())),
    )


def print_report(report: GateReport) -> None:
    """The checks as a table, and the verdict line below them."""
    rows = [(check.verdict.value, check.name, check.sentence) for check in report.checks]
    out.print(plain_table(("verdict", "check", "why"), rows))
    out.print(Text(printable(report.headline), style=f"bold {_COLOURS[report.verdict]}"))


def record_verdict(report: GateReport, store: Path) -> None:
    """Keep the verdict beside its run; the spool makes it durable, a later read ingests it."""
    result = GateResult(
        run_id=report.run_id,
        ts=datetime.now(UTC),
        verdict=report.verdict,
        checks=[asdict(check) for check in report.checks],
    )
    with Spool.open(store) as spool:
        spool.append(result).result()


def _dollars(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation as error:
        raise UsageError(f"'{text}' is not an amount of US dollars") from error
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"'{text}' is not an amount of US dollars to keep below")
    return amount


def _confidence(value: float | None) -> float | None:
    if value is not None and not 0.5 < value < 1.0:
        raise UsageError(f"--confidence must be between 0.5 and 1, as in 0.95, not {value:g}")
    return value


def _append_step_summary(markdown: str) -> None:
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if not target:
        raise UsageError("--step-summary needs GITHUB_STEP_SUMMARY, which GitHub Actions sets")
    append_whole(Path(target), f"{markdown}\n".encode())
