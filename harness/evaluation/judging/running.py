"""The judges of an evaluation on the command line: seated before it starts, asked when its cases are done."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from harness.evaluation import AdaptiveGate, Aftercare, Bench, LiveEvaluation, Runner, Session, Stop, Suite
from harness.evaluation.display import shown
from harness.evaluation.judging import (
    JudgeBench,
    JudgingSession,
    JudgingState,
    Panel,
    open_work,
    owed_usd,
    read_judging,
    seat_judges,
)
from harness.orchestration import Routing, Strategy
from harness.pricing import PriceBook
from harness.records import RunStatus
from harness.tasks.briefs import BriefCase

JUDGED = (RunStatus.COMPLETED, RunStatus.TRUNCATED, RunStatus.STOPPED_EARLY)
"""How a session must have ended for its answers to be judged at once; any other is resumed first."""
THIRD_PROVIDER = "mistral"
"""Stands on the emulator beside anthropic and openai, so that candidates of both have a judge of neither."""


def emulated_third_provider(emulator_url: str) -> tuple[dict[str, object], dict[str, str]]:
    """Its entry in the providers file, and the variables that keep the user's own out."""
    entry = {"kind": "openai", "api_key_env": "MISTRAL_API_KEY"}
    variables = {"MISTRAL_API_KEY": "emulated", "MISTRAL_BASE_URL": f"{emulator_url}/v1"}
    return {"providers": {THIRD_PROVIDER: entry}}, variables


def seated(
    suite: Suite, routing: Routing, strategies: Sequence[Strategy], book: PriceBook, *, live: bool
) -> Panel | None:
    """The suite's judges, each with a key and a price; None when it has none.

    Raises:
        ConfigError, UnpricedModelError: a judge cannot or must not judge.
    """
    panel = seat_judges(suite.marking, routing, strategies, str(suite.path))
    for route in panel.routes if panel is not None else ():
        if live:
            route.require_key()
        book.require(route.provider, route.model, local=route.settings.local)
    return panel


def aftercare_of(
    run_id: str, suite: Suite, panel: Panel | None, book: PriceBook, *, keeps_answers: bool = False
) -> Aftercare | None:
    """What is done with each answer; None without graders beside the task's score, judges or keeping."""
    graders = suite.graders if suite.file_task is None else ()
    if not graders and panel is None and not keeps_answers:
        return None
    return Aftercare(
        run_id=run_id,
        task=suite.task,
        book=book,
        graders=tuple(grader for grader, _ in graders),
        weighings={grader.name: weighing for grader, weighing in graders},
        panel=panel,
        keeps_answers=keeps_answers,
    )


async def asked_and_judged(
    runner: Runner,
    bench: Bench,
    live: LiveEvaluation,
    stop: Stop,
    *,
    store_dir: Path,
    cases: Sequence[BriefCase],
    concurrency: int,
    console: Console,
) -> Session:
    """The cases, then their judges, so many questions at once; how both ended, as one session."""
    panel = bench.aftercare.panel if bench.aftercare is not None else None
    if panel is not None:
        owed = owed_usd(panel, _state(store_dir, bench, cases), bench.book, bench.clock.now())
        runner.set_aside(owed)
    async with shown(live, console):
        session = await runner.run()
    if panel is None or stop.asked or session.status not in JUDGED:
        return session
    state = _state(store_dir, bench, cases)
    progress = LiveEvaluation(planned=len(open_work(panel, state)), budget_usd=live.budget_usd)
    judges = JudgingSession(_judge_bench(runner, bench, panel, concurrency), state, progress, stop)
    async with shown(progress, console, "judgements"):
        end = await judges.run()
    if progress.failed:
        console.print(f"{progress.failed:,} of {progress.finished:,} judgements failed: ungraded, never 0")
    status = session.status if end.status is RunStatus.COMPLETED else end.status
    return replace(session, status=status, problem=session.problem or end.problem)


def _state(store_dir: Path, bench: Bench, cases: Sequence[BriefCase]) -> JudgingState:
    from harness.store import open_store  # noqa: PLC0415 - DuckDB loads when there is something to read

    with open_store(store_dir).snapshot() as view:
        return read_judging(view, bench.run_id, cases)


def _judge_bench(runner: Runner, bench: Bench, panel: Panel, concurrency: int) -> JudgeBench:
    return JudgeBench(
        run_id=bench.run_id,
        panel=panel,
        book=bench.book,
        spool=bench.spool,
        budget=bench.budget,
        cost_max_usd=bench.cost_max_usd,
        environment=bench.environment,
        concurrency=concurrency,
        pools=bench.pools,
        # batches need no pace, and so the runner of a batched run keeps none
        gate=runner.gate if bench.batch is None else AdaptiveGate(concurrency, clock=bench.clock),
        clock=bench.clock,
        alive=bench.alive,
    )
