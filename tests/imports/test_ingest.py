"""`harness ingest`: any service's log, its wrappers, its rotation, its rubbish."""

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.ingest import app
from harness.imports.follow import follow
from harness.store import LogReport, ingest_events, open_store
from tests.ops.hostile import hostile_lines

RUNNER = CliRunner()
FIELDS = {"request_id": "q1", "cost_usd": 0.02886, "latency_ms": 1200, "draft_source": "anthropic"}
NAME = "assist.draft.completed"
ISO = "2026-11-23T12:00:00+00:00"

WRAPPERS: dict[str, dict[str, Any]] = {
    "plain": {"event": NAME, "ts": ISO, **FIELDS},
    "pino": {"level": 30, "time": 1795435200000, "pid": 7, "hostname": "web-1", "msg": NAME, **FIELDS},
    "pino, event within": {"level": 30, "time": 1795435200000, "event": {"event": NAME, **FIELDS}},
    "pino, name apart": {"level": 30, "time": 1795435200000, "msg": NAME, "data": FIELDS},
    "structlog": {"event": NAME, "timestamp": "2026-11-23T12:00:00Z", "level": "info", **FIELDS},
    "structlog, no zone": {"event": NAME, "timestamp": "2026-11-23T12:00:00", **FIELDS},
    "Winston": {"level": "info", "message": NAME, "timestamp": "2026-11-23T13:00:00+01:00", **FIELDS},
    "a message of JSON": {"severity": "INFO", "message": json.dumps({"event": NAME, "ts": ISO, **FIELDS})},
    "a container": {"log": json.dumps({"event": NAME, "ts": ISO, **FIELDS}) + "\n", "stream": "stdout"},
    "epoch seconds": {"event": NAME, "ts": 1795435200, **FIELDS},
    "epoch seconds, text": {"event": NAME, "ts": "1795435200.0", **FIELDS},
    "epoch microseconds": {"event": NAME, "ts": 1795435200000000, **FIELDS},
    "epoch nanoseconds": {"event": NAME, "ts": 1795435200000000000, **FIELDS},
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_an_event_is_the_same_however_it_is_wrapped(tmp_path: Path, name: str) -> None:
    log = tmp_path / "service.log"
    log.write_text(json.dumps(WRAPPERS[name]) + "\n")
    report = ingest_events(tmp_path / "store", log)
    with open_store(tmp_path / "store").snapshot() as view:
        (request,) = view.requests(report.run_id)
        ((moment,),) = view.rows("SELECT ts FROM events")
    assert (request.request_id, request.cost_usd, request.server_ms) == ("q1", Decimal("0.02886"), 1200.0)
    assert moment.isoformat() == ISO


def test_events_without_id_or_latency_are_taken_with_nulls(tmp_path: Path) -> None:
    log = tmp_path / "bare.log"
    log.write_text(2 * (json.dumps({"event": NAME, "ts": ISO, "cost_usd": 0.5}) + "\n"))
    result = RUNNER.invoke(app, [str(log), "--store", str(tmp_path / "store"), "--json"])
    assert result.exit_code == 0, result.output
    with open_store(tmp_path / "store").snapshot() as view:
        rows = view.rows("SELECT cost_usd, server_ms, draft_source, environment FROM requests")
    assert rows == [(Decimal("0.5"), None, None, None)] * 2


def test_a_line_that_tells_no_environment_gets_the_flags(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    told = {**WRAPPERS["plain"], "request_id": "q2", "environment": "staging"}
    log.write_text(f"{json.dumps(WRAPPERS['plain'])}\n{json.dumps(told)}\n")
    arguments = [str(log), "--environment", "production", "--store", str(tmp_path / "store")]
    assert RUNNER.invoke(app, arguments).exit_code == 0
    with open_store(tmp_path / "store").snapshot() as view:
        rows = view.rows("SELECT request_id, environment FROM requests ORDER BY 1")
    assert rows == [("q1", "production"), ("q2", "staging")]


def test_standard_input_is_read_and_taken_once(tmp_path: Path) -> None:
    lines = f"{json.dumps(WRAPPERS['pino'])}\nnot json\n{json.dumps({'msg': 'hello'})}\n".encode()
    counts = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "harness", "ingest", "-", "--json", "--store", str(tmp_path / "store")],
            input=lines,
            capture_output=True,
            check=True,
        )
        report = json.loads(done.stdout)
        counts.append([report[name] for name in ("lines", "events", "bad_lines", "skipped")])
    assert counts == [[3, 1, 1, 1], [0, 0, 0, 0]]


