"""Evaluators side by side on one emulated provider at zero latency: this harness, promptfoo, inspect-ai.

    python -m benchmarks.evaluation.compare [cases] [rounds]

Each asks the same text questions, 64 at once, and grades by equality with a reference. What counts is the
whole command: user and system CPU of its process and its children, from the kernel's accounts; the provider
emulator is a process of its own, and in nobody's figures. `PROMPTFOO` and `INSPECT` name the two commands.
"""

import csv
import math
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.processes.children import ChildGroup, harness_command

IN_FLIGHT = 64
MODEL = "gpt-4o-mini"
SPEED = "1000000"
MOST_MB = 235


@dataclass(frozen=True)
class Result:
    """One run of one evaluator.

    Attributes:
        asked: requests that the provider really answered.
        first_s: from the command's start until the provider has its first request, seconds.
    """

    asked: int
    cpu_s: float
    wall_s: float
    peak_mb: float
    first_s: float


@dataclass(frozen=True)
class Bench:
    """Where one round happens, and the provider's base URL and ledger."""

    folder: Path
    url: str
    ledger: Path

    @property
    def answered(self) -> int:
        """Requests in the ledger so far."""
        return self.ledger.read_bytes().count(b"\n") if self.ledger.exists() else 0


class Watcher(threading.Thread):
    """Notes when the provider has its first request, and the peak memory of a command with its children."""

    def __init__(self, pid: int, bench: Bench, begun: float) -> None:
        super().__init__(daemon=True)
        self.first_s = float("nan")
        self.peak_mb = 0.0
        self.done = threading.Event()
        self._pid, self._bench, self._begun = pid, bench, begun
        self._size = _size(bench.ledger)

    def run(self) -> None:
        """Look every few milliseconds."""
        while not self.done.wait(0.005):
            if math.isnan(self.first_s) and _size(self._bench.ledger) > self._size:
                self.first_s = time.perf_counter() - self._begun
            self.peak_mb = max(self.peak_mb, sum(_resident_mb(pid) for pid in _family(self._pid)))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _family(pid: int) -> list[int]:
    """A process and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident_mb(pid: int) -> float:
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def write_questions(folder: Path, cases: int) -> None:
    """The same questions in the form that each evaluator reads."""
    rows = [
        (f"What should team {number} do about item {number * 7}?", f"Reference {number}")
        for number in range(cases)
    ]
    with (folder / "questions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("question", "reference_answer"), *rows])
    with (folder / "promptfoo.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("question", "__expected"), *((asked, f"equals: {said}") for asked, said in rows)])


def harness_run(bench: Bench) -> tuple[list[str], dict[str, str]]:
    """This harness: a suite file, and the model on the command line."""
    (bench.folder / "suite.yaml").write_text(
        "task:\n  prompt: '{question}'\n  max_tokens: 256\ndataset: questions.csv\n"
        "expected: reference_answer\ngraders: [{kind: exact}]\n"
    )
    options = ["--model", f"m={bench.url}:{MODEL}", "--price", "m=0.15/0.6", "--concurrency", str(IN_FLIGHT)]
    return harness_command("eval", "suite.yaml", *options, "--store", "results"), {}


def promptfoo_run(bench: Bench) -> tuple[list[str], dict[str, str]]:
    """promptfoo: its own cache, telemetry and table off."""
    (bench.folder / "promptfooconfig.yaml").write_text(
        "prompts: ['{{question}}']\n"
        f"providers: [{{id: 'openai:chat:{MODEL}', config: {{apiBaseUrl: '{bench.url}'}}}}]\n"
        "tests: file://promptfoo.csv\n"
    )
    options = ["-j", str(IN_FLIGHT), "--no-cache", "--no-table", "--no-progress-bar", "--no-share"]
    env = {
        "OPENAI_API_KEY": "sk-x",
        "PROMPTFOO_CONFIG_DIR": str(bench.folder / "promptfoo"),
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    }
    command = [os.environ.get("PROMPTFOO", "promptfoo"), "eval", "-c", "promptfooconfig.yaml", *options]
    return [*command, "-o", "out.json"], env


def inspect_run(bench: Bench) -> tuple[list[str], dict[str, str]]:
    """inspect-ai: no display, its own log kept, as it always is."""
    (bench.folder / "task.py").write_text(
        "from inspect_ai import Task, task\n"
        "from inspect_ai.dataset import FieldSpec, csv_dataset\n"
        "from inspect_ai.scorer import exact\n"
        "from inspect_ai.solver import generate\n\n\n"
        "@task\ndef questions():\n"
        "    fields = FieldSpec(input='question', target='reference_answer')\n"
        "    return Task(dataset=csv_dataset('questions.csv', fields), solver=generate(), scorer=exact())\n"
    )
    options = ["--model-base-url", bench.url, "--max-connections", str(IN_FLIGHT), "--max-tokens", "256"]
    options += ["--max-samples", str(IN_FLIGHT), "--display", "none", "--log-dir", "logs"]
    command = [os.environ.get("INSPECT", "inspect"), "eval", "task.py", "--model", f"openai/{MODEL}"]
    return [*command, *options], {"OPENAI_API_KEY": "sk-x"}


RUNS: dict[str, Callable[[Bench], tuple[list[str], dict[str, str]]]] = {
    "harness": harness_run,
    "promptfoo": promptfoo_run,
    "inspect-ai": inspect_run,
}


def measure(bench: Bench, command: list[str], env: dict[str, str]) -> Result:
    """Run a command to its end and ask the kernel what it took."""
    before, answered = resource.getrusage(resource.RUSAGE_CHILDREN), bench.answered
    log = bench.folder / "log.txt"
    begun = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=out, stderr=out, cwd=bench.folder
        )
        watcher = Watcher(process.pid, bench, begun)
        watcher.start()
        process.wait()
    wall_s = time.perf_counter() - begun
    watcher.done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    asked = bench.answered - answered
    if not asked:
        raise SystemExit(f"{command[0]} asked nothing:\n{log.read_text()[-3000:]}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Result(asked=asked, cpu_s=cpu_s, wall_s=wall_s, peak_mb=watcher.peak_mb, first_s=watcher.first_s)


def main(cases: int, rounds: int) -> int:
    """Print the medians; 0 when the goals are met."""
    found: dict[str, list[Result]] = {name: [] for name in RUNS if _is_there(name)}
    with ChildGroup() as group, tempfile.TemporaryDirectory() as kept:
        ledger = Path(kept) / "ledger.jsonl"
        options = ["--port", "0", "--speed", SPEED, "--ledger", str(ledger)]
        child = group.start("emulator", harness_command("emulate", *options), serves=True)
        url = f"http://127.0.0.1:{child.wait_port()}/v1"
        for _ in range(rounds):
            for name, results in found.items():
                with tempfile.TemporaryDirectory() as folder:
                    bench = Bench(folder=Path(folder), url=url, ledger=ledger)
                    write_questions(bench.folder, cases)
                    results.append(measure(bench, *RUNS[name](bench)))
                    print(name, results[-1], file=sys.stderr)
    return _told(found)


def _is_there(name: str) -> bool:
    command = name.split("-", maxsplit=1)[0]
    return name == "harness" or shutil.which(os.environ.get(command.upper(), command)) is not None


COLUMNS: dict[str, tuple[str, Callable[[Result], float]]] = {
    "cases": ("{:.0f}", lambda result: result.asked),
    "cases per CPU s": ("{:.0f}", lambda result: result.asked / result.cpu_s),
    "CPU s": ("{:.2f}", lambda result: result.cpu_s),
    "first request, s": ("{:.2f}", lambda result: result.first_s),
    "peak MB": ("{:.0f}", lambda result: result.peak_mb),
    "wall s": ("{:.1f}", lambda result: result.wall_s),
}


def _told(found: dict[str, list[Result]]) -> int:
    def median(name: str, column: str) -> float:
        return statistics.median(COLUMNS[column][1](result) for result in found[name])

    print(f"| | {' | '.join(COLUMNS)} |\n|---{'|---' * len(COLUMNS)}|")
    for name in found:
        cells = [form.format(median(name, column)) for column, (form, _) in COLUMNS.items()]
        print(f"| {name} | {' | '.join(cells)} |")
    peers = [name for name in found if name != "harness"]
    if not peers:
        print("no other evaluator is installed: nothing to compare with", file=sys.stderr)
        return 2
    rate, first = "cases per CPU s", "first request, s"
    ratio = median("harness", rate) / max(median(name, rate) for name in peers)
    sooner = median("harness", first) < min(median(name, first) for name in peers)
    print(f"\n{ratio:.2f} times the better of the others (goal 2); first request sooner: {sooner}")
    return 0 if ratio >= 2 and sooner and median("harness", "peak MB") < MOST_MB else 1


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:3]]
    sys.exit(main(*given, *(1000, 3)[len(given) :]))
