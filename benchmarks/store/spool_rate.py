"""Acknowledged records a second: four writing processes against bare fdatasync loops, with readers at work.

The bare loop writes the same bytes and syncs after each, in as many processes. The spool is measured with one
record in flight a writer (each waits for its own acknowledgement) and with sixteen (group commit), alone and
with queries and ingest at work. Goals, with queries and each record waited for: 5,000 records/s together and
p99 under 5 ms.

Example: python -m benchmarks.store.spool_rate --seconds 5
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import deque
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.records import Request, RequestStatus
from harness.store import Redactor, Spool, ingest, open_store
from harness.store.spool.codec import encode_json, encode_line, json_object

WRITERS = 4
GOAL_PER_S = 5_000
GOAL_P99_MS = 5.0
WITH_QUERIES = ", queries and ingest running"


def a_request(number: int) -> Request:
    """A record of ordinary size."""
    return Request(
        run_id=f"run-{os.getpid()}",
        request_id=f"q{os.getpid()}-{number}",
        status=RequestStatus.OK,
        seq=number,
        started_at=datetime.now(UTC),
        latency_ms=1234.5,
        service_ms=1233.5,
        http_status=200,
        draft_source="anthropic",
        draft_model="claude-3-5-sonnet-20241022",
        cost_usd=Decimal("0.02886"),
        draft_cost_usd=Decimal("0.0285"),
        repair_cost_usd=Decimal("0.00036"),
    )


def bare_loop(folder: Path, seconds: float, results: Any) -> None:
    """Write a record's bytes and sync, one after another."""
    request = a_request(1)
    line = encode_line("request", encode_json(json_object(request)))
    waits = []
    with (folder / f"bare-{os.getpid()}").open("wb", buffering=0) as file:
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            file.write(line)
            os.fdatasync(file.fileno())
            waits.append(time.perf_counter() - began)
    results.put(waits)


def spool_loop(folder: Path, seconds: float, in_flight: int, results: Any) -> None:
    """Append with so many records in flight; waits count from append to acknowledgement."""
    waits: list[float] = []
    waiting: deque[Any] = deque()
    with Spool.open(folder, redactor=Redactor()) as spool:
        end = time.perf_counter() + seconds
        number = 0
        while (began := time.perf_counter()) < end:
            future = spool.append(a_request(number))
            future.add_done_callback(lambda _, since=began: waits.append(time.perf_counter() - since))
            waiting.append(future)
            number += 1
            if len(waiting) >= in_flight:
                waiting.popleft().result()
    results.put(waits)


def query_loop(folder: Path, stop: Any) -> None:
    """A dashboard session and its ingest: read, and every second move the spools on."""
    last = 0.0
    while not stop.is_set():
        if time.monotonic() - last > 1:
            ingest(folder, wait=False)
            last = time.monotonic()
        with open_store(folder).snapshot() as view:
            view.rows(
                "SELECT draft_source, count(*), quantile_cont(latency_ms, 0.95) FROM requests GROUP BY 1"
            )
        stop.wait(0.5)


def measure(work: Any, folder: Path, *values: Any) -> list[float]:
    """Run one loop in four processes; all waits, seconds."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=work, args=(folder, *values, results)) for _ in range(WRITERS)]
    for process in processes:
        process.start()
    waits = [wait for _ in processes for wait in results.get()]
    for process in processes:
        process.join()
    return sorted(waits)


def main() -> int:
    """Parse the command line and print the table; exit 1 when the goals are missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory(prefix="harness-rate-", dir=options.folder) as name:
        folder = Path(name)
        bare = measure(bare_loop, folder, options.seconds)
        rows["bare write + fdatasync"] = bare
        for in_flight in (1, 16):
            rows[f"spool, {in_flight} in flight"] = measure(spool_loop, folder, options.seconds, in_flight)
        context = multiprocessing.get_context("spawn")
        stop = context.Event()
        reader = context.Process(target=query_loop, args=(folder, stop))
        reader.start()
        for in_flight in (1, 16):
            rows[f"spool, {in_flight} in flight{WITH_QUERIES}"] = measure(
                spool_loop, folder, options.seconds, in_flight
            )
        stop.set()
        reader.join()
    return report(rows, options.seconds, as_json=options.json)


def report(rows: dict[str, list[float]], seconds: float, *, as_json: bool) -> int:
    """Print rate, ratio and waits of each way, and whether the goals are met."""
    bare = len(next(iter(rows.values()))) / seconds
    found = {
        name: {
            "records_per_s": len(waits) / seconds,
            "ratio_to_bare": len(waits) / seconds / bare,
            "p50_ms": waits[len(waits) // 2] * 1e3,
            "p99_ms": waits[int(len(waits) * 0.99)] * 1e3,
        }
        for name, waits in rows.items()
    }
    waited_for = found[f"spool, 1 in flight{WITH_QUERIES}"]
    met = waited_for["records_per_s"] >= GOAL_PER_S and waited_for["p99_ms"] < GOAL_P99_MS
    if as_json:
        print(json.dumps({**found, "goals_met": met}))
        return 0 if met else 1
    print(f"| {WRITERS} processes | records/s | ratio to bare | p50 ms | p99 ms |\n|---|---|---|---|---|")
    for name, row in found.items():
        print(
            f"| {name} | {row['records_per_s']:,.0f} | {row['ratio_to_bare']:.2f} "
            f"| {row['p50_ms']:.2f} | {row['p99_ms']:.2f} |"
        )
    print(f"\nGoals ({GOAL_PER_S:,} records/s, p99 {GOAL_P99_MS:g} ms): {'met' if met else 'MISSED'}.")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
