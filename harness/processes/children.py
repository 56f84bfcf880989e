"""Child processes: started by command line, ready when they say so, never outliving their parent.

Each child holds the read end of a pipe (`harness.processes.lifeline`); the kernel closes the other end when
this process dies, however it dies. Children stand in sessions of their own: Ctrl-C at the terminal reaches
the parent alone, which stops them in order.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.errors import EXIT_USAGE, HarnessError, UsageError
from harness.processes.lifeline import LIFELINE_ENV

READY_TIMEOUT_S = 60.0
STOP_GRACE_S = 5.0
_POLL_S = 0.05
_LOG_TAIL_BYTES = 2000


_COMPLAINS = "harness: "


class ChildError(HarnessError):
    """A child process did not start, or ended when it should not have."""


def harness_command(*arguments: str) -> list[str]:
    """The command line of another `harness` process, with this very interpreter and installation."""
    return [sys.executable, "-m", "harness", *arguments]


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line of a module as a program, with this very interpreter."""
    return [sys.executable, "-m", module, *arguments]


@dataclass
class Child:
    """One running child.

    Attributes:
        name: for people (`service`).
        process: the process itself.
        log_path: its standard output and error.
        port_file: where it writes its port when it is ready; None when it serves nothing.
        lifeline_fd: the write end of its pipe; closing it ends the child.
    """

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path
    port_file: Path | None
    lifeline_fd: int | None

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self.process.poll() is None

    def log_tail(self) -> str:
        """The last lines the child wrote, for an error message; empty when it wrote nothing."""
        with contextlib.suppress(OSError):
            return self.log_path.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return ""

    def wait_port(self, timeout_s: float = READY_TIMEOUT_S) -> int:
        """The port the child listens on, once it is ready.

        Raises:
            UsageError: it refused what the user asked for.
            ChildError: it ended first, or was not ready in time.
        """
        if self.port_file is None:
            raise ValueError(f"{self.name} was started without a port file")
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while time.monotonic_ns() < deadline_ns:
            text = self.port_file.read_text().strip() if self.port_file.exists() else ""
            if text.isdigit():
                return int(text)
            if not self.running:
                complaint = self.log_tail()
                if self.process.returncode == EXIT_USAGE and complaint.startswith(_COMPLAINS):
                    # what the user typed was handed down to it: its sentence is the answer
                    raise UsageError(complaint.removeprefix(_COMPLAINS))
                raise ChildError(
                    f"the {self.name} ended with code {self.process.returncode} before it was ready: "
                    f"{complaint or 'it wrote nothing'}"
                )
            time.sleep(_POLL_S)
        raise ChildError(f"the {self.name} was not ready after {timeout_s:.0f} s: {self.log_tail()}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the child is gone."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def stop(self, grace_s: float = STOP_GRACE_S) -> int:
        """End the child: SIGTERM, after `grace_s` seconds SIGKILL. Returns its exit code."""
        if self.running:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace_s)
        if self.running:
            self.process.kill()
        code = self.process.wait()
        if self.lifeline_fd is not None:
            os.close(self.lifeline_fd)
            self.lifeline_fd = None
        return code


class ChildGroup:
    """The children of one command; leaving the `with` block ends the living ones, last started first."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.children: list[Child] = []

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        serves: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> Child:
        """Start a child that holds a lifeline.

        Args:
            name: for people and for its log's file name.
            command: the command line; `--port-file PATH` is added when it serves.
            env: its whole environment; the parent's when None.
            serves: True when it will write a port file.
            pass_fds: further descriptors it inherits.
        """
        number = len(self.children)
        port_file = self.folder / f"{number}-{name}.port" if serves else None
        log_path = self.folder / f"{number}-{name}.log"
        full = [*command, "--port-file", str(port_file)] if port_file else list(command)
        read_fd, write_fd = os.pipe()
        try:
            with log_path.open("wb") as log:
                process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                    full,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**(os.environ if env is None else env), LIFELINE_ENV: str(read_fd)},
                    pass_fds=(read_fd, *pass_fds),
                    start_new_session=True,
                )
        except BaseException:
            os.close(write_fd)
            raise
        finally:
            os.close(read_fd)
        child = Child(
            name=name, process=process, log_path=log_path, port_file=port_file, lifeline_fd=write_fd
        )
        self.children.append(child)
        return child

    def stop_all(self, grace_s: float = STOP_GRACE_S) -> None:
        """End every living child, last started first."""
        for child in reversed(self.children):
            child.stop(grace_s)

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the children whatever happened."""
        try:
            self.stop_all()
        finally:
            self._folder.cleanup()