def test_an_event_in_two_logs_is_one_event(tmp_path: Path) -> None:
    line = json.dumps(WRAPPERS["plain"]) + "\n"
    (tmp_path / "a.log").write_text(line)
    (tmp_path / "b.log").write_text('{"other": 1}\n' + line)
    ingest_events(tmp_path / "store", tmp_path / "a.log")
    report = ingest_events(tmp_path / "store", tmp_path / "b.log")
    assert (report.events, report.known, report.skipped) == (0, 1, 1)


def test_ten_thousand_hostile_lines(tmp_path: Path) -> None:
    lines = hostile_lines(10_000)
    log = tmp_path / "hostile.log"
    log.write_bytes(b"\n".join(lines) + b"\n")
    report = ingest_events(tmp_path / "store", log)
    real = sum(bool(line.strip()) for line in lines)
    assert report.lines == real
    assert report.events + report.bad_lines + report.skipped + report.known == real
    assert min(report.events, report.bad_lines, report.skipped) > 100
    again = ingest_events(tmp_path / "store", log)
    assert again.lines == 0
    with open_store(tmp_path / "store").snapshot() as view:
        ((events, quarantined),) = view.rows(
            "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM quarantine)"
        )
        ((twice,),) = view.rows("SELECT count(*) - count(DISTINCT (run_id, request_id)) FROM requests")
        ((numbers,),) = view.rows("SELECT count(*) FROM quarantine WHERE problem LIKE 'line %:%'")
    assert (events, quarantined, twice) == (report.events, report.bad_lines, 0)
    assert numbers >= quarantined - 5


def rename(log: Path) -> None:
    log.rename(log.with_suffix(".1"))
    log.write_text("")


def remove(log: Path) -> None:
    log.unlink()
    log.write_text("")


def truncate(log: Path) -> None:
    log.write_text("")


@pytest.mark.parametrize("rotate", [rename, remove, truncate])
def test_following_survives_rotation(tmp_path: Path, rotate: Callable[[Path], None]) -> None:
    """The log is written between the looks, as by a service: each line is taken once."""
    log, store, stopped = tmp_path / "service.log", tmp_path / "store", threading.Event()
    written = 0

    def write(count: int, file: io.TextIOBase | None = None) -> None:
        nonlocal written
        for _ in range(count):
            line = json.dumps({**WRAPPERS["plain"], "request_id": f"q{written}"}) + "\n"
            written += 1
            if file is None:
                with log.open("a") as appended:
                    appended.write(line)
            else:
                file.write(line)
                file.flush()

    write(2)
    reports: list[LogReport] = []
    held = log.open("a")
    for look, opened in enumerate(follow(log, stopped, poll_s=0.01)):
        reports.append(ingest_events(store, log, opened=opened))
        if look == 0:
            if rotate is not truncate:
                write(1)
            else:
                write(1)
                reports.append(ingest_events(store, log, opened=opened))
            rotate(log)
            if rotate is not truncate:
                write(1, held)  # a service that has not noticed yet
            write(3)
        if sum(report.events for report in reports) == written:
            stopped.set()
    held.close()
    with open_store(store).snapshot() as view:
        rows = view.rows("SELECT request_id FROM requests ORDER BY 1")
    assert rows == [(f"q{number}",) for number in range(written)]
