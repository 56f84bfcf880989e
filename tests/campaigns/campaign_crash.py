"""Kill -9, again and again, whoever writes, ingests or reads, while a live reader looks at every moment.

Four writers, an ingester and two readers work on one store; a random one is killed, a new one takes its place. What a
writer noted as acknowledged must be in every later live view exactly once, and in the store at the end.

Run: python -m tests.campaigns.campaign_crash [--kills 1000] [--seed 1] [--json]
"""

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.errors import HarnessError
from harness.store import ingest, open_store
from harness.store.upkeep.inspection import check_store
from tests.campaigns import crash_victims as victims

ROLES = ("writer",) * 4 + ("ingester",) + ("reader",) * 2
WEIGHTS = {"writer": 2, "ingester": 5, "reader": 1}
"""How often each is killed: an ingester as often as all writers together."""
MEAN_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0
"""Between two kills; long enough now and then for an ingest to end."""
NEW_STORE_AFTER_ROWS = 30_000
"""A fresh store now and then keeps each look at the whole of it quick."""


@dataclass
class Outcome:
    """What the campaign counted."""

    kills: Counter[str] = field(default_factory=Counter)
    stores: int = 0
    acknowledged: int = 0
    stored: int = 0
    looks: int = 0
    slowest_look_s: float = 0.0
    lost: int = 0
    doubled: int = 0
    unopenable: int = 0
    live_view_violations: int = 0
    errors: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True when nothing went wrong and something was looked at."""
        wrong = self.lost + self.doubled + self.unopenable + self.live_view_violations + self.errors
        return wrong == 0 and self.looks > 0 and self.acknowledged > 0


class Arena:
    """One store with its processes."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.store = folder / "store"
        self.notes = folder / "notes"
        self.report = folder / "looks.tsv"
        self.errors = folder / "errors.txt"
        self.notes.mkdir(parents=True)
        self._rng = rng
        self._born = 0
        self.living: dict[int, str] = {}
        for role in ROLES:
            self.start(role)
        self.watcher = victims.fork(
            lambda: victims.look_always(self.store, self.notes, self.report), self.errors
        )

    def start(self, role: str) -> None:
        """Fork one process of a role."""
        self._born += 1
        name, chunk = f"w{self._born:05d}", self._rng.choice((20_000, 200_000, 64_000_000))
        work = {
            "writer": lambda: victims.write_records(self.store, self.notes, name),
            "ingester": lambda: victims.ingest_always(self.store, chunk),
            "reader": lambda: victims.read_always(self.store),
        }[role]
        self.living[victims.fork(work, self.errors)] = role

    def kill_one(self) -> str:
        """Kill -9 a random process and start another of its role."""
        pids = list(self.living)
        pid = self._rng.choices(pids, [WEIGHTS[self.living[pid]] for pid in pids])[0]
        role = self._kill(pid)
        self.start(role)
        return role

    def end(self) -> Counter[str]:
        """Kill everyone, the watcher between two looks."""
        ended = Counter(self._kill(pid) for pid in list(self.living))
        os.kill(self.watcher, signal.SIGKILL)
        os.waitpid(self.watcher, 0)
        return ended

    def rows_seen(self) -> int:
        """How many requests the last look saw."""
        lines = self.report.read_text().splitlines() if self.report.exists() else []
        whole = [line for line in lines if line.count("\t") == 2]
        return int(whole[-1].split("\t")[1]) if whole else 0

    def _kill(self, pid: int) -> str:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return self.living.pop(pid)


def run_campaign(kills: int, seed: int, folder: Path) -> Outcome:
    """Kill `kills` processes in as many fresh stores as it takes."""
    rng = random.Random(seed)
    outcome = Outcome()
    while outcome.kills.total() < kills:
        outcome.stores += 1
        place = folder / f"arena-{outcome.stores:03d}"
        arena = Arena(place, rng)
        while outcome.kills.total() < kills and arena.rows_seen() < NEW_STORE_AFTER_ROWS:
            time.sleep(min(rng.expovariate(1 / MEAN_PAUSE_S), LONGEST_PAUSE_S))
            outcome.kills[arena.kill_one()] += 1
        outcome.kills += arena.end()
        _judge_in_child(arena, outcome)
        if outcome.holds:
            shutil.rmtree(place)
    return outcome


