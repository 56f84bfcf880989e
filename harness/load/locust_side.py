"""The harness inside Locust: its events start, stop and count; the schedule is ours.

Works the same under `harness baseline` (which hands a plan over), under plain `locust -f`, headless or with
the web UI, and in Locust's master and workers. The number of users never changes the rate.
"""

import gc
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from locust import User, constant, task
from locust.runners import MasterRunner, WorkerRunner

from harness.clock import SYSTEM_CLOCK
from harness.errors import HarnessError
from harness.load.answer import Answer
from harness.load.binding import exchange_of
from harness.load.cases import with_recorded_arrivals
from harness.load.exchange import Exchange
from harness.load.generator import Generator
from harness.load.plan import (
    DEFAULT_DURATION_S,
    DEFAULT_RPS,
    MASTER_PORT_ENV,
    PLAN_ENV,
    SCENARIO_ENV,
    SHAPES,
    LoadPlan,
)
from harness.load.recorder import GATHER_MS
from harness.load.reporter import Reporter
from harness.load.scenario.shipped import DEFAULT_SCENARIO, scenario_of
from harness.load.shipping import ACK, CHUNK, Receiver, Shipper
from harness.load.standalone import StandaloneRun
from harness.outputs import replace_file
from harness.records import Request, new_id
from harness.store import Spool

LOG = logging.getLogger("harness.load")

START, DONE, DRAIN, REPORT = "harness-start", "harness-done", "harness-drain", "harness-report"
LEAD_NS = 100_000_000
"""From the decision to start until zero of the schedule, nanoseconds."""
DISTRIBUTED_LEAD_NS = 500_000_000


class OpenLoopUser(User):
    """Stands for the whole load: it idles, and the dispatcher sends. More of them change nothing."""

    abstract = True
    wait_time = constant(0)

    @task
    def idle(self) -> None:
        """Wait to be stopped."""
        gevent.sleep(3600)


def attach(events: Any, scenario: str | None = None) -> None:
    """Let a scenario be what Locust's events start and stop; a locustfile calls it once.

    Args:
        events: Locust's.
        scenario: the name of one that ships; None for the plan's, or the one that `HARNESS_SCENARIO` names.
    """
    driver = _Driver(scenario)
    events.init_command_line_parser.add_listener(add_options)
    events.init.add_listener(driver.on_init)
    events.test_start.add_listener(driver.on_test_start)
    events.test_stopping.add_listener(driver.on_test_stopping)
    events.quitting.add_listener(driver.on_quitting)


def add_options(parser: Any) -> None:
    """Options for plain `locust`; they also appear as fields of its web UI."""
    parser.add_argument("--rps", type=float, env_var="PERF_RPS", default=DEFAULT_RPS, help="requests/s")
    parser.add_argument(
        "--duration", type=float, env_var="PERF_DURATION_SEC", default=DEFAULT_DURATION_S, help="seconds"
    )
    parser.add_argument("--arrivals", choices=["", *SHAPES], default="", help="how requests are spread")
    parser.add_argument("--seed", type=int, default=0, help="of arrivals and of the order of briefs")
    parser.add_argument("--store", env_var="HARNESS_STORE", default="results", help="the store's folder")
    parser.add_argument("--model", default="", help="for targets that are a bare model")


