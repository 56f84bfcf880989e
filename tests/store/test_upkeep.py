"""Pruning, checking and repairing a store; damaged and later files are one sentence."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from harness.errors import StoreDamagedError, StoreTooNewError, UnknownRunError, UsageError
from harness.records import RunEnd, RunKind, RunStatus
from harness.store import Spool, StorePaths, ingest, open_store, prune_runs
from harness.store.database.migrate import known_version
from harness.store.upkeep.inspection import check_store, store_stats
from harness.store.upkeep.repair import repair_store
from tests.store.samples import T0, a_call, a_request, a_run, an_event, everything, write


def two_runs(store: Path) -> None:
    write(
        store,
        a_run("old"),
        a_request(1, "old"),
        a_call(1, "old"),
        RunEnd(run_id="old", ended_at=T0, status=RunStatus.COMPLETED),
    )
    later = T0 + timedelta(days=10)
    write(store, a_run("new", started_at=later), a_request(2, "new", started_at=later))
    ingest(store)


def test_prune_by_age_removes_whole_runs(tmp_path: Path) -> None:
    two_runs(tmp_path)
    now = T0 + timedelta(days=11)
    planned = prune_runs(tmp_path, older_than=timedelta(days=5), now=now, dry_run=True)
    assert planned.run_ids == ["old"]
    assert planned.rows == {"requests": 1, "calls": 1, "runs": 1}
    assert len(everything(tmp_path)["runs"]) == 2
    assert prune_runs(tmp_path, older_than=timedelta(days=5), now=now) == planned
    left = everything(tmp_path)
    assert [row[0] for row in left["requests"]] == ["new"]
    assert left["calls"] == []


def test_prune_by_id_knows_its_runs_and_spares_the_running(tmp_path: Path) -> None:
    two_runs(tmp_path)
    prune_runs(tmp_path, run_ids=["new"])
    with pytest.raises(UnknownRunError):
        prune_runs(tmp_path, run_ids=["new"])
    with pytest.raises(UsageError, match="what to prune"):
        prune_runs(tmp_path)
    with Spool.open(tmp_path) as spool:
        spool.append(a_run("live", owner=spool.spool_id)).result(5)
        with pytest.raises(UsageError, match="running"):
            prune_runs(tmp_path, run_ids=["live"])


def test_a_living_service_loses_its_old_rows_only(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        service = a_run("service", RunKind.SERVICE, owner=spool.spool_id)
        old, fresh = an_event(1, "service"), an_event(900_000, "service")
        spool.append_many([service, old, fresh, a_call(1, "service")]).result(5)
        report = prune_runs(tmp_path, older_than=timedelta(days=5), now=T0 + timedelta(days=12))
        assert report.run_ids == []
        assert report.thinned_run_ids == ["service"]
        assert report.rows == {"requests": 1, "calls": 1, "events": 1}


def test_a_sound_store_checks_out_and_counts(tmp_path: Path) -> None:
    two_runs(tmp_path)
    assert check_store(tmp_path).sound
    stats = store_stats(tmp_path)
    assert stats.rows["requests"] == 2
    assert stats.runs_by_kind == {"baseline": 2}
    assert stats.schema == known_version()


def test_check_finds_what_breaks_the_rules(tmp_path: Path) -> None:
    two_runs(tmp_path)
    with duckdb.connect(str(StorePaths(tmp_path).database)) as connection:
        connection.execute("INSERT INTO requests FROM requests WHERE run_id = 'old'")
        connection.execute("UPDATE requests SET draft_cost_usd = 1, cost_usd = 3 WHERE run_id = 'new'")
    write(tmp_path, a_run("third"))
    segment = StorePaths(tmp_path).segments()[0].path
    segment.write_bytes(b"00000000 run {}\n" + segment.read_bytes())
    problems = " ".join(check_store(tmp_path).problems)
    assert "1 requests share" in problems
    assert "1 requests whose cost is not the sum" in problems
    assert "1 lines fail" in problems


def test_a_damaged_line_is_kept_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    write(tmp_path, a_run(), a_request(1), a_request(2))
    segment = StorePaths(tmp_path).segments()[0].path
    segment.write_bytes(segment.read_bytes().replace(b'"q1"', b'"q9"'))
    live = everything(tmp_path)
    report = ingest(tmp_path)
    assert (report.records, report.quarantined) == (3, 1)
    assert everything(tmp_path) == live
    assert [row[1] for row in live["requests"]] == ["q2"]


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 20_000])
def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    two_runs(tmp_path)
    StorePaths(tmp_path).database.write_bytes(content)
    with pytest.raises(StoreDamagedError, match=r"harness\.duckdb"):
        open_store(tmp_path)


def test_a_database_of_something_else_is_not_touched(tmp_path: Path) -> None:
    with duckdb.connect(str(StorePaths(tmp_path).database)) as connection:
        connection.execute("CREATE TABLE theirs (a INT)")
    with pytest.raises(StoreDamagedError, match="not a store"):
        open_store(tmp_path)
    write(tmp_path, a_run())
    with pytest.raises(StoreDamagedError, match="not a store"):
        ingest(tmp_path)


def test_a_later_schema_asks_for_an_upgrade(tmp_path: Path) -> None:
    two_runs(tmp_path)
    with duckdb.connect(str(StorePaths(tmp_path).database)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99, TIMESTAMP '2030-01-01', '9.0')")
    write(tmp_path, a_run("third"))
    for use in (open_store, ingest):
        with pytest.raises(StoreTooNewError, match="schema 99"):
            use(tmp_path)


def test_repair_sets_a_damaged_database_aside_and_keeps_the_spools(tmp_path: Path) -> None:
    two_runs(tmp_path)
    write(tmp_path, a_run("third"))
    StorePaths(tmp_path).database.write_bytes(b"garbage" * 4000)
    report = repair_store(tmp_path)
    assert any("set aside" in sentence for sentence in report.done)
    with open_store(tmp_path).snapshot() as view:
        assert [run.run_id for run in view.runs()] == ["third"]
    assert list(tmp_path.glob("harness.duckdb.damaged-*"))
    assert repair_store(tmp_path).done == []


def test_repair_takes_back_what_an_older_harness_could_not_read(tmp_path: Path) -> None:
    write(tmp_path, a_run(), a_request(1))
    ingest(tmp_path)
    with duckdb.connect(str(StorePaths(tmp_path).database)) as connection:
        connection.execute(
            """INSERT INTO quarantine VALUES (TIMESTAMP '2026-01-01', 'x.jsonl', 0, 'request',
            'not what its columns hold: broken', '{"run_id":"run-1","request_id":"q2","status":"ok"}'),
            (TIMESTAMP '2026-01-01', 'x.jsonl', 1, 'request',
            'not what its columns hold: broken', '{"run_id":"run-1","later":1}')"""
        )
    assert repair_store(tmp_path).done == ["1 records came out of quarantine"]
    with open_store(tmp_path).snapshot() as view:
        assert [r.request_id for r in view.requests("run-1")] == ["q1", "q2"]
        assert view.rows("SELECT count(*) FROM quarantine") == [(1,)]


def test_another_program_in_the_database_is_one_sentence(tmp_path: Path) -> None:
    two_runs(tmp_path)
    holder = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holder, str(StorePaths(tmp_path).database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(Exception, match="open in another program"):
            open_store(tmp_path)
        process.communicate(b"")
    assert open_store(tmp_path)
