"""One load run, from preflight to its last record in the store: what `baseline` and `demo` share."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from harness import addresses
from harness.analysis.sequential import ArrivalOrderTest
from harness.errors import TargetError
from harness.load import preflight
from harness.load.binding import exchange_of
from harness.load.display import run_display
from harness.load.ending import Ending, end_record
from harness.load.exchange import Exchange
from harness.load.live import LiveRun
from harness.load.plan import LoadPlan
from harness.load.preparing import Prepared, prepared
from harness.load.punctuality import EmbeddedClocks, allowed_ms
from harness.load.recorder import Epoch, Recorder
from harness.load.runrecord import begin_record
from harness.load.saturation import Staircase
from harness.load.watch import RunWatch, interruptions
from harness.load.workers import LoadWorkers, scenario_file
from harness.processes.children import ChildError, ChildGroup
from harness.processes.embedded import EmbeddedTarget, start_emulator, start_service
from harness.processes.ingestion import Ingestion
from harness.records import BaselineConfig, BaselineSummary, RunStatus
from harness.store import Spool, ingest
from harness.tasks.briefs import BriefCase

DEFAULT_LIMIT_MS = 8000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePlan:
    """What to run.

    Attributes:
        store_dir: where everything is recorded.
        target: base URL; None starts the embedded emulator and service.
        load: shape, rps, duration_s, users, workers, seed, ... : fields of `LoadPlan`.
        name: of the run; `baseline-YYYY-MM-DD-HHmmss` when None.
        confirmed: another machine may be loaded.
        allow_fixtures: a target that answers from fixtures may be measured.
        keep_going: load a target that failed the warm-up request.
        stop_early: end as soon as the sequential test on `limit_ms` has decided.
        limit_ms: the latency limit (SLO), milliseconds.
        embedded: how the embedded target is started.
        give_up_late: end a run that this machine is too busy for, as `INTERRUPTED`.
        bind: `HOST:PORT` for Locust workers on other machines; None runs them here.
    """

    store_dir: Path
    target: str | None = None
    scenario: str = "baseline"
    load: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    confirmed: bool = False
    allow_fixtures: bool = False
    keep_going: bool = False
    stop_early: bool = False
    limit_ms: float = DEFAULT_LIMIT_MS
    embedded: EmbeddedTarget = field(default_factory=EmbeddedTarget)
    bind: str | None = None
    give_up_late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineOutcome:
    """What came of it; figures are read from the store. `asked_to_end`: by Ctrl-C or SIGTERM."""

    run_id: str
    name: str
    status: RunStatus
    summary: dict[str, Any]
    asked_to_end: bool = False

    @property
    def ended(self) -> BaselineSummary:
        """The summary, read."""
        return BaselineSummary.read(self.summary)


def run_baseline(plan: BaselinePlan, console: Console) -> BaselineOutcome:
    """Run the load and record it; when this returns everything is in the database.

    Args:
        plan: what to run.
        console: for progress and remarks.

    Raises:
        TargetError: the target cannot or must not be loaded.
        UsageError: the plan makes no sense.
        StoreError: the store cannot be written.
        ChildError: a process of ours did not start.
    """
    ready = prepared(
        plan.scenario,
        store_dir=plan.store_dir,
        target=plan.target,
        name=plan.name,
        fields=plan.load,
        confirmed=plan.confirmed,
    )
    with ChildGroup() as group:
        found = _target(plan, ready, group, console)
        exchange = exchange_of(found.load, os.environ, ready.scenario)
        outcome = _Run(plan, found.load, exchange, group, console).run(found, ready.first)
    ingest(plan.store_dir, wait=True)
    return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What is loaded: the plan with its target, what belongs into the run's configuration, and its clocks."""

    load: LoadPlan
    config: BaselineConfig
    clocks: EmbeddedClocks | None = None


def _target(plan: BaselinePlan, ready: Prepared, group: ChildGroup, console: Console) -> _Target:
    """The target, started if need be."""
    if ready.load.target:
        return _Target(load=ready.load, config=BaselineConfig(embedded=False))
    is_service = ready.scenario.stand_in == "service"
    if is_service:
        console.print("starting the provider emulator and the service on loopback", style="dim")
    _, emulator_url = start_emulator(group, plan.embedded)
    config = BaselineConfig(
        embedded=True, emulator_speed=plan.embedded.speed, emulator_seed=plan.embedded.seed
    )
    service_url = None
    if is_service:
        _, service_url = start_service(group, emulator_url, plan.store_dir, plan.embedded)
    told = {"target": service_url or emulator_url, "environment": plan.embedded.environment}
    clocks = EmbeddedClocks(emulator_url, service_url)
    return _Target(load=ready.load.model_copy(update=told), config=config, clocks=clocks)


