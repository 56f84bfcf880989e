"""CPU and memory of imports, frontiers with what-ifs, and a thousand policies; beside another checkout.

Example: python -m benchmarks.strategies.measure --rows 20000 --against ../old
"""

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
MODELS = (
    ("openai/gpt-4o-mini", 0.62),
    ("openai/gpt-3.5-turbo", 0.55),
    ("anthropic/claude-3-haiku-20240307", 0.6),
    ("openai/gpt-4o", 0.8),
    ("anthropic/claude-3-5-haiku-20241022", 0.7),
    ("anthropic/claude-3-sonnet-20240229", 0.72),
    ("anthropic/claude-3-5-sonnet-20241022", 0.85),
    ("openai/gpt-4-turbo", 0.78),
    ("openai/gpt-4", 0.76),
    ("anthropic/claude-3-opus-20240229", 0.82),
)
POLICIES, REQUESTS = 1_000, 100_000


@dataclass(frozen=True, slots=True)
class Used:
    """Of one process and what it started."""

    cpu_s: float
    peak_mb: float
    ended: int


def main() -> int:
    """Measure, print Markdown; 1 when a process failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 1_000_000])
    parser.add_argument("--against", type=Path, help="another checkout, on the smallest table")
    options = parser.parse_args()
    print("| what | rows | CPU s | peak MB |\n|---|---|---|---|")
    failed = 0
    for place, rows in enumerate(options.rows):
        builds = [HERE, *([options.against] if options.against and place == 0 else [])]
        with tempfile.TemporaryDirectory() as temporary:
            table = Path(temporary) / "outcomes.csv"
            with table.open("w") as file:
                file.writelines(csv_lines(rows))
            for build in builds:
                failed += _both(build, table, rows, Path(temporary) / build.name)
    failed += _told(
        "1,000 policies", REQUESTS, used([sys.executable, "-m", "benchmarks.strategies.policies"], HERE)
    )
    return 1 if failed else 0


def csv_lines(rows: int) -> Iterator[str]:
    """One row an item and model; hard items are hard for all."""
    rng = random.Random(14)
    yield "item,model,score,input_tokens,output_tokens,latency_ms\n"
    for item in range(rows // len(MODELS)):
        hard = rng.random()
        for model, skill in MODELS:
            right = int(rng.random() < skill * (1.2 - 0.5 * hard))
            tokens = rng.randrange(200, 3000), rng.randrange(50, 900)
            yield f"q{item},{model},{right},{tokens[0]},{tokens[1]},{rng.randrange(400, 9000)}\n"


def _both(build: Path, table: Path, rows: int, store: Path) -> int:
    harness = [sys.executable, "-m", "harness", "strategies"]
    name = "" if build == HERE else f" ({build.name})"
    failed = _told(
        f"import{name}", rows, used([*harness, "import", str(table), "--store", str(store)], build)
    )
    frontier = [*harness, "frontier", "--replay", "--min-high-tier", "0.7", "--store", str(store)]
    return failed + _told(f"frontier --replay{name}", rows, used(frontier, build))


def _told(what: str, rows: int, own: Used) -> int:
    remark = "" if own.ended == 0 else f" (exit {own.ended})"
    print(f"| {what}{remark} | {rows:,} | {own.cpu_s:.1f} | {own.peak_mb:.0f} |", flush=True)
    return int(own.ended != 0)


def used(command: list[str], folder: Path) -> Used:
    """Run a command of a checkout to its end, its output aside."""
    pid = os.fork()
    if pid == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.chdir(folder)
        os.execve(command[0], command, {**os.environ, "PYTHONPATH": str(folder)})
    _, status, usage = os.wait4(pid, 0)
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.exit(main())
