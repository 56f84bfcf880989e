"""Six dashboard sessions read without a pause while writers append and a parent ingests every second.

Measured: how far ingest falls behind (age of the oldest record not yet in the database when an ingest has
ended), how long reads take, and any error that reaches anyone. Goals: at most 5 s behind, no error.

Example: python -m benchmarks.store.readers --seconds 30 --rate 50
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.store.pages import PAGES
from benchmarks.store.spool_rate import a_request
from dashboard.frame.source import one_view
from harness.store import Redactor, Spool, ingest

READERS = 6
INGEST_EVERY_S = 1.0
GOAL_BEHIND_S = 5.0


def read_loop(folder: Path, stop: Any, results: Any) -> None:
    """One session: the Overview's queries, read as the dashboard reads them, again and again."""
    os.environ["HARNESS_STORE"] = str(folder)
    waits, errors = [], []
    while not stop.is_set():
        began = time.perf_counter()
        try:
            with one_view() as page:
                for query, *values in PAGES["overview"]:
                    page.read(query, *values)
        except Exception as error:  # noqa: BLE001 - counted: that none reaches a reader is what is measured
            errors.append(repr(error))
        waits.append(time.perf_counter() - began)
    results.put((waits, errors))


def write_loop(folder: Path, stop: Any, rate: float, results: Any) -> None:
    """A baseline's recorder: so many requests a second, each waited for."""
    waits, errors = [], []
    with Spool.open(folder, redactor=Redactor()) as spool:
        number = 0
        while not stop.is_set():
            began = time.perf_counter()
            try:
                spool.append(a_request(number)).result()
            except Exception as error:  # noqa: BLE001 - counted
                errors.append(repr(error))
            waits.append(time.perf_counter() - began)
            number += 1
            time.sleep(1 / rate)
    results.put((waits, errors))


def ingest_loop(folder: Path, seconds: float) -> tuple[list[float], list[str]]:
    """The baseline's parent; how far behind the database was whenever an ingest ended, seconds."""
    behind, errors = [], []
    covered = time.monotonic()
    end = covered + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            report = ingest(folder)
        except Exception as error:  # noqa: BLE001 - counted
            errors.append(repr(error))
            continue
        # Up to its end the database had only what was written before the ingest before this one.
        behind.append(time.monotonic() - covered)
        if not report.busy:
            covered = began
        time.sleep(max(0.0, INGEST_EVERY_S - (time.monotonic() - began)))
    return behind, errors


def main() -> int:
    """Parse the command line and print the table; exit 1 when the goals are missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, default=50, help="requests a second of each of two writers")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    stop, reads, writes = context.Event(), context.Queue(), context.Queue()
    with tempfile.TemporaryDirectory(prefix="harness-readers-") as name:
        folder = Path(name)
        with Spool.open(folder, redactor=Redactor()) as spool:
            spool.append(a_request(-1)).result()
        writers = [
            context.Process(target=write_loop, args=(folder, stop, options.rate, writes)) for _ in range(2)
        ]
        readers = [context.Process(target=read_loop, args=(folder, stop, reads)) for _ in range(READERS)]
        for process in writers + readers:
            process.start()
        behind, errors = ingest_loop(folder, options.seconds)
        stop.set()
        read = [reads.get() for _ in readers]
        written = [writes.get() for _ in writers]
        for process in writers + readers:
            process.join()
    return report(behind, read, written, errors, as_json=options.json)


def report(behind: list[float], read: Any, written: Any, errors: list[str], *, as_json: bool) -> int:
    """Print what was measured, and whether the goals are met."""
    reads = sorted(wait for waits, _ in read for wait in waits)
    acks = sorted(wait for waits, _ in written for wait in waits)
    all_errors = errors + [text for _, found in (*read, *written) for text in found]
    found = {
        "ingests": len(behind),
        "ingest behind, worst, s": round(max(behind), 2),
        "reads by six sessions": len(reads),
        "read p50, s": round(reads[len(reads) // 2], 3),
        "read p99, s": round(reads[int(len(reads) * 0.99)], 3),
        "records written": len(acks),
        "acknowledgement p99, ms": round(acks[int(len(acks) * 0.99)] * 1e3, 2),
        "errors": len(all_errors),
    }
    met = max(behind) <= GOAL_BEHIND_S and not all_errors
    if as_json:
        print(json.dumps({**found, "error_texts": all_errors[:5], "goals_met": met}))
        return 0 if met else 1
    print("| measured | result |\n|---|---|")
    for name, value in found.items():
        print(f"| {name} | {value} |")
    for text in all_errors[:5]:
        print(text)
    print(f"\nGoals (at most {GOAL_BEHIND_S:g} s behind, no error): {'met' if met else 'MISSED'}.")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
