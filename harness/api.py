"""The harness from a notebook or a test: what the commands do, with values in and values out.

Everything is recorded in the store exactly as by the commands; nothing is printed.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.evaluation import load_suite
from harness.evaluation.run import EvalOutcome, Evaluation
from harness.evaluation.settings import DEFAULT_CONCURRENCY, DEFAULT_SPEED, EvalPlan
from harness.evaluation.suite import strategy_reference
from harness.figures.sides import whole_side
from harness.figures.summary import RunSummary, run_summary
from harness.gate import GateLimits, GateReport, evaluate_gate
from harness.load.run import DEFAULT_LIMIT_MS, BaselineOutcome, BaselinePlan, run_baseline
from harness.pricing import PriceBook
from harness.processes.embedded import EmbeddedTarget
from harness.store import Snapshot, open_store

DEFAULT_STORE = Path("results")


def baseline(
    *,
    store: Path | str = DEFAULT_STORE,
    target: str | None = None,
    scenario: str = "baseline",
    load: Mapping[str, Any] | None = None,
    name: str | None = None,
    limit_ms: float = DEFAULT_LIMIT_MS,
    speed: float = 1.0,
    confirmed: bool = False,
) -> BaselineOutcome:
    """Drive load at a service and record every request; returns when everything is in the store.

    Args:
        store: its folder.
        target: base URL; None starts an emulated service on loopback.
        scenario: what is asked.
        load: fields of `harness.load.plan.LoadPlan`, such as `rps`, `duration_s`, `users`, `max_requests`.
        name: of the run.
        limit_ms: the latency limit (SLO), milliseconds.
        speed: embedded only: latencies are divided by it.
        confirmed: another machine may be loaded.

    Raises:
        TargetError: the target cannot or must not be loaded.
        UsageError: the plan makes no sense.
        StoreError: the store cannot be written.
    """
    plan = BaselinePlan(
        store_dir=Path(store),
        target=target,
        scenario=scenario,
        load=dict(load or {}),
        name=name,
        limit_ms=limit_ms,
        confirmed=confirmed,
        embedded=EmbeddedTarget(speed=speed),
    )
    return run_baseline(plan, _silent())


def evaluate(
    suite: str,
    *,
    store: Path | str = DEFAULT_STORE,
    strategies: Sequence[str] = (),
    repeats: int | None = None,
    cases: int | None = None,
    budget_usd: Decimal | None = None,
    live: bool = False,
    speed: float = DEFAULT_SPEED,
    name: str | None = None,
) -> EvalOutcome:
    """Ask every case of a suite of every strategy; returns when everything is in the store.

    Args:
        suite: a built-in suite's name, or a suite file's path.
        store: its folder.
        strategies: names or files; empty takes the suite's own.
        repeats: how often each case is asked; None takes the suite's own.
        cases: only the first so many; None for all.
        budget_usd: the most that the whole run may commit; `live` needs one.
        live: ask the configured providers, not the emulator; it costs real money.
        speed: emulated only: latencies are divided by it.
        name: of the run.

    Raises:
        UsageError: the plan makes no sense, or its forecast exceeds the budget.
        ConfigError, UnpricedModelError: a suite or a strategy cannot be run.
        StoreError: the store cannot be written.
    """
    loaded = load_suite(suite)
    plan = EvalPlan(
        store_dir=Path(store),
        suite_reference=suite if loaded.path.stem == suite else str(loaded.path.resolve()),
        suite=loaded,
        strategies=tuple(strategy_reference(item, Path.cwd()) for item in strategies) or loaded.strategies,
        repeats=repeats or loaded.repeats,
        cases=cases,
        budget_usd=budget_usd,
        concurrency=DEFAULT_CONCURRENCY,
        live=live,
        name=name,
        embedded=EmbeddedTarget(speed=speed),
    )
    return Evaluation(plan, _silent()).run()


def gate(
    run: str = "latest", *, store: Path | str = DEFAULT_STORE, limits: GateLimits | None = None
) -> GateReport:
    """PASS, FAIL or INCONCLUSIVE on a stored run; the verdict is returned, not recorded.

    Args:
        run: `latest`, an id, a name or a unique beginning of one.
        store: its folder.
        limits: None for the gate's defaults.

    Raises:
        StoreError, UnknownRunError: no such run.
    """
    with _opened(store) as view:
        return evaluate_gate(whole_side(view, view.run(run)), limits or GateLimits())


def figures(run: str = "latest", *, store: Path | str = DEFAULT_STORE) -> RunSummary:
    """Every figure of a stored run, each with its n and its interval.

    Args:
        run: `latest`, an id, a name or a unique beginning of one.
        store: its folder.

    Raises:
        StoreError, UnknownRunError: no such run.
    """
    with _opened(store) as view:
        return run_summary(view, view.run(run), book=PriceBook.configured(os.environ))


def _opened(store: Path | str) -> AbstractContextManager[Snapshot]:
    opened = open_store(store)
    opened.ingest()
    return opened.snapshot()


def _silent() -> Console:
    return Console(quiet=True)
