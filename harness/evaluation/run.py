"""Running an evaluation: the emulator beside it, a forecast before it, every record acknowledged."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.clock import SYSTEM_CLOCK
from harness.errors import HarnessError
from harness.evaluation import (
    Bench,
    EvaluationForecast,
    GuardedTask,
    InDoubt,
    LiveEvaluation,
    Progress,
    Runner,
    Session,
    Stop,
    StrategyForecast,
    Unit,
    forecast_evaluation,
    mode_of,
    units,
)
from harness.evaluation.batches.calls import check_batchable
from harness.evaluation.batches.driving import BatchBench, announce_batches, drive, either_way, on_interrupt
from harness.evaluation.before import check_budget, early_stop, resolved_strategies
from harness.evaluation.cache import ResponseCache, counts_text
from harness.evaluation.cache_opening import open_cache
from harness.evaluation.early import EarlyStop
from harness.evaluation.forecasting import announce, recorded_requests
from harness.evaluation.judging import forecast_judging
from harness.evaluation.judging.running import (
    aftercare_of,
    asked_and_judged,
    emulated_third_provider,
    seated,
)
from harness.evaluation.models import routing_with
from harness.evaluation.plan import shuffled, units_by_case
from harness.evaluation.pools import EvaluationPools
from harness.evaluation.record import begin_record, doubts_json
from harness.evaluation.settings import EvalPlan, Resumed
from harness.orchestration import Routing, Strategy, resolve_routing
from harness.outputs import replace_file
from harness.pricing import Budget
from harness.pricing.catalogue import BATCH, STANDARD
from harness.processes.children import Child, ChildGroup
from harness.processes.embedded import emulated_environment, start_emulator
from harness.processes.ingestion import Ingestion
from harness.processes.loops import new_event_loop
from harness.records import EvaluationSummary, Prompt, RunEnd, RunStatus, new_id
from harness.store import Spool, ingest
from harness.tasks.base import Task
from harness.tasks.briefs import BriefCase
from harness.tasks.from_file import task_of

UNKNOWN_URL = "http://127.0.0.1:9"
"""Where the emulator is before it has started: enough to read strategies and prices."""
POLL_S = 0.5
SHUFFLE_SEED = 20241022
"""Of the order of cases where a run may stop early: fixed, so that a resumed run has the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalOutcome:
    """How it ended; figures are read from the store."""

    run_id: str
    status: RunStatus
    forecast: EvaluationForecast


