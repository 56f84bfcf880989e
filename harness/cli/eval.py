"""`harness eval`: a suite through several strategies; tiers, cost and latency, compared case by case."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out, print_json
from harness.cli.eval_show import show_case
from harness.cli.lazy import command
from harness.errors import EXIT_FAIL, EXIT_INTERRUPTED, UsageError
from harness.evaluation import load_suite
from harness.evaluation.models import parse_models
from harness.evaluation.run import Evaluation
from harness.evaluation.settings import (
    DEFAULT_CONCURRENCY,
    DEFAULT_SPEED,
    EvalPlan,
    find_resumed,
    judged_suite,
    resumed_plan,
)
from harness.evaluation.suite import strategy_reference
from harness.processes.embedded import EmbeddedTarget
from harness.records import RunStatus

app = command()


@app.command()
def evaluate(
    *,
    suite: Annotated[
        str | None, typer.Argument(metavar="[SUITE]", help="golden, smoke, suggest, judged, or a suite file.")
    ] = None,
    case: Annotated[
        str | None,
        typer.Argument(help="With `show` as SUITE: a case's id, or a text of its prompt."),
    ] = None,
    run: Annotated[str, typer.Option(help="With `show`: the evaluation.")] = "latest",
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="A strategy's name or file; may be repeated [the suite's own]."),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Ask each case so often [the suite's own].")
    ] = None,
    cases: Annotated[int | None, typer.Option(min=1, help="Only the first so many cases.")] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="PROVIDER/MODEL", help="A rubric by this model, beside the suite's own graders."
        ),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="USD", help="The most that the whole run may cost.")
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=256, help="The most cases at once; it adapts below that.")
    ] = DEFAULT_CONCURRENCY,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with an evaluation that ended early.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=URL:MODEL",
            help="Ask this model: an OpenAI-compatible endpoint, or NAME=PROVIDER/MODEL; may be repeated.",
        ),
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=IN/OUT", help="What a --model charges, USD per million tokens."),
    ] = None,
    store_content: Annotated[
        bool, typer.Option("--store-content", help="Keep prompts and answers as text, for `eval show`.")
    ] = False,
    stop_early: Annotated[
        bool,
        typer.Option("--stop-early", help="End as soon as every comparison is settled, with stated error."),
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the configured providers; it costs real money.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Go on over budget (as far as it lasts), or live without one.")
    ] = False,
    speed: Annotated[
        float, typer.Option(min=0.01, help="Embedded: divide the emulated latencies by this.")
    ] = DEFAULT_SPEED,
    seed: Annotated[int | None, typer.Option(help="Embedded: of every emulated draw.")] = None,
    defect_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="Embedded: share of drafts to repair.")
    ] = None,
    faults: Annotated[
        str | None, typer.Option(help="Embedded: fault rules, a file or JSON.", metavar="FILE|JSON")
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Ask through the providers' batch APIs, at their batch prices.")
    ] = False,
    cancel_batches: Annotated[
        bool, typer.Option("--cancel-batches", help="With --batch: Ctrl-C cancels the open batches.")
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache", help="Keep answers in the store, and ask for none that is kept there.")
    ] = False,
    rpm: Annotated[
        int | None, typer.Option(min=1, help="Embedded: requests a minute that each model allows.")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Embedded: the emulator's own account.")] = None,
    name: Annotated[str | None, typer.Option(help="The run's name [eval-DATE-TIME].")] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Ask every case of a suite of every strategy: graded, priced, timed, compared case by case.

    Example: harness eval golden --repeats 3
    """
    if case is not None:
        if suite != "show":
            raise UsageError(f"'{case[:80]}': only `harness eval show CASE` takes a second word")
        show_case(store, run, case, as_json=as_json)
        return
    budget_usd = _budget(budget)
    if resume is not None:
        anew = (
            suite,
            strategy,
            repeats,
            cases,
            judge,
            model,
            price,
            live,
            name,
            batch,
            cache,
            store_content,
            stop_early,
        )
        if any(option is not None and option not in (False, []) for option in anew):
            raise UsageError(
                "--resume goes on with a run as it was: only --budget, --ledger, --cancel-batches and --yes "
                "go with it"
            )
        found = find_resumed(store, resume)
        plan = resumed_plan(
            found, store, budget_usd=budget_usd, confirmed=yes, ledger=ledger, cancel_batches=cancel_batches
        )
        outcome = Evaluation(plan, err, found).run()
    else:
        if suite is None:
            raise UsageError("say which suite: `harness eval golden`, or a suite file's path")
        loaded = judged_suite(load_suite(suite), judge)
        embedded = EmbeddedTarget(
            speed=speed, seed=seed, defect_rate=defect_rate, faults=faults, rpm=rpm, ledger=ledger
        )
        models = parse_models(model or ())
        chosen = _references(strategy) or (() if models else loaded.strategies)
        if not chosen and not models:
            raise UsageError(f"suite '{loaded.name}' names no strategies: say --model or --strategy")
        if stop_early and (len(chosen) + len(models) < 2 or batch):
            raise UsageError("--stop-early compares strategies as they answer: it needs two, and no --batch")
        built_in = loaded.path.stem == suite
        plan = EvalPlan(
            store_dir=store,
            suite_reference=suite if built_in else str(loaded.path.resolve()),
            suite=loaded,
            strategies=chosen,
            repeats=repeats or loaded.repeats,
            cases=cases,
            judge=judge,
            budget_usd=budget_usd,
            concurrency=concurrency,
            live=live or bool(models),
            models=models,
            prices=tuple(price or ()),
            store_content=store_content,
            stop_early=stop_early,
            confirmed=yes,
            batch=batch,
            cancel_batches=cancel_batches,
            cache=cache,
            name=name,
            embedded=embedded,
        )
        outcome = Evaluation(plan, err).run()
    any_answered = _conclude(store, outcome.run_id, as_json=as_json)
    if outcome.status is RunStatus.INTERRUPTED:
        err.print(f"go on with: harness eval --resume {outcome.run_id}", soft_wrap=True)
        raise typer.Exit(EXIT_INTERRUPTED)
    raise typer.Exit(EXIT_FAIL if outcome.status is RunStatus.FAILED or not any_answered else 0)