class _Driver:
    """One Locust process's part."""

    def __init__(self, scenario: str | None) -> None:
        self._named = scenario
        self._exchange: Exchange | None = None
        self._environment: Any = None
        self._plan: LoadPlan | None = None
        self._generator: Generator | None = None
        self._standalone: StandaloneRun | None = None
        self._work: gevent.Greenlet | None = None
        self._shipper: Shipper | None = None
        self._receiver: Receiver | None = None
        self._waiting: set[int] = set()
        self._reporter = Reporter(dict(os.environ))

    def on_init(self, environment: Any, **_: Any) -> None:
        """Read the plan, listen to the other processes and to the command."""
        self._environment = environment
        path = os.environ.get(PLAN_ENV)
        try:
            self._plan = LoadPlan.read(Path(path)) if path else None
            scenario_of(self._scenario_name(self._plan))  # a wrong one is one sentence, before the start
        except HarnessError as error:  # Locust would print a traceback, and end with 1
            sys.stderr.write(f"harness: {error}\n")
            sys.exit(error.exit_code)
        if isinstance(environment.runner, WorkerRunner):
            environment.runner.register_message(START, self._on_start_message)
            environment.runner.register_message(DRAIN, lambda **_: self._drain())
            environment.runner.register_message(ACK, self._on_ack)
        if isinstance(environment.runner, MasterRunner):
            environment.runner.register_message(DONE, self._on_done_message)
            environment.runner.register_message(CHUNK, self._on_chunk)
            environment.runner.register_message(REPORT, self._on_report)
            _tell_port(environment.runner.server.port)
        gevent.signal_handler(signal.SIGUSR1, self._drain)
        gc.collect()
        gc.freeze()  # a full collection over all that Locust has loaded would make arrivals late

    def on_test_start(self, environment: Any, **_: Any) -> None:
        """Start the schedule, or tell the workers to. A worker waits to be told."""
        runner = environment.runner
        if isinstance(runner, WorkerRunner):
            return
        plan = self._plan or _plan_of_options(environment, self._scenario_name(None))
        if self._plan is None:
            self._standalone = StandaloneRun.begin(plan)
        if isinstance(runner, MasterRunner):
            self._tell_workers(runner, plan)
        else:
            self._begin(plan, worker=0, workers=1, epoch_wall_ns=time.time_ns() + LEAD_NS)

    def on_test_stopping(self, **_: Any) -> None:
        """Give up what is in flight; what has finished is on disk."""
        if self._generator is not None:
            self._generator.stop()
        if isinstance(self._environment.runner, MasterRunner):
            self._close_standalone(finished=not self._waiting)

    def on_quitting(self, **_: Any) -> None:
        """Leave no record behind in memory."""
        if self._generator is not None:
            self._generator.stop()
        if self._work is not None:
            self._work.join(timeout=5)
        if self._receiver is not None:
            self._receiver.close()

    def _drain(self) -> None:
        if self._generator is not None:
            self._generator.drain()
        if isinstance(self._environment.runner, MasterRunner):
            self._environment.runner.send_message(DRAIN)

    def _tell_workers(self, runner: Any, plan: LoadPlan) -> None:
        clients = [client.id for client in runner.clients.all]
        numbers = {client: number for number, client in enumerate(clients)}
        self._waiting = set(numbers.values())
        self._receiver = Receiver(runner, plan.store_dir)
        message = {
            "plan": plan.model_dump_json(),
            "epoch_wall_ns": time.time_ns() + DISTRIBUTED_LEAD_NS,
            "workers": len(clients),
        }
        for client, number in numbers.items():
            runner.send_message(START, {**message, "worker": number}, client)

    def _on_start_message(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002
        plan = self._plan or LoadPlan.model_validate_json(msg.data["plan"])
        self._begin(
            plan,
            worker=msg.data["worker"],
            workers=msg.data["workers"],
            epoch_wall_ns=msg.data["epoch_wall_ns"],
        )

    def _on_done_message(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002
        self._waiting.discard(msg.data["worker"])
        if not self._waiting:
            self._end_test()

    def _on_chunk(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002
        if self._receiver is not None:
            self._receiver.take(msg)

    def _on_ack(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002
        if self._shipper is not None:
            self._shipper.take_ack(msg)

    def _on_report(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002
        self._reporter.write(msg.data["line"])

    def _begin(self, plan: LoadPlan, *, worker: int, workers: int, epoch_wall_ns: int) -> None:
        if self._work is not None and not self._work.dead:
            LOG.warning("a run is already going on; changing the number of users does not change it")
            return
        self._work = gevent.spawn(self._run, plan, worker, workers, epoch_wall_ns)
        self._work.link_exception(self._on_defect)

    def _on_defect(self, _greenlet: gevent.Greenlet) -> None:
        """A defect of ours has printed its trace; end the process instead of idling for ever."""
        self._environment.process_exit_code = 1
        gevent.spawn(self._environment.runner.quit)

    def _run(self, plan: LoadPlan, worker: int, workers: int, epoch_wall_ns: int) -> None:
        """One run from its first arrival to its last record."""
        folder = self._folder(plan)
        try:
            spool = self._standalone.spool if self._standalone else Spool.open(folder, gather_ms=GATHER_MS)
            plan = self._with_local_files(plan)
            self._exchange = exchange_of(plan, os.environ)
            self._generator = generator = Generator(
                plan,
                self._exchange,
                spool,
                worker=worker,
                workers=workers,
                epoch_wall_ns=epoch_wall_ns,
                on_finished=self._on_finished,
            )
        except HarnessError as error:
            LOG.error("%s", error)  # noqa: TRY400 - one sentence for the user, no trace
            self._environment.process_exit_code = error.exit_code
            self._environment.runner.quit()
            return
        helpers = [gevent.spawn(self._reporter.run, generator)]
        if folder != plan.store_dir:
            self._shipper = Shipper(self._environment.runner, spool, folder)
            helpers.append(gevent.spawn(self._shipper.run))
        generator.run()
        gevent.killall(helpers)
        if self._standalone is not None:
            self._close_standalone(finished=not generator.draining)
        else:
            spool.close()
        if self._shipper is not None and self._shipper.finish():
            shutil.rmtree(folder, ignore_errors=True)
        self._reporter.send(generator, ended=not generator.stopped)
        if generator.stopped:
            return
        if isinstance(self._environment.runner, WorkerRunner):
            self._environment.runner.send_message(DONE, {"worker": worker})
        else:
            gevent.spawn(self._end_test)

    def _scenario_name(self, plan: LoadPlan | None) -> str:
        """What is asked: a name in the environment, the locustfile's own, the plan's."""
        planned = None if plan is None else plan.scenario
        return os.environ.get(SCENARIO_ENV) or self._named or planned or DEFAULT_SCENARIO

    def _with_local_files(self, plan: LoadPlan) -> LoadPlan:
        """The plan with this machine's own copies of the scenario and its cases.

        Raises:
            HarnessError: it has none.
        """
        plan = plan.model_copy(update={"scenario": self._scenario_name(plan)})
        if plan.cases_path is None or plan.cases_path.is_file():
            return plan
        return plan.model_copy(update={"cases_path": scenario_of(plan.scenario).cases})

    def _folder(self, plan: LoadPlan) -> Path:
        """Where this process's spool lies: a worker without a plan of its own may be on another machine."""
        runner = self._environment.runner
        if self._plan is not None or not isinstance(runner, WorkerRunner):
            return plan.store_dir
        self._reporter.relay = lambda line: runner.send_message(REPORT, {"line": line})
        return Path(tempfile.mkdtemp(prefix="harness-worker-"))

    def _end_test(self) -> None:
        options = self._environment.parsed_options
        if options is None or options.headless:
            self._environment.runner.quit()
        else:
            self._environment.runner.stop()

    def _close_standalone(self, *, finished: bool) -> None:
        if self._standalone is not None:
            self._standalone.end(self._generator, finished=finished)
            self._standalone = None

    def _on_finished(self, row: Request, answer: Answer) -> None:
        self._reporter.note(row, answer)
        scenario = self._exchange.scenario if self._exchange is not None else None
        step = scenario.steps[0] if scenario is not None and not scenario.is_journey else None
        name = row.scenario if step is None else step.path.render({}) if not step.path.names else row.scenario
        self._environment.events.request.fire(
            request_type="JOURNEY" if step is None else step.method,
            name=name,
            response_time=row.latency_ms,
            response_length=answer.size,
            exception=None if row.error_kind is None else RuntimeError(f"{row.error_kind}"),
            context={"request_id": row.request_id},
            start_time=time.time(),
            url=name,
            response=None,
        )


def _tell_port(port: int) -> None:
    path = os.environ.get(MASTER_PORT_ENV)
    if path:
        replace_file(Path(path), f"{port}\n".encode())


def _plan_of_options(environment: Any, name: str) -> LoadPlan:
    """A plan from Locust's own command line or web form.

    Raises:
        HarnessError: a scenario that is not there, or wrong.
    """
    scenario = scenario_of(name)
    options: Mapping[str, Any] = vars(environment.parsed_options)
    run_id = new_id("run")
    plan = LoadPlan(
        run_id=run_id,
        name=f"locust-{SYSTEM_CLOCK.now():%Y-%m-%d-%H%M%S}",
        target=environment.host
        or os.environ.get("PERF_TARGET_URL")
        or scenario.target
        or "http://127.0.0.1:3101",
        scenario=name,
        store_dir=Path(options["store"]),
        cases_path=scenario.cases,
        shape=options["arrivals"] or ("constant" if scenario.arrivals_column is None else "recorded"),
        rps=float(options["rps"]),
        duration_s=float(options["duration"]),
        seed=int(options["seed"]),
        model=options["model"] or None,
        environment=os.environ.get("HARNESS_ENV") or os.environ.get("DD_ENV") or "development",
    )
    return with_recorded_arrivals(plan, scenario) if plan.shape == "recorded" else plan
