"""What an evaluation was asked to be: from the command line, or from the run that is to be resumed."""

import os
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from harness.errors import UsageError
from harness.evaluation import Progress, Suite, load_suite, read_progress
from harness.evaluation.batches.record import RecordedBatch, batched_progress, read_batches
from harness.evaluation.models import ModelChoice, parse_models, parse_prices
from harness.pricing import PriceBook
from harness.processes.embedded import EmbeddedTarget
from harness.records import EvaluationConfig, RunKind, RunStatus
from harness.tasks.graders.marking import WHOLE_NAMES, name_problem

DEFAULT_CONCURRENCY = 16
DEFAULT_SPEED = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalPlan:
    """Everything that makes an evaluation what it is.

    Attributes:
        suite_reference: a built-in suite's name, or an absolute path.
        strategies: names or paths of strategy files; the first is the one compared with.
        cases: only so many of the suite's first cases; None for all.
        judge: of the rubric that the command line added, as `provider/model`; None for none.
        budget_usd: the most that the whole run may commit; None for no limit.
        live: ask the configured providers, not the emulator.
        batch: ask through the providers' batch APIs.
        cancel_batches: Ctrl-C cancels the open batches.
        cache: keep answers in the store, and ask for none that is kept.
        models: named on the command line, each a strategy of its own beside `strategies`.
        prices: what they charge, as written.
        store_content: keep prompts and answers as text.
        stop_early: end as soon as every comparison is settled.
        confirmed: go on where the forecast exceeds the budget, or without a budget on live providers.
    """

    store_dir: Path
    suite_reference: str
    suite: Suite
    strategies: tuple[str, ...]
    repeats: int
    cases: int | None = None
    judge: str | None = None
    budget_usd: Decimal | None = None
    concurrency: int = DEFAULT_CONCURRENCY
    live: bool = False
    confirmed: bool = False
    batch: bool = False
    cancel_batches: bool = False
    cache: bool = False
    models: tuple[ModelChoice, ...] = ()
    prices: tuple[str, ...] = ()
    store_content: bool = False
    stop_early: bool = False
    name: str | None = None
    embedded: EmbeddedTarget = field(default_factory=lambda: EmbeddedTarget(speed=DEFAULT_SPEED))

    @property
    def book(self) -> PriceBook:
        """The configured prices, under those of the command line.

        Raises:
            ConfigError, UsageError: a wrong file or option.
        """
        book, own = PriceBook.configured(os.environ), parse_prices(self.prices, self.models)
        return book if own is None else book.under(own)

    @property
    def bills_nobody(self) -> bool:
        """Whether all that is asked stands on this machine."""
        return not self.live or (
            bool(self.models)
            and not self.strategies
            and all(choice.is_on_this_machine for choice in self.models)
        )

    def config(self) -> EvaluationConfig:
        """As stored with the run, and read back by `resumed_plan`; no secrets."""
        suite, own = self.suite, self.embedded
        config = EvaluationConfig(
            suite=suite.name,
            suite_reference=self.suite_reference,
            dataset_digest=suite.digest,
            task=suite.task,
            strategy_references=list(self.strategies),
            repeats=self.repeats,
            cases=self.cases,
            judge=self.judge,
            graders=list(suite.marking.names),
            judges=list(suite.marking.judges),
            graders_digest=suite.marking.digest,
            budget_usd=self.budget_usd,
            concurrency=self.concurrency,
            batch=self.batch,
            cache=self.cache,
            models=[choice.written for choice in self.models],
            prices=list(self.prices),
            store_content=self.store_content,
            stop_early=self.stop_early,
            embedded=not self.live,
        )
        if self.live:
            return config
        embedded = {
            "emulator_speed": own.speed,
            "emulator_seed": own.seed,
            "emulator_defect_rate": own.defect_rate,
            "emulator_faults": own.faults,
            "emulator_rpm": own.rpm,
        }
        return config.model_copy(update=embedded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A run to go on with: its id and name, what it was, how far it came, and its batches."""

    run_id: str
    name: str
    config: EvaluationConfig
    progress: Progress
    batches: tuple[RecordedBatch, ...] = ()


def find_resumed(store_dir: Path, reference: str) -> Resumed:
    """The run to resume.

    Raises:
        UnknownRunError, StoreError: no such run or store.
        UsageError: it is no evaluation, still running, or already complete.
    """
    from harness.store import open_store  # noqa: PLC0415 - only a resumed run needs DuckDB before it starts

    opened = open_store(store_dir)
    opened.ingest(wait=True)
    with opened.snapshot() as view:
        run = view.run(reference)
        config = EvaluationConfig.read(run.config)
        if run.kind is not RunKind.EVAL or config.imported is not None:
            kind = f"a {run.kind}" if config.imported is None else "an imported"
            raise UsageError(f"run {run.run_id} is {kind} run; only an evaluation can be resumed")
        if run.status is RunStatus.RUNNING:
            raise UsageError(f"run {run.run_id} is still running; resume it when it has ended")
        if run.status is RunStatus.COMPLETED:
            raise UsageError(f"run {run.run_id} is complete: nothing is left to resume")
        progress = read_progress(view, run.run_id)
        batches: tuple[RecordedBatch, ...] = ()
        if config.batch:
            batches = read_batches(view, run.run_id)
            progress = batched_progress(progress, batches)
    return Resumed(run_id=run.run_id, name=run.name, config=config, progress=progress, batches=batches)


def resumed_plan(
    resumed: Resumed,
    store_dir: Path,
    *,
    budget_usd: Decimal | None,
    confirmed: bool,
    ledger: Path | None,
    cancel_batches: bool = False,
) -> EvalPlan:
    """The plan of the run that is resumed; a new budget may take the old one's place.

    Raises:
        UsageError: the cases are no longer those that the run began with.
    """
    config = resumed.config
    if config.suite_reference is None or config.concurrency is None or config.repeats is None:
        raise UsageError(f"run {resumed.run_id} does not tell what it was asked to do; start anew")
    suite = judged_suite(load_suite(config.suite_reference), config.judge)
    if suite.marking.digest != config.graders_digest:
        raise UsageError(
            f"the graders of suite '{suite.name}' have changed since run {resumed.run_id} began; start anew"
        )
    if suite.digest != config.dataset_digest:
        raise UsageError(
            f"the cases of suite '{suite.name}' have changed since run {resumed.run_id} began; start anew"
        )
    embedded = EmbeddedTarget(
        speed=DEFAULT_SPEED if config.emulator_speed is None else config.emulator_speed,
        seed=config.emulator_seed,
        defect_rate=config.emulator_defect_rate,
        faults=config.emulator_faults,
        rpm=config.emulator_rpm,
        ledger=ledger,
    )
    return EvalPlan(
        store_dir=store_dir,
        suite_reference=config.suite_reference,
        suite=suite,
        strategies=tuple(config.strategy_references),
        repeats=config.repeats,
        cases=config.cases,
        judge=config.judge,
        budget_usd=budget_usd if budget_usd is not None else config.budget_usd,
        concurrency=config.concurrency,
        live=not config.embedded,
        confirmed=confirmed,
        batch=config.batch,
        cancel_batches=cancel_batches,
        cache=config.cache,
        models=parse_models(config.models),
        prices=tuple(config.prices),
        store_content=config.store_content,
        stop_early=config.stop_early,
        name=resumed.name,
        embedded=embedded,
    )


def judged_suite(suite: Suite, judge: str | None) -> Suite:
    """The suite with a rubric of the built-in criteria by this judge; as it is for None.

    Raises:
        UsageError: not a `provider/model`, or the suite has a grader called `rubric` already.
    """
    if judge is None:
        return suite
    marking = suite.marking.with_rubric(judge)
    problem = name_problem(marking.graders, WHOLE_NAMES)
    if problem is not None:
        raise UsageError(f"--judge adds a grader called 'rubric', but suite '{suite.name}' has one already")
    return replace(suite, marking=marking)
