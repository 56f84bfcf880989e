"""The Locust processes of one run: started, listened to, drained, ended."""

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from harness.bundle import bundle_root, bundled
from harness.load.plan import MASTER_PORT_ENV, PLAN_ENV, PROGRESS_ENV, SCENARIO_ENV, LoadPlan
from harness.load.progress import Report, ReportStream
from harness.load.scenario.shipped import scenario_path, shipped_scenarios
from harness.processes.children import READY_TIMEOUT_S, Child, ChildGroup, module_command

LOCUST_MODULE = "harness.load.locust_main"
_READ_BYTES = 1 << 20


class LoadWorkers:
    """Locust, alone or as a master with workers. Locust's own settings in the environment are left out.

    Args:
        group: who ends them in the end.
        plan: written to a file for them.
        locustfile: the scenario.
        bind: `HOST:PORT` where workers on other machines come to; None starts all workers here.
    """

    def __init__(
        self, group: ChildGroup, plan: LoadPlan, locustfile: Path, *, bind: str | None = None
    ) -> None:
        self._bind = bind
        self._group = group
        self._plan = plan
        self._locustfile = locustfile
        self._streams: dict[int, ReportStream] = {}
        plan_path = group.folder / "plan.json"
        plan.write(plan_path)
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
        self._env.pop(SCENARIO_ENV, None)  # the plan says it
        self._env[PLAN_ENV] = str(plan_path)
        paths = [str(bundle_root()), os.environ.get("PYTHONPATH", "")]
        self._env["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        self.generators: list[Child] = []
        self.children: list[Child] = []

    def start(self) -> None:
        """Start the processes.

        Raises:
            ChildError: Locust's master did not come up.
        """
        if self._bind is not None:
            host, _, port_text = self._bind.rpartition(":")
            options = ["--master", "--master-bind-host", host, "--master-bind-port", port_text]
            self._start_generator("locust-master", [*options, "--expect-workers", str(self._plan.workers)])
            return
        if self._plan.workers == 1:
            self._start_generator("locust", [])
            return
        options = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0"]
        options += ["--expect-workers", str(self._plan.workers)]
        port_file = self._group.folder / "master.port"
        env = {**self._env, MASTER_PORT_ENV: str(port_file)}
        master = self._group.start("locust-master", self._command(options), env=env)
        master.port_file = port_file
        self.children.append(master)
        port = master.wait_port(READY_TIMEOUT_S)
        for number in range(self._plan.workers):
            options = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(port)]
            self._start_generator(f"locust-worker-{number}", options)

    def reports(self, timeout_s: float) -> Iterator[Report]:
        """What the generators say within `timeout_s`; nothing more comes once all pipes are closed."""
        ready, _, _ = select.select(list(self._streams), [], [], timeout_s)
        for fd in ready:
            data = os.read(fd, _READ_BYTES)
            if data:
                yield from self._streams[fd].feed(data)
            else:
                os.close(fd)
                del self._streams[fd]

    @property
    def expected(self) -> int:
        """How many generators must report their end."""
        return self._plan.workers

    @property
    def silent(self) -> bool:
        """True when every generator has closed its pipe: no report can come any more."""
        return not self._streams

    def dead(self) -> list[Child]:
        """Processes that have ended."""
        return [child for child in self.children if not child.running]

    def drain(self) -> None:
        """Ask the generators to send no more and to wait for what is in flight."""
        for child in self.generators:
            child.signal(signal.SIGUSR1)

    def ask_to_end(self) -> None:
        """Ask every process to end now; what has finished is on disk."""
        for child in self.children:
            child.signal(signal.SIGTERM)

    def end(self, grace_s: float) -> None:
        """End what is still alive, and close the pipes."""
        for child in self.children:
            child.stop(grace_s)
        for fd in self._streams:
            os.close(fd)
        self._streams.clear()

    def complaint(self) -> str | None:
        """What a process that ended by an error of its own had to say; None when none did."""
        for child in self.dead():
            if child.process.returncode > 0:
                words = child.log_tail().splitlines()
                said = words[-1] if words else "it wrote nothing"
                return f"the {child.name} ended with code {child.process.returncode}: {said}"
        return None

    def _start_generator(self, name: str, options: list[str]) -> None:
        read_fd, write_fd = os.pipe()
        env = {**self._env, PROGRESS_ENV: str(write_fd)}
        try:
            child = self._group.start(name, self._command(options), env=env, pass_fds=(write_fd,))
        finally:
            os.close(write_fd)
        self._streams[read_fd] = ReportStream()
        self.generators.append(child)
        self.children.append(child)

    def _command(self, options: list[str]) -> list[str]:
        role = [] if "--worker" in options else ["--headless", "--users", "1", "--only-summary"]
        return module_command(LOCUST_MODULE, "-f", str(self._locustfile), *role, *options)


def scenario_file(scenario: str) -> Path:
    """The locustfile of a scenario that ships, or the one that takes a file of one's own."""
    name = scenario.replace("-", "_") if scenario in shipped_scenarios() else "own"
    return bundled("scenarios", f"{name}.py")


def join_master(address: tuple[str, str], scenario: str) -> NoReturn:
    """Become a Locust worker of a master on another machine; this process is replaced."""
    host, port = address
    path = scenario_path(scenario)
    options = ["-f", str(scenario_file(scenario)), "--worker", "--master-host", host, "--master-port", port]
    command = module_command(LOCUST_MODULE, *options)
    named = {} if scenario in shipped_scenarios() else {SCENARIO_ENV: str(path.resolve())}
    os.execve(command[0], command, {**os.environ, **named})  # noqa: S606 - our own program, no shell
