"""CPU of one model call: bare SDK, our adapter, an orchestrated call, the same at an earlier commit, LiteLLM.

Every variant streams the same bytes from the same upstream process over a kept-alive connection, in a
process of its own, one call of each in turn, so that a change of the machine's speed hits all alike. Only the
variant's own CPU time counts; differences are taken within a turn.

Run: python benchmarks/overhead/measure.py [--rounds 1000] [--before 79eddcd | PATH] [--litellm PYTHON]
"""

import argparse
import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BEFORE = "79eddcd"
WARM_UP = 30
KINDS = ("anthropic", "openai")


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """One variant: what it runs, with which interpreter, out of which checkout."""

    name: str
    variant: str
    tree: Path
    python: str = sys.executable


class Worker:
    """An entrant's process."""

    def __init__(self, entrant: Entrant, kind: str, url: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(entrant.tree), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        self._process = subprocess.Popen(
            [entrant.python, str(HERE / "worker.py"), entrant.variant, kind, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=entrant.tree,
        )
        self._read()

    def cpu_us(self) -> float:
        """CPU microseconds of one call."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._read())

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait(30)

    def _read(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a worker ended: exit {self._process.wait(30)}")
        return line


def checkout(before: str, stack: ExitStack) -> Path:
    """The tree of a commit, unpacked out of git; a folder is taken as it is."""
    if Path(before).is_dir():
        return Path(before).resolve()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    packed = subprocess.run(
        ["git", "archive", before, "harness"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def entrants(before: str, litellm: str | None, stack: ExitStack) -> list[Entrant]:
    """Who takes part; the bare SDK first, the others are compared with it."""
    old = checkout(before, stack)
    label = BEFORE if Path(before).is_dir() else before
    found = [
        Entrant(name="bare SDK", variant="bare", tree=ROOT),
        Entrant(name="adapter", variant="adapter", tree=ROOT),
        Entrant(name="orchestrated call", variant="orchestrated", tree=ROOT),
        Entrant(name=f"adapter at {label}", variant="adapter", tree=old),
        Entrant(name=f"orchestrated call at {label}", variant="orchestrated", tree=old),
    ]
    if litellm:
        found.append(Entrant(name="LiteLLM SDK", variant="litellm", tree=ROOT, python=litellm))
    return found


def measured(kind: str, url: str, rounds: int, taking_part: Sequence[Entrant]) -> dict[str, list[float]]:
    """CPU microseconds of every call, by entrant."""
    with ExitStack() as stack:
        workers = {entrant.name: Worker(entrant, kind, url) for entrant in taking_part}
        for worker in workers.values():
            stack.callback(worker.close)
        seen: dict[str, list[float]] = {name: [] for name in workers}
        for number in range(WARM_UP + rounds):
            for name, worker in workers.items():
                figure = worker.cpu_us()
                if number >= WARM_UP:
                    seen[name].append(figure)
    return seen


def table(kind: str, seen: Mapping[str, list[float]]) -> dict[str, float]:
    """Print the rows of one wire; the median that each entrant adds to the bare SDK."""
    bare = seen["bare SDK"]
    added_us = {}
    for name, figures in seen.items():
        row = f"| {kind} | {name} | {_quartiles(figures)} |"
        if name == "bare SDK":
            print(f"{row} |")
            continue
        differences = [figure - own for figure, own in zip(figures, bare, strict=True)]
        added_us[name] = statistics.median(differences)
        print(f"{row} {_quartiles(differences, sign='+')} |")
    return added_us


def _quartiles(figures: Sequence[float], *, sign: str = "") -> str:
    low, middle, high = statistics.quantiles(figures, n=4)
    return f"{middle:{sign},.0f} ({low:{sign},.0f} to {high:{sign},.0f})"


def main() -> int:
    """Start the upstream, measure, stop it; exit 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1_000, help="calls of each variant")
    parser.add_argument("--before", default=BEFORE, help="the commit, or a checkout of it, to compare with")
    parser.add_argument("--litellm", help="an interpreter that has the litellm package")
    asked = parser.parse_args()
    print(f"# Overhead of one orchestrated call\n\nn = {asked.rounds} calls of each variant, in turns.\n")
    print("| provider | variant | CPU us/call: median (quartiles) | added over the bare SDK (quartiles) |")
    print("|---|---|---|---|")
    failed = []
    with ExitStack() as stack:
        taking_part = entrants(asked.before, asked.litellm, stack)
        upstream = stack.enter_context(
            subprocess.Popen(
                [sys.executable, str(HERE / "upstream.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        port = int(upstream.stdout.readline())
        conclusions = []
        for kind in KINDS:
            added = table(kind, measured(kind, f"http://127.0.0.1:{port}", asked.rounds, taking_part))
            now = added["orchestrated call"]
            then = next(us for name, us in added.items() if name.startswith("orchestrated call at"))
            conclusions.append(f"{kind}: {now:+,.0f} us now, {then:+,.0f} us at {BEFORE}")
            if now > then / 2:
                failed.append(kind)
        upstream.stdin.close()
    print(f"\nAn orchestrated call adds to the bare SDK: {'; '.join(conclusions)}. Goal: at most half of it.")
    if not asked.litellm:
        print("LiteLLM was not measured: no interpreter that has it was named (--litellm).")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