def _judge_in_child(arena: Arena, outcome: Outcome) -> None:
    """Judge in another process: this one forks, so it must never have used DuckDB."""
    found = arena.store.parent / "judgement.json"
    pid = victims.fork(lambda: judge(arena, found), arena.errors)
    os.waitpid(pid, 0)
    if arena.errors.exists():
        outcome.errors += arena.errors.read_text().count("\n---\n")
        outcome.details.append(arena.errors.read_text()[:3000])
    if not found.exists():
        outcome.unopenable += 1
        return
    for name, value in json.loads(found.read_text()).items():
        held = getattr(outcome, name)
        setattr(outcome, name, max(held, value) if name == "slowest_look_s" else held + value)


def judge(arena: Arena, found: Path) -> None:
    """Open what is left, before and after a last ingest, and hold it against what was acknowledged."""
    part = Outcome()
    for line in arena.report.read_text().splitlines():
        seconds, _, wrong = line.split("\t") if line.count("\t") == 2 else ("0", "0", "")
        part.looks += 1
        part.slowest_look_s = max(part.slowest_look_s, float(seconds))
        part.live_view_violations += bool(wrong)
        part.details += [wrong] if wrong else []
    for _ in range(2):
        try:
            wrong, part.stored = victims.violations(arena.store, arena.notes)
            problems = check_store(arena.store).problems
            ingest(arena.store)
        except HarnessError as error:
            part.unopenable += 1
            part.details.append(str(error))
            break
        part.lost += sum(text.startswith(("lost", "gap", "event lost")) for text in wrong)
        part.doubled += sum(text.startswith("doubled") for text in wrong) + len(problems)
        part.details += wrong + problems
    part.acknowledged = sum(
        victims.NOTE.unpack(path.read_bytes())[0] + 1
        for path in arena.notes.iterdir()
        if path.stat().st_size == victims.NOTE.size
    )
    result = asdict(part)
    del result["kills"], result["stores"], result["errors"]
    found.write_text(json.dumps(result))


def preload() -> None:
    """Load what the children need, so that each lives within a millisecond of its birth."""
    for module in ("duckdb", "pyarrow", "harness.store.fold.ingestion", "harness.store.reader"):
        importlib.import_module(module)
    open_store.__doc__  # noqa: B018 - resolved once, here


def markdown(outcome: Outcome, seconds: float) -> str:
    """The table for docs/proof."""
    kills = ", ".join(f"{count} {role}s" for role, count in sorted(outcome.kills.items()))
    rows = {
        "kill -9": f"{outcome.kills.total():,} ({kills}) in {seconds:.0f} s, {outcome.stores} stores",
        "requests acknowledged": f"{outcome.acknowledged:,} (each with its event and call)",
        "looks at the live view": f"{outcome.looks:,}, slowest {outcome.slowest_look_s:.2f} s",
        "lost": outcome.lost,
        "duplicated": outcome.doubled,
        "unopenable": outcome.unopenable,
        "live-view violations": outcome.live_view_violations,
        "errors that reached a writer, reader or ingest": outcome.errors,
    }
    lines = [
        "# Crash campaign",
        "",
        (__doc__ or "").split("\n\nRun:")[0],
        "",
        "| measured | result |",
        "|---|---|",
    ]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows.items()])


def main() -> int:
    """Parse, run, print; 0 when nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    preload()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="harness-crash-", ignore_cleanup_errors=True) as folder:
        outcome = run_campaign(options.kills, options.seed, Path(folder))
    if options.json:
        print(json.dumps({**asdict(outcome), "kills": outcome.kills.total(), "holds": outcome.holds}))
    else:
        print(markdown(outcome, time.monotonic() - began))
    for detail in outcome.details[:20]:
        print(detail, file=sys.stderr)
    return 0 if outcome.holds else 1


if __name__ == "__main__":
    sys.exit(main())
