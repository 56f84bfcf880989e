"""What the reading commands cost over 100,000 and 1,000,000 recorded requests, beside the build of a commit.

Each command is a whole process: its CPU and its largest memory. The other build runs from a git
worktree of its commit, on a copy of the same store, in turn with this one. Exits 1 when a goal is missed.

Example: python -m benchmarks.analysis.compare --sizes 100000 1000000 --against 79eddcd
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOAL_CPU_S, GOAL_MB, REPLAY_CPU_S = 4.0, 600, 8.0
TENTH, FIFTH = 0.1, 0.2
DAY = ("--from", "2026-11-07", "--to", "2026-11-08", "--every", "5m")

COMMANDS: dict[str, tuple[str, ...]] = {
    "runs list": ("runs", "list", "--json"),
    "runs show": ("runs", "show", "base-a", "--json"),
    "gate": ("gate", "base-a", "--json"),
    "compare": ("compare", "base-a", "base-b", "--json"),
    "savings": ("savings", "mixes", "--json"),
    "strategies frontier": ("strategies", "frontier", "mixes", "--json"),
    "strategies frontier --replay": ("strategies", "frontier", "mixes", "--replay", "--json"),
    "cost --run": ("cost", "--run", "base-a", "--json"),
    "runs reprice": ("runs", "reprice", "base-a", "--json"),
    "alerts check": ("alerts", "check", "--at", "2026-11-07T12:00:00Z", "--dry-run", "--json"),
    "alerts backtest, a day": ("alerts", "backtest", *DAY, "--json"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds and MB of a whole command; `finished` is False where it ran out of time or memory."""

    cpu_s: float
    memory_mb: float
    finished: bool


def main() -> int:
    """Parse the command line, measure, print a table and say which goals hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--against", default="79eddcd", help="commit of the other build; '' for none")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--timeout", type=float, default=240.0, help="of one command, seconds")
    options = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory() as folder, _build(options.against) as other:
        for size in options.sizes:
            stores = _stores(Path(folder), size, other)
            print(f"\n## {size:,} requests a run\n\n{_HEAD}", flush=True)
            for name in options.commands:
                ours = _measured(ROOT, stores[0], COMMANDS[name], options.timeout)
                theirs = (
                    None if other is None else _measured(other, stores[1], COMMANDS[name], options.timeout)
                )
                print(_row(name, ours, theirs), flush=True)
                missed += _missed(f"{name} at {size:,}", name, ours, theirs if size >= 1_000_000 else None)
    print("\n" + ("\n".join(f"- **MISSED**: {line}" for line in missed) or "Every goal holds."))
    return 1 if missed else 0


_HEAD = """| command | CPU s | MB | CPU s before | MB before | CPU, ratio | memory, ratio |
|---|---|---|---|---|---|---|"""


def _row(name: str, ours: Cost, theirs: Cost | None) -> str:
    shown = [name, f"{ours.cpu_s:.2f}", f"{ours.memory_mb:.0f}"]
    if theirs is None:
        shown += ["-"] * 4
    else:
        more = "" if theirs.finished else " (not finished)"
        shown += [f"{theirs.cpu_s:.2f}{more}", f"{theirs.memory_mb:.0f}"]
        shown += [f"{ours.cpu_s / theirs.cpu_s:.3f}", f"{ours.memory_mb / theirs.memory_mb:.2f}"]
    return "| " + " | ".join(shown) + " |"


def _missed(what: str, name: str, ours: Cost, theirs: Cost | None) -> list[str]:
    found = []
    most_s = REPLAY_CPU_S if "replay" in name else GOAL_CPU_S
    if not ours.finished:
        found.append(f"{what} did not finish")
    if ours.cpu_s > most_s:
        found.append(f"{what} took {ours.cpu_s:.1f} CPU s, more than {most_s:g}")
    if ours.memory_mb > GOAL_MB:
        found.append(f"{what} took {ours.memory_mb:.0f} MB, more than {GOAL_MB}")
    # of what the other build takes for its start alone there is no tenth to be had
    if theirs is not None and theirs.cpu_s > GOAL_CPU_S and ours.cpu_s > TENTH * theirs.cpu_s:
        found.append(f"{what} took {ours.cpu_s / theirs.cpu_s:.2f} of the CPU before, not a tenth")
    if theirs is not None and theirs.cpu_s > GOAL_CPU_S and ours.memory_mb > FIFTH * theirs.memory_mb:
        found.append(f"{what} took {ours.memory_mb / theirs.memory_mb:.2f} of the memory before, not a fifth")
    return found


def _measured(build: Path, store: Path, command: tuple[str, ...], timeout_s: float) -> Cost:
    """One run of a command by a build: its own CPU and memory, told by the kernel at its end."""
    words = [sys.executable, "-m", "harness", *command, "--store", str(store)]
    process = subprocess.Popen(
        words, cwd=build, env={**os.environ, "PYTHONPATH": str(build)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    timer = subprocess.Popen(
        [sys.executable, "-c", f"import time, os; time.sleep({timeout_s}); os.kill({process.pid}, 9)"]
    )
    _, status, usage = os.wait4(process.pid, 0)
    timer.kill()
    timer.wait()
    return Cost(
        cpu_s=usage.ru_utime + usage.ru_stime,
        memory_mb=usage.ru_maxrss / 1024,
        finished=not os.WIFSIGNALED(status),
    )


def _stores(folder: Path, size: int, other: Path | None) -> tuple[Path, Path]:
    """The same rows for both builds; written by the older one, whose columns the newer one knows too."""
    ours, theirs = folder / f"ours-{size}", folder / f"theirs-{size}"
    words = [sys.executable, str(Path(__file__).with_name("generate.py"))]
    build = other or ROOT
    subprocess.run(
        [*words, "--store", str(theirs), "--requests", str(size)],
        cwd=build, env={**os.environ, "PYTHONPATH": str(build)}, check=True,
    )  # fmt: skip
    shutil.copytree(theirs, ours)
    _measured(ROOT, ours, ("runs", "list"), 600)  # a migration is paid once, not by the first command
    return ours, theirs


@contextmanager
def _build(commit: str):
    """A worktree of a commit, gone afterwards."""
    if not commit:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "build"
        subprocess.run(
            ["git", "worktree", "add", "--quiet", "--detach", str(tree), commit], cwd=ROOT, check=True
        )
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
