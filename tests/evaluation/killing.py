"""An evaluation that is killed again and again, and what came of it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.records import load_json_exact
from harness.store import open_store

ROOT = Path(__file__).parents[2]
WAIT_S = 120.0


@dataclass
class Killed:
    """A run that was killed `kills` times and then brought to its end."""

    store: Path
    run_id: str
    document: dict
    ledgers: list[list[dict]] = field(default_factory=list)
    kills: int = 0

    def requests(self):
        with open_store(self.store).snapshot() as view:
            return view.requests(self.run_id)

    def calls(self):
        with open_store(self.store).snapshot() as view:
            return view.calls(self.run_id)

    @property
    def in_doubt(self):
        return self.document["possibly_paid_twice"]


def command(*args):
    return [sys.executable, "-m", "harness", "eval", *map(str, args)]


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160"}


def wait_for_calls(ledger, calls, process):
    """Until the emulator has answered so many calls, or the command has ended."""
    until = time.monotonic() + WAIT_S
    while len(ledger_rows(ledger)) < calls and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def run_and_kill(store, options, *, kills, total, seed=1):
    """Kill at random moments of each session, resume each time, then let it finish."""
    chance, ledgers = random.Random(seed), []
    for number in range(kills):
        ledger = store / f"ledger-{number}.jsonl"
        ledgers.append(ledger)
        arguments = options if number == 0 else ["--resume", "latest"]
        log = (store / f"log-{number}.txt").open("wb")
        process = subprocess.Popen(
            command(*arguments, "--store", store, "--ledger", ledger),
            env=environment(),
            stdout=log,
            stderr=log,
        )
        wait_for_calls(ledger, chance.randint(1, max(1, total // (kills + 1))), process)
        time.sleep(chance.uniform(0, 0.05))
        assert process.poll() is None, (store / f"log-{number}.txt").read_text()
        process.send_signal(signal.SIGKILL)
        process.wait()
        log.close()
    ledgers.append(store / "ledger-last.jsonl")
    done = subprocess.run(
        command("--resume", "latest", "--store", store, "--ledger", ledgers[-1], "--json"),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = load_json_exact(done.stdout)
    read = [ledger_rows(path) for path in ledgers]
    return Killed(store=store, run_id=document["run"]["run_id"], document=document, ledgers=read, kills=kills)


def ledger_rows(path):
    """A ledger's whole lines; one that its emulator never came to write is empty."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def outcomes(requests):
    """What each case came to, by strategy, case and repeat: what must not depend on a crash."""
    return {
        (r.strategy, r.case_id, r.repeat): (
            r.status,
            r.quality_score,
            r.draft_input_tokens,
            r.draft_output_tokens,
            r.repair_output_tokens,
            r.fallback_reason,
        )
        for r in requests
    }


def check_paid_once(killed, *, concurrency):
    """Finished cases are paid once by the ledgers; what else was paid belongs to listed cases in doubt."""
    answered = [row for ledger in killed.ledgers for row in ledger if row["outcome"] == "ok"]
    in_store = {call.call_id for call in killed.calls()}
    paid = [row["call_id"] for row in answered if row["call_id"] in in_store]
    assert len(paid) == len(set(paid)), "a recorded call was paid twice"
    requests = killed.requests()
    keys = [(r.strategy, r.case_id, r.repeat) for r in requests]
    assert len(keys) == len(set(keys)), "a case was finished twice"
    by_request = {}
    for call in killed.calls():
        by_request.setdefault(call.request_id, []).append(call)
    assert all(by_request[r.request_id] for r in requests)
    unseen = [row for row in answered if row["call_id"] not in in_store]
    assert len(killed.in_doubt) <= killed.kills * concurrency
    assert len(unseen) <= 2 * len(killed.in_doubt), "a call outside the listed cases was paid"
    return len(unseen)
