"""CPU seconds of whole commands with all their children, this build and another in turns.

Run: python benchmarks/startup/measure.py [--against COMMIT] [--rounds 7]

The other build is checked out as a git worktree beside the measuring and removed at its end. Each build reads
a store that it recorded itself. One round runs every command once with each build, so that a change of the
machine's speed hits both alike.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AGAINST = "79eddcd"
SPECS = (
    "--draft",
    "anthropic/claude-3-5-sonnet-20241022:2000/1500",
    "--repair",
    "openai/gpt-4o-mini:800/400",
)
LOAD = ("baseline", "--rps", "4", "--duration", "1", "--allow-fixtures")
"""At a service that runs already and answers from fixtures: neither its SDKs nor its work count."""
COMMANDS = {
    "`harness --help`": ("--help",),
    "`cost`, two specs": ("cost", *SPECS),
    "`runs list`": ("runs", "list"),
    "`gate`, 60 requests": ("gate",),
    "`baseline`, 4 requests, reports included": LOAD,
}
GOALS = {
    "`harness --help`": 0.5,
    "`cost`, two specs": 0.35 / 1.35,
    "`gate`, 60 requests": 0.6 / 1.4,
    "`baseline`, 4 requests, reports included": 1.5 / 3.5,
}
"""Most that this build may take of what 79eddcd takes: its goals over what it took on a quiet machine."""


@contextmanager
def checkout(commit: str, where: Path) -> Iterator[Path]:
    """The commit's tree in a folder, for as long as the block runs."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(where), commit], check=True)
    try:
        yield where
    finally:
        subprocess.run([*git, "remove", "--force", str(where)], check=True)


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """A service of this build that answers from fixtures; its URL."""
    port_file = folder / "port"
    command = [sys.executable, "-m", "harness", "serve", "--port", "0", "--port-file", str(port_file)]
    command += ["--allow-fixtures", "--store", str(folder / "service-store")]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LLM_PROVIDER": "fixtures", "LLM_MODEL": "fixtures"}
    with subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.DEVNULL) as child:
        try:
            while not port_file.exists():
                if child.poll() is not None:
                    raise SystemExit(f"the service ended with {child.returncode}")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port_file.read_text().strip()}"
        finally:
            child.terminate()


def run(tree: Path, store: Path, arguments: tuple[str, ...], target: str) -> float:
    """User and system CPU seconds of one command and everything it started and waited for."""
    options = [] if arguments[0] in ("--help", "cost") else ["--store", str(store)]
    options += ["--target", target] if arguments[0] == "baseline" else []
    command = [sys.executable, "-m", "harness", *arguments, *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        cwd=store.parent,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()[-400:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def shown(seconds: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(seconds):.3f} ({min(seconds):.3f} to {max(seconds):.3f})"


def main() -> int:
    """Print the table; exit 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default=AGAINST, help="The other build, a commit.")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        checkout(options.against, Path(folder, "other")) as other,
        service(Path(folder)) as target,
    ):
        builds = {"other": (other, Path(folder, "other-store")), "this": (ROOT, Path(folder, "this-store"))}
        for tree, store in builds.values():
            run(tree, store, ("baseline", "--rps", "30", "--duration", "2", "--allow-fixtures"), target)
        taken: dict[tuple[str, str], list[float]] = {}
        for _ in range(options.rounds):
            for name, arguments in COMMANDS.items():
                for build, (tree, store) in builds.items():
                    taken.setdefault((name, build), []).append(run(tree, store, arguments, target))
    print("# Start-up and end\n")
    print(f"CPU seconds of the whole command with all children, n = {options.rounds} alternating rounds:")
    print("median (least to most). Goals are shares, so that they hold on a faster or busier machine too.\n")
    print(f"| command | {options.against} | this build | share | goal |\n|---|---|---|---|---|")
    missed = []
    for name in COMMANDS:
        earlier, now = taken[name, "other"], taken[name, "this"]
        share = statistics.median(b / a for a, b in zip(earlier, now, strict=True))
        goal = GOALS.get(name)
        if goal is not None and share > goal:
            missed.append(name)
        cells = (name, shown(earlier), shown(now), f"{share:.2f}", "" if goal is None else f"{goal:.2f}")
        print(f"| {' | '.join(cells)} |")
    print(f"\nMissed: {', '.join(missed)}." if missed else "\nEvery goal is met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