class Evaluation:
    """One evaluation, new or resumed.

    Args:
        plan: what to run.
        console: for progress and remarks.
        resumed: the run to go on with; None begins one.
    """

    def __init__(self, plan: EvalPlan, console: Console, resumed: Resumed | None = None) -> None:
        self._plan = plan
        self._console = console
        self._progress = resumed.progress if resumed is not None else Progress()
        self._batches = resumed.batches if resumed is not None else ()
        self._lost: list[InDoubt] = []
        self._cache: ResponseCache | None = None
        self._run_id = resumed.run_id if resumed is not None else new_id("run")
        self._book = plan.book
        self._task: Task[Any, Any] = plan.suite.asked()
        cases = plan.suite.cases[: plan.cases]
        self._cases = shuffled(cases, SHUFFLE_SEED) if plan.stop_early else cases
        self._early: EarlyStop | None = None
        self._stop = Stop()
        self._problem: str | None = None

    def run(self) -> EvalOutcome:
        """Forecast, run, record; when this returns everything is in the database.

        Raises:
            UsageError: the plan makes no sense, or its forecast exceeds the budget.
            ConfigError, UnpricedModelError: a strategy cannot be run.
            StoreError: the store cannot be written.
        """
        plan = self._plan
        with ChildGroup() as group:
            routing = self._routing(group.folder, UNKNOWN_URL)
            forecast = self._forecast(routing)
            child = None
            if not plan.live:
                child, url = start_emulator(group, plan.embedded)
                routing = self._routing(group.folder, url)
            status = self._record(routing, forecast, child)
        ingest(plan.store_dir, wait=True)
        return EvalOutcome(run_id=self._run_id, status=status, forecast=forecast)

    def _routing(self, folder: Path, emulator_url: str) -> Routing:
        if self._plan.live:
            return routing_with(resolve_routing(dict(os.environ)), self._plan.models)
        config = folder / "providers.json"
        third, variables = emulated_third_provider(emulator_url)
        replace_file(config, json.dumps(third).encode())
        env = emulated_environment(emulator_url) | variables
        for name in ("HARNESS_ENV", "DD_ENV", "COST_MAX_USD"):
            if name in os.environ:
                env[name] = os.environ[name]
        return resolve_routing(env, config_path=config)

    def _forecast(self, routing: Routing) -> EvaluationForecast:
        plan, strategies = self._plan, resolved_strategies(self._plan, routing)
        left = self._left(strategies)
        if plan.batch:
            check_batchable(strategies, self._book)
        for strategy in strategies:
            for route in strategy.routes:
                if plan.live:
                    route.require_key()
                if not plan.batch:
                    self._book.require(route.provider, route.model, local=route.settings.local)
        prompts = [self._prompt_of(case) for case in self._cases]
        forecast = forecast_evaluation(
            strategies,
            prompts,
            {s.name: sum(unit.strategy.name == s.name for unit in left) for s in strategies},
            recorded_requests(plan.store_dir, plan.suite.task, strategies, live=plan.live, batch=plan.batch),
            self._book,
            at=SYSTEM_CLOCK.now(),
            repairs=self._task.repair_override is not None,
            context=BATCH if plan.batch else STANDARD,
        )
        forecast = replace(forecast, judging=self._forecast_judging(routing, strategies))
        announce(self._console, plan, self._progress, forecast, cases=len(self._cases))
        if plan.batch:
            announce_batches(self._console, self._batches, self._progress)
        check_budget(plan, self._progress, forecast)
        return forecast

    def _prompt_of(self, case: BriefCase) -> Prompt:
        task = task_of(self._task, case)
        return task.draft_prompt(task.parse_input(case.body))

    def _forecast_judging(
        self, routing: Routing, strategies: Sequence[Strategy]
    ) -> tuple[StrategyForecast, ...]:
        plan, judged = self._plan, self._progress.judged
        panel = seated(plan.suite, routing, strategies, self._book, live=plan.live)
        if panel is None:
            return ()
        each = len(self._cases) * plan.repeats
        left = {s.name: max(0, each - judged.get(s.name, 0)) for s in strategies}
        return forecast_judging(panel, self._cases, left, self._book, at=SYSTEM_CLOCK.now())

    def _left(self, strategies: Sequence[Strategy]) -> list[Unit]:
        if self._plan.stop_early:
            todo = units_by_case(strategies, self._cases, self._plan.repeats)
        else:
            todo = units(strategies, self._cases, self._plan.repeats)
        return [unit for unit in todo if unit.key not in self._progress.finished]

    def _record(self, routing: Routing, forecast: EvaluationForecast, child: Child | None) -> RunStatus:
        plan = self._plan
        strategies = resolved_strategies(plan, routing)
        planned = len(self._cases) * len(strategies) * plan.repeats
        live = LiveEvaluation(
            planned=planned, before=len(self._progress.finished), budget_usd=plan.budget_usd
        )
        budget = Budget("evaluation", plan.budget_usd)
        budget.spend(self._progress.committed_usd)
        with Spool.open(plan.store_dir, store_content=self._keeps_content) as spool:
            begun = begin_record(
                plan,
                routing,
                strategies,
                forecast,
                run_id=self._run_id,
                planned=planned,
                owner=spool.spool_id,
            )
            spool.append(begun).result()
            session = None
            batching = self._batch_bench(routing, spool, budget) if plan.batch else None
            bench = self._bench(routing, strategies, spool, budget, child)
            if plan.cache:
                self._cache = open_cache(plan, self._run_id, self._console)
                bench = replace(bench, cache=self._cache)
            if batching is not None:
                bench = replace(bench, concurrency=planned, batch=batching.calling())
            try:
                with Ingestion(plan.store_dir):
                    work = self._session(bench, self._left(strategies), live, child, batching)
                    with asyncio.Runner(loop_factory=new_event_loop()) as loop:
                        session = loop.run(work)
            except HarnessError as error:
                self._problem = self._problem or str(error)
                raise
            finally:
                end = self._end(session, live, budget, planned)
                spool.append(end).result()
        if self._cache is not None:
            self._console.print(counts_text(self._cache.counts), soft_wrap=True)
        for settled in self._early.verdicts if self._early is not None else ():
            self._console.print(settled.sentence, soft_wrap=True)
        if self._early is not None and end.status is RunStatus.STOPPED_EARLY:
            self._console.print(
                f"stopped early: {live.done:,} of {planned:,} requests settled it, "
                f"{1 - live.done / planned:.0%} were saved",
                soft_wrap=True,
            )
        problem = EvaluationSummary.read(end.summary).problem
        if problem:
            self._console.print(f"harness: {problem}", style="red", soft_wrap=True)
        return end.status

    @property
    def _keeps_content(self) -> bool:
        return self._plan.store_content or bool(self._plan.suite.marking.judges)

    def _batch_bench(self, routing: Routing, spool: Spool, budget: Budget) -> BatchBench:
        return BatchBench(
            run_id=self._run_id,
            environment=routing.environment,
            book=self._book,
            budget=budget,
            spool=spool,
            console=self._console,
            earlier=self._batches,
            keeps_open=self._plan.live,
            cancels=self._plan.cancel_batches,
        )

    def _bench(
        self,
        routing: Routing,
        strategies: Sequence[Strategy],
        spool: Spool,
        budget: Budget,
        child: Child | None,
    ) -> Bench:
        plan = self._plan
        panel = seated(plan.suite, routing, strategies, self._book, live=plan.live)
        if plan.stop_early and not self._progress.finished:
            prompts = [self._prompt_of(case) for case in self._cases]
            repairs = self._task.repair_override is not None
            self._early = early_stop(plan, strategies, self._cases, prompts, repairs=repairs, book=self._book)
        return Bench(
            run_id=self._run_id,
            task=GuardedTask(self._task),
            book=self._book,
            spool=spool,
            budget=budget,
            cost_max_usd=routing.cost_max_usd,
            environment=routing.environment,
            concurrency=plan.concurrency,
            pools=EvaluationPools(emulated=not plan.live),
            generations=self._progress.generations,
            alive=lambda: child is None or child.running,
            aftercare=aftercare_of(
                self._run_id, plan.suite, panel, self._book, keeps_answers=plan.store_content
            ),
            early=self._early,
            keeps_content=plan.store_content,
        )

    async def _session(
        self,
        bench: Bench,
        todo: Sequence[Unit],
        live: LiveEvaluation,
        child: Child | None,
        batching: BatchBench | None,
    ) -> Session | None:
        """One session on its own event loop; None when it was ended at once."""
        if bench.batch is None:
            bench.pools.prepare(todo)
        runner = Runner(bench, todo, live, self._stop)
        driver = None if bench.batch is None else asyncio.create_task(drive(bench.batch, runner, live))
        work = asyncio.create_task(
            asked_and_judged(
                runner,
                bench,
                live,
                self._stop,
                store_dir=self._plan.store_dir,
                cases=self._cases,
                concurrency=self._plan.concurrency,
                console=self._console,
            )
        )
        helpers: list[asyncio.Task[Any]] = []
        if child is not None:
            helpers.append(asyncio.create_task(self._watch(child, work, batched=bench.batch is not None)))
        leave = self._on_signal(work)
        if bench.batch is not None and batching is not None and driver is not None:
            in_batches = on_interrupt(bench.batch.batcher, batching, work.cancel)
            leave = either_way(lambda: runner.waits_only_for(0), leave, in_batches)
            driver.add_done_callback(lambda ended: self._undriven(ended, work))
            helpers.append(driver)
        self._listen(leave)
        try:
            with suppress(asyncio.CancelledError):
                return await work
            if driver is not None and driver.done():
                driver.result()  # a defect of ours is no interruption
            return None
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await bench.pools.aclose()
            if bench.batch is not None:
                self._lost = bench.batch.batcher.lost
                await bench.batch.aclose()

    def _undriven(self, driver: "asyncio.Task[str | None]", work: "asyncio.Task[Session]") -> None:
        """Without batches nothing goes on: end, and say why."""
        if driver.cancelled():
            return
        if driver.exception() is None:
            self._problem = driver.result()
        work.cancel()

    def _on_signal(self, work: "asyncio.Task[Session]") -> Callable[[], object]:
        """The first Ctrl-C lets what runs finish; the second ends it at once."""

        def on_signal() -> None:
            if self._stop.asked:
                work.cancel()
                return
            self._console.print(
                "ending: cases under way may finish; again to end them at once", style="yellow"
            )
            self._stop.ask()

        return on_signal

    def _listen(self, on_signal: Callable[[], object]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, on_signal)

    async def _watch(self, child: Child, work: "asyncio.Task[Session]", *, batched: bool) -> None:
        while child.running:  # noqa: ASYNC110 - a process tells nobody when it dies
            await asyncio.sleep(POLL_S)
        self._problem = f"the emulator ended with code {child.process.returncode}: {child.log_tail()}"
        self._stop.ask()
        if batched:  # without its emulator no batch ends
            work.cancel()

    def _end(self, session: Session | None, live: LiveEvaluation, budget: Budget, planned: int) -> RunEnd:
        status = session.status if session is not None else RunStatus.INTERRUPTED
        problem = self._problem or (session.problem if session is not None else None)
        summary = EvaluationSummary(
            planned=planned,
            finished=live.done,
            budget_usd=budget.limit_usd,
            committed_usd=budget.committed_usd,
            sent_calls=session.sent_calls if session is not None else None,
            wasted_calls=session.wasted_calls if session is not None else None,
            **doubts_json((*self._progress.in_doubt, *self._lost), self._progress.judging_in_doubt),
            stop_early=None if self._early is None else self._early.summary(asked=live.done, planned=planned),
            cache=None if self._cache is None else asdict(self._cache.counts),
            problem=problem,
        )
        return RunEnd(
            run_id=self._run_id,
            ended_at=SYSTEM_CLOCK.now(),
            status=RunStatus.FAILED if problem else status,
            provider_mode=mode_of(session.modes) if session is not None else None,
            summary=summary.as_json(),
        )
