"""The processes of the crash campaign, forked from one that has the libraries loaded but has used none of them.

A writer appends a request, its event and its call, waits until they are durable, and only then notes the number in its
own file. What that file says must be in the store, whoever is killed.
"""

import os
import random
import struct
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from harness.records import (
    COMPLETED_EVENT,
    Call,
    CallOutcome,
    Event,
    LatencySource,
    Request,
    RequestStatus,
    Role,
    Run,
    RunKind,
)
from harness.store import Redactor, Spool, ingest, open_store

NOTE = struct.Struct("<q")
START = datetime(2026, 1, 1, tzinfo=UTC)
IN_FLIGHT = 16


def fork(work: Callable[[], None], errors: Path) -> int:
    """Run `work` in a child; an exception in it is noted in `errors`, as nobody may see one."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:  # noqa: BLE001 - the child's boundary: whatever it is goes into the report
        with errors.open("a") as file:
            file.write(traceback.format_exc() + "\n---\n")
    finally:
        os._exit(0)


def write_records(store: Path, notes: Path, name: str) -> None:
    """Append until killed; `notes/<name>` holds the highest number that is durable, with all below it."""
    note = os.open(notes / name, os.O_CREAT | os.O_WRONLY, 0o644)
    rng = random.Random(name)
    with Spool.open(store, redactor=Redactor()) as spool:
        run = Run(run_id=name, kind=RunKind.BASELINE, name="crash", started_at=START, owner=spool.spool_id)
        spool.append(run).result()
        number = 0
        waiting = []
        while True:
            waiting.append((number, spool.append_many(one_request(name, number))))
            number += 1
            if len(waiting) >= IN_FLIGHT:
                durable, future = waiting.pop(0)
                future.result()
                os.pwrite(note, NOTE.pack(durable), 0)
            if rng.random() < 0.2:
                time.sleep(rng.random() * 0.02)


def one_request(run_id: str, number: int) -> tuple[Request, Event, Call]:
    """A request, its completed event and its call."""
    request_id = f"{run_id}-{number}"
    sent = START + timedelta(milliseconds=number)
    request = Request(
        run_id=run_id,
        request_id=request_id,
        status=RequestStatus.OK,
        seq=number,
        started_at=sent,
        latency_ms=float(number),
        latency_source=LatencySource.CLIENT,
    )
    payload = {"request_id": request_id, "latency_ms": number, "cost_usd": Decimal("0.02886")}
    event = Event(
        ts=sent, name=COMPLETED_EVENT, request_id=request_id, run_id=run_id, environment=None, payload=payload
    )
    call = Call(
        run_id=run_id,
        request_id=request_id,
        call_id=request_id,
        role=Role.DRAFT,
        attempt=1,
        provider="anthropic",
        model="claude",
        started_at=sent,
        latency_ms=1.0,
        outcome=CallOutcome.OK,
        cost_usd=Decimal("0.02886"),
    )
    return request, event, call


def ingest_always(store: Path, chunk_bytes: int) -> None:
    """Ingest until killed."""
    while True:
        ingest(store, chunk_bytes=chunk_bytes)
        time.sleep(0.002)


def read_always(store: Path) -> None:
    """Read until killed."""
    while True:
        with open_store(store).snapshot() as view:
            view.rows("SELECT count(*), sum(cost_usd) FROM requests")


LIVE_VIEW = """
SELECT run_id, count(*), count(DISTINCT request_id), max(seq), count(*) FILTER (cost_usd = 0.02886),
    (SELECT count(*) FROM calls c WHERE c.run_id = r.run_id),
    (SELECT count(*) FROM runs s WHERE s.run_id = r.run_id)
FROM requests r GROUP BY run_id
"""


def violations(store: Path, notes: Path) -> tuple[list[str], int]:
    """What one look at the live view finds wrong against what was acknowledged before it, and the rows it saw.

    A writer's numbers have no gap, so its rows must be 0..n, each once, with n at least what it noted.
    """
    noted = {}
    for path in notes.iterdir():
        data = path.read_bytes()
        if len(data) == NOTE.size:
            noted[path.name] = NOTE.unpack(data)[0]
    with open_store(store).snapshot() as view:
        rows = {row[0]: row[1:] for row in view.rows(LIVE_VIEW)}
    wrong = []
    for name, number in noted.items():
        count, distinct, highest, told, _, runs = rows.get(name, (0, 0, -1, 0, 0, 0))
        if highest < number or count < number + 1:
            wrong.append(f"lost: {name} acknowledged {number}, the view has {count} up to {highest}")
        if count != distinct or runs != 1:
            wrong.append(f"doubled: {name} has {count} rows, {distinct} ids, {runs} runs")
        if count != highest + 1:
            wrong.append(f"gap: {name} has {count} rows up to {highest}")
        if told < number + 1:
            wrong.append(f"event lost: {name} acknowledged {number}, {told} requests have their cost")
    return wrong, sum(row[0] for row in rows.values())


def look_always(store: Path, notes: Path, report: Path) -> None:
    """The live reader: look until told to stop by the file's absence; one line a look."""
    with report.open("a", buffering=1) as file:
        while True:
            began = time.monotonic()
            wrong, rows = violations(store, notes)
            file.write(f"{time.monotonic() - began:.3f}\t{rows}\t{'; '.join(wrong)}\n")


if __name__ == "__main__":
    sys.exit("run tests.campaigns.campaign_crash")