def _references(strategies: list[str] | None) -> tuple[str, ...]:
    return tuple(strategy_reference(name, Path.cwd()) for name in strategies or ())


def _budget(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise UsageError(f"--budget '{text[:40]}': not a number of dollars") from error
    if not amount.is_finite() or amount <= 0 or amount > 1_000_000:
        raise UsageError(f"--budget {text[:40]}: expected more than 0 and at most 1,000,000 dollars")
    return amount


def _conclude(store: Path, run_id: str, *, as_json: bool) -> bool:
    """Figures from the store, the report's files, and what is shown; whether anything was answered."""
    from harness.cli.run_source import open_run  # noqa: PLC0415
    from harness.figures.evaluation import evaluation_figures  # noqa: PLC0415
    from harness.report.evaluation_document import evaluation_document, write_evaluation  # noqa: PLC0415
    from harness.report.evaluation_terminal import evaluation_view  # noqa: PLC0415 - statistics load after the run, not before

    with open_run(run_id, store) as opened:
        figures = evaluation_figures(opened.view, opened.run)
        files = write_evaluation(opened.view, figures, store / "reports")
    any_answered = not figures.strategies or any(side.ok for side in figures.strategies)
    if as_json:
        print_json({**evaluation_document(figures), "files": [str(path) for path in files]})
        return any_answered
    out.print(evaluation_view(figures))
    out.print(Text("\nreport: " + ", ".join(str(path) for path in files), style="dim"), soft_wrap=True)
    return any_answered
