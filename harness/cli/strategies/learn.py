"""`harness strategies learn`: a router trained on recorded answers, judged on cases it never saw."""

from collections.abc import Sequence
from dataclasses import replace
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
    CaseOption,
    ConfidenceOption,
    StrategyOption,
    require_by,
    require_confidence,
)
from harness.errors import ConfigError, UsageError
from harness.evaluation import load_suite
from harness.orchestration.datasets import load_plain_dataset
from harness.outputs import replace_files
from harness.pricing import PriceBook
from harness.records import dump_json
from harness.report.frontier_document import CURVE_HEAD, MIX_HEAD, curve_row, mix_row
from harness.report.learned_document import learned_document
from harness.report.rows import mode_banner
from harness.report.tables import plain_table
from harness.report.wording import count, printable
from harness.strategies.learned import LearnedReport, learned_report
from harness.strategies.learning import CaseFeatures
from harness.strategies.writing import strategy_yaml
from harness.tasks.briefs import BriefCase
from harness.tasks.from_file import task_of

app = command()


@app.command()
def learn(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="Runs or JSON reports (default: latest).")
    ] = None,
    *,
    suite: Annotated[
        str | None, typer.Option(help="The suite that was asked: its prompts are the texts.")
    ] = None,
    features: Annotated[
        Path | None, typer.Option(help="Else a data set with case_id and what is known of each case.")
    ] = None,
    text: Annotated[str, typer.Option(help="With --features: the column that models are asked.")] = "text",
    tag: Annotated[
        list[str] | None, typer.Option(help="A column that requests carry as a tag; may be repeated.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="With --features: a column of numbers or lists of them (an embedding); may be repeated. "
            "No service knows it, so such a router cannot be written."
        ),
    ] = None,
    weak: Annotated[
        str | None, typer.Option(help="The model asked by default (default: the cheapest).")
    ] = None,
    strong: Annotated[str | None, typer.Option(help="The model to send on to (default: the best).")] = None,
    min_high_tier: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Take the cheapest threshold that keeps this share, 0..1."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the strategy, and its router file beside it.")
    ] = None,
    strategy: StrategyOption = None,
    case: CaseOption = None,
    confidence: ConfidenceOption = 0.95,
    prices: PricesOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Train a router on one half of the cases, judge it on the other, and write it where it beats chance.

    Example: harness strategies learn latest --suite golden --write router.yaml
    """
    require_confidence(confidence)
    known = _features(suite, features, text, tag or (), column or ())
    sides = opened_sides(
        runs or ["latest"], strategy or (), store, cases=case or (), by=require_by("strategy")
    )
    with sides as found:
        report = learned_report(
            found,
            known,
            PriceBook.load(prices),
            weak=weak,
            strong=strong,
            min_high_tier=min_high_tier,
            confidence=confidence,
        )
    if write is not None:
        _write(report, write, numbers=bool(column))
    if as_json:
        print_json(learned_document(report))
    else:
        _show(report)


def _features(
    suite: str | None, features: Path | None, text: str, tags: Sequence[str], columns: Sequence[str]
) -> dict[str, CaseFeatures]:
    if (suite is None) == (features is None):
        raise UsageError("learn needs --suite or --features: what the models were asked, by case")
    if features is not None:
        cases = load_plain_dataset(features)
        return {one.case_id: _of_columns(one, text, tags, columns) for one in cases}
    if columns:
        raise UsageError("--column needs --features: a suite's prompts have no columns of numbers")
    loaded = load_suite(str(suite))
    task, found = loaded.asked(), {}
    for one in loaded.cases:
        own = task_of(task, one)
        prompt = own.draft_prompt(own.parse_input(one.body))
        found[one.case_id] = CaseFeatures(text=prompt.user, tags=_tags(one, tags))
    return found


def _of_columns(case: BriefCase, text: str, tags: Sequence[str], columns: Sequence[str]) -> CaseFeatures:
    written = case.columns.get(text)
    if not isinstance(written, str) and not columns:
        there = ", ".join(case.columns)
        raise ConfigError(case.where, f"no text in column '{text}' (columns: {there}); name it with --text")
    numbers: dict[str, float] = {}
    for name in columns:
        value = case.columns.get(name)
        several = value if isinstance(value, list) else [value]
        for place, each in enumerate(several):
            try:
                number = float(each) if not isinstance(each, bool) else float("nan")
            except (TypeError, ValueError):
                number = float("nan")
            if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - not a number
                raise ConfigError(case.where, f"column '{name}' holds no number")
            numbers[name if not isinstance(value, list) else f"{name}.{place}"] = number
    return CaseFeatures(
        text=written if isinstance(written, str) else "", tags=_tags(case, tags), numbers=numbers
    )


def _tags(case: BriefCase, names: Sequence[str]) -> dict[str, str]:
    return {name: str(case.columns[name]) for name in names if case.columns.get(name) is not None}


def _write(report: LearnedReport, path: Path, *, numbers: bool) -> None:
    policy = report.recommended
    if policy is None or report.file is None:
        raise UsageError(f"--write {path}: no router is recommended, so none is written")
    if numbers:
        raise UsageError(f"--write {path}: a service does not know the columns of --column; leave them out")
    beside = path.with_suffix(".router.json")
    said = replace(policy, label="a learned router")
    strategy = strategy_yaml(said, router=beside.name)
    router = dump_json(report.file.model_dump(by_alias=True))
    replace_files({beside: router, path: strategy.encode()})
    err.print(f"harness: wrote {path} and {beside}", markup=False)


def _show(report: LearnedReport) -> None:
    say(mode_banner(report.mode), report.notes, report.left_out)
    if report.without_features:
        out.print(Text(f"left out: {count(report.without_features, 'unit')} of cases without features"))
    if report.mixes:
        out.print(plain_table(MIX_HEAD, [mix_row(mix) for mix in report.mixes]))
        out.print(plain_table(CURVE_HEAD, [curve_row(report.curve)]))
    out.print(Text(f"trained on {report.trained:,} cases, judged on {report.cases:,}", style="dim"))
    colour = "green" if report.recommended is not None else "yellow"
    out.print(Text(f"\n{printable(report.sentence)}", style=f"bold {colour}"))