class _Run:
    """The run itself; its row and its end are this process's to write."""

    def __init__(
        self,
        plan: BaselinePlan,
        load: LoadPlan,
        exchange: Exchange,
        group: ChildGroup,
        console: Console,
    ) -> None:
        self._plan = plan
        self._load = load
        self._group = group
        self._console = console
        self._exchange = exchange
        self._scenario = exchange.scenario
        self._health = preflight.NO_HEALTH

    def run(self, target: _Target, first: BriefCase) -> BaselineOutcome:
        """Preflight with the first case, load, end."""
        planned = len(self._load.schedule_ns()) if not self._load.closed_loop else self._load.max_requests
        warm = self._preflight(planned, first)
        limits = {"limit_ms": self._plan.limit_ms, "stop_early": self._plan.stop_early}
        config = target.config.model_copy(update=limits)
        with Spool.open(self._plan.store_dir) as spool:
            spool.append(begin_record(self._load, owner=spool.spool_id, config=config))
            self._record_warm_up(spool, warm)
            live = LiveRun(planned)
            empty = preflight.empty_columns(warm, self._scenario)
            ending, complaint = self._load_target(live, empty, target.clocks)
            end = end_record(self._load, live, ending, limit_ms=self._plan.limit_ms)
            self._group.stop_all()  # the service's last records belong to the run that ends now
            spool.append(end).result()
        if complaint is not None:
            raise ChildError(complaint)
        return BaselineOutcome(
            run_id=self._load.run_id,
            name=self._load.name,
            status=end.status,
            summary=dict(end.summary),
            asked_to_end=ending.asked_to_end,
        )

    def _preflight(self, planned: int | None, first: BriefCase) -> preflight.WarmUp:
        check = self._scenario.check
        if check is not None:
            self._health = preflight.check_health(
                self._load.target, self._exchange.bound.check_headers, check
            )
            environment = self._load.environment or self._health.environment
            self._load = self._load.model_copy(update={"environment": environment})
        preflight.refuse_fixtures(self._health, None, allowed=self._plan.allow_fixtures)
        ceiling = preflight.spend_ceiling_usd(planned, self._health)
        count = "an open number of" if planned is None else planned
        most = "unknown" if ceiling is None else f"${ceiling}"
        called = addresses.shown(self._load.target)
        self._console.print(f"{called}: {count} requests, spend at most {most}", soft_wrap=True)
        warm = preflight.warm_up(self._load, self._exchange, self._exchange.bound.parcel(first))
        remark = preflight.check_warm_up(warm, self._exchange.bound.secrets)
        if remark is not None:
            # An embedded target fails because it was told to; one that is busy for a moment is not broken.
            told_to = self._plan.target is None or warm.answer.http_status in preflight.PASSING_STATUSES
            if not (told_to or self._plan.keep_going):
                raise TargetError(f"{remark}; --keep-going loads the target all the same")
            self._console.print(f"note: {remark}", soft_wrap=True)
        preflight.refuse_fixtures(self._health, warm, allowed=self._plan.allow_fixtures)
        for sentence in preflight.empty_columns(warm, self._scenario):
            self._console.print(f"note: {sentence}", style="dim", soft_wrap=True)
        return warm

    def _record_warm_up(self, spool: Spool, warm: preflight.WarmUp) -> None:
        recorder = Recorder(
            spool,
            run_id=self._load.run_id,
            epoch=Epoch(monotonic_ns=warm.sent_ns, wall=warm.wall),
            scenario=self._scenario.name,
            task=self._scenario.task,
            worker=0,
            environment=self._load.environment,
            secrets=self._exchange.bound.secrets,
        )
        recorder.record(
            warm.answer,
            seq=None,
            request_id=warm.request_id,
            case_id=warm.case_id,
            due_ns=warm.sent_ns,
            sent_ns=warm.sent_ns,
            done_ns=warm.done_ns,
            warmup=True,
        )

    def _load_target(
        self, live: LiveRun, empty_columns: list[str], clocks: EmbeddedClocks | None
    ) -> tuple[Ending, str | None]:
        """Load until the end; how it ended, and what a failed process had to say."""
        test = ArrivalOrderTest(self._plan.limit_ms) if self._plan.stop_early else None
        staircase = self._make_staircase()
        with ExitStack() as stack:
            locustfile = scenario_file(self._load.scenario)
            workers = LoadWorkers(self._group, self._load, locustfile, bind=self._plan.bind)
            interruption = stack.enter_context(interruptions(workers))
            stack.enter_context(Ingestion(self._plan.store_dir))
            display = stack.enter_context(run_display(self._console, live.planned))
            if clocks is not None:
                clocks.begin()
            workers.start()
            watch = RunWatch(workers, live, test, staircase, self._too_late(live, clocks))
            status = watch.follow(display, interruption)
            parts = () if clocks is None else clocks.told()
        ending = Ending(
            status=status,
            asked_to_end=interruption.asked,
            test=test,
            staircase=staircase,
            fallback_mode=self._health.provider_mode
            or (self._scenario.mode if self._exchange.bound.holds else None),
            empty_columns=empty_columns,
            parts=parts,
            too_late=watch.gave_up,
        )
        return ending, workers.complaint() if status is RunStatus.FAILED else None

    def _too_late(self, live: LiveRun, clocks: EmbeddedClocks | None) -> Callable[[], bool] | None:
        """What tells that this machine is too busy for the run; None where the run goes on all the same."""
        limit_ms = self._plan.limit_ms
        if clocks is None or not self._plan.give_up_late:
            return None
        return lambda: live.sent_late(allowed_ms(limit_ms)) or clocks.too_late(limit_ms)

    def _make_staircase(self) -> Staircase | None:
        rates = self._load.step_rates()
        if not rates:
            return None
        return Staircase(
            self._load.schedule_ns(),
            rates,
            step_s=self._load.duration_s / len(rates),
            limit_ms=self._plan.limit_ms,
        )
