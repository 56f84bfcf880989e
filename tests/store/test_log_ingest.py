"""Logs that any service wrote: each event once, bad lines kept aside, finished runs filled."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.records import LatencySource, Request, RequestStatus, Run, RunKind
from harness.store import Spool, ingest, ingest_events, open_store

T0 = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def a_line(number: int, **fields: Any) -> str:
    event = {
        "event": "assist.draft.completed",
        "ts": (T0 + timedelta(seconds=number)).isoformat(),
        "request_id": f"q{number}",
        "latency_ms": 100 + number,
        "draft_source": "anthropic",
        "draft_cost_usd": 0.0285,
        "cost_usd": 0.02886,
        "environment": "production",
        "custom": {"team": "pricing"},
    }
    return json.dumps({**event, **fields}) + "\n"


def test_a_log_becomes_a_run_and_is_taken_once(tmp_path: Path) -> None:
    log = tmp_path / "service.jsonl"
    log.write_text(a_line(1) + a_line(2))
    store = tmp_path / "store"
    report = ingest_events(store, log)
    assert (report.events, report.bad_lines) == (2, 0)
    assert ingest_events(store, log).lines == 0
    with log.open("a") as file:
        file.write(a_line(3))
    again = ingest_events(store, log)
    assert (again.run_id, again.events) == (report.run_id, 1)
    with open_store(store).snapshot() as view:
        run = view.run(report.run_id)
        requests = view.requests(report.run_id)
        extra = view.rows("SELECT payload->>'$.custom.team' FROM events")
    assert (run.kind, run.status, run.name) == (RunKind.INGEST, "completed", "service.jsonl")
    assert [(r.request_id, r.cost_usd, r.latency_ms, r.server_ms) for r in requests] == [
        (f"q{n}", Decimal("0.02886"), None, 100.0 + n) for n in (1, 2, 3)
    ]
    assert {r.latency_source for r in requests} == {LatencySource.SERVER}
    assert extra == [("pricing",)] * 3


def test_a_moved_log_goes_on_and_a_rotated_one_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "service.jsonl"
    log.write_text(a_line(1))
    first = ingest_events(tmp_path / "store", log)
    moved = log.rename(tmp_path / "service.jsonl.1")
    assert ingest_events(tmp_path / "store", moved).lines == 0
    log.write_text(a_line(2))
    second = ingest_events(tmp_path / "store", log)
    assert second.events == 1
    assert second.run_id != first.run_id


def test_bad_lines_are_counted_and_kept_aside(tmp_path: Path) -> None:
    log = tmp_path / "mixed.jsonl"
    bad = [
        "not json",
        "[1]",
        '{"x":1}',
        '{"event":"assist.draft.completed","ts":1}',
        a_line(9, ts="soon").strip(),
    ]
    log.write_bytes("\n".join([*bad, "", a_line(1)]).encode() + b'{"event": "\xff\xfe"}\n')
    report = ingest_events(tmp_path / "store", log)
    assert (report.events, report.bad_lines, report.skipped) == (2, 4, 1)
    with open_store(tmp_path / "store").snapshot() as view:
        kept = view.rows("SELECT problem, body FROM quarantine ORDER BY byte_offset")
    assert [body for _, body in kept][:2] == ["not json", "[1]"]
    assert [problem.partition(":")[0] for problem, _ in kept] == ["line 1", "line 2", "line 5", "line 8"]


def test_wrong_values_are_unknown_not_fatal(tmp_path: Path) -> None:
    log = tmp_path / "odd.jsonl"
    odd = {
        "cost_usd": "a lot",
        "latency_ms": -5,
        "quality_score": 7,
        "quality_tier": "superb",
        "draft_input_tokens": 1.5e300,
        "stages_ms": [1],
        "mixed_providers": "perhaps",
        "confidence": {"a": 1},
    }
    log.write_text(a_line(1, **odd))
    report = ingest_events(tmp_path / "store", log)
    with open_store(tmp_path / "store").snapshot() as view:
        (request,) = view.requests(report.run_id)
    assert request.cost_usd is None
    assert request.unpriced is True
    unknown = (
        "server_ms",
        "quality_score",
        "quality_tier",
        "draft_input_tokens",
        "stages_ms",
        "mixed_providers",
    )
    assert [getattr(request, name) for name in unknown] == [None] * len(unknown)


def test_a_last_line_without_newline_waits_until_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "live.jsonl"
    line = a_line(2)
    log.write_text(a_line(1) + line[:30])
    assert ingest_events(tmp_path / "store", log).events == 1
    log.write_text(a_line(1) + line.strip())
    assert ingest_events(tmp_path / "store", log).events == 1
    log.write_text(a_line(1) + line + a_line(3))
    assert ingest_events(tmp_path / "store", log).events == 1


def test_join_fills_a_finished_run_and_leaves_other_traffic_out(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with Spool.open(store) as spool:
        run = Run(run_id="run-1", kind=RunKind.BASELINE, name="staging", started_at=T0)
        rows = [
            Request(run_id="run-1", request_id=f"q{n}", status=RequestStatus.OK, latency_ms=200.0, seq=n)
            for n in (1, 2)
        ]
        spool.append_many([run, *rows]).result(5)
    ingest(store)
    log = tmp_path / "service.jsonl"
    log.write_text(a_line(1) + a_line(2) + a_line(77))
    report = ingest_events(store, log, join_run="run-1")
    assert (report.joined, report.unmatched) == (2, 1)
    assert ingest_events(store, log, join_run="run-1").lines == 0
    with open_store(store).snapshot() as view:
        assert [r.cost_usd for r in view.requests("run-1")] == [Decimal("0.02886")] * 2
        assert view.rows("SELECT count(*) FROM requests") == [(2,)]
    with pytest.raises(UsageError, match="no run 'nothing'"):
        ingest_events(store, log, join_run="nothing")


def test_a_log_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        ingest_events(tmp_path / "store", tmp_path / "nowhere.jsonl")
