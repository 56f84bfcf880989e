"""Ingest and the live view: the same rows before and after, whatever comes first."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from harness.errors import StoreMissingError, UnknownRunError
from harness.records import (
    LatencySource,
    RequestStatus,
    RunEnd,
    RunKind,
    RunStatus,
    Tier,
)
from harness.store import Spool, StorePaths, ingest, open_store
from tests.store.samples import T0, a_call, a_request, a_run, an_event, everything, write


def test_a_live_tail_reads_as_the_database_will(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_run(),
        a_request(1),
        an_event(1),
        a_call(1),
        RunEnd(run_id="run-1", ended_at=T0, status=RunStatus.COMPLETED),
    )
    live = everything(tmp_path)
    report = ingest(tmp_path)
    assert (report.records, report.quarantined, report.files_removed) == (5, 0, 1)
    assert everything(tmp_path) == live
    assert ingest(tmp_path).records == 0


def test_an_event_fills_its_request_and_money_keeps_its_digits(tmp_path: Path) -> None:
    write(tmp_path, a_run(), a_request(1), an_event(1))
    with open_store(tmp_path).snapshot() as view:
        (request,) = view.requests("run-1")
    assert request.cost_usd == Decimal("0.02886")
    assert request.draft_cost_usd == Decimal("0.0285")
    assert (request.latency_ms, request.server_ms, request.latency_source) == (
        100.0,
        90.5,
        LatencySource.CLIENT,
    )
    assert request.quality_tier is Tier.HIGH
    assert request.unpriced is False
    assert request.stages_ms == {"draft": 80.25}
    assert request.started_at == T0 + timedelta(seconds=1)


def test_an_event_without_cost_marks_its_request_unpriced(tmp_path: Path) -> None:
    write(tmp_path, a_run(), a_request(1), an_event(1, cost_usd=None, draft_cost_usd=None))
    with open_store(tmp_path).snapshot() as view:
        (request,) = view.requests("run-1")
    assert request.cost_usd is None
    assert request.unpriced is True


@pytest.mark.parametrize("told_run", ["run-1", None])
@pytest.mark.parametrize("order", ["request first", "event first", "together"])
def test_order_of_arrival_does_not_matter(tmp_path: Path, order: str, told_run: str | None) -> None:
    service = a_run("service-1", RunKind.SERVICE)
    recorded = (a_run(), a_request(1))
    told = (service, an_event(1, told_run), a_call(1, told_run))
    if order == "together":
        write(tmp_path, *recorded, *told)
    else:
        for part in (recorded, told) if order == "request first" else (told, recorded):
            write(tmp_path, *part)
            ingest(tmp_path)
    for _ in range(2):
        with open_store(tmp_path).snapshot() as view:
            (request,) = view.requests("run-1")
            assert request.cost_usd == Decimal("0.02886")
            assert [call.call_id for call in view.calls("run-1")] == ["c1"]
            assert view.rows("SELECT run_id FROM events") == [("run-1",)]
            assert view.rows("SELECT count(*) FROM requests") == [(1,)]
        ingest(tmp_path)


def test_service_traffic_outside_a_run_gets_its_row_from_the_event(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        run = a_run("service-1", RunKind.SERVICE, owner=spool.spool_id)
        spool.append_many([run, an_event(1, None), a_call(1, None)]).result(10)
    with open_store(tmp_path).snapshot() as view:
        (request,) = view.requests("service-1")
        assert [call.call_id for call in view.calls("service-1")] == ["c1"]
    assert request.latency_ms is None
    assert request.server_ms == 90.5
    assert request.latency_source is LatencySource.SERVER
    assert request.status is RequestStatus.OK
    live = everything(tmp_path)
    ingest(tmp_path)
    assert everything(tmp_path) == live


def test_traffic_that_names_a_run_of_another_store_is_the_services_own(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        run = a_run("service-1", RunKind.SERVICE, owner=spool.spool_id)
        spool.append_many([run, an_event(1, "run-elsewhere"), a_call(1, "run-elsewhere")]).result(10)
    live = everything(tmp_path)
    ingest(tmp_path)
    assert everything(tmp_path) == live
    with open_store(tmp_path).snapshot() as view:
        (request,) = view.requests("service-1")
        assert request.cost_usd == Decimal("0.02886")
        assert [call.call_id for call in view.calls("service-1")] == ["c1"]
        assert view.rows("SELECT run_id FROM events") == [("service-1",)]


def test_traffic_of_a_spool_without_any_run_gets_one_made_up(tmp_path: Path) -> None:
    write(tmp_path, an_event(1, None))
    ingest(tmp_path)
    with open_store(tmp_path).snapshot() as view:
        (run,) = view.runs()
        assert run.kind is RunKind.SERVICE
        assert len(view.requests(run.run_id)) == 1


def test_a_duplicate_is_kept_aside_not_counted_and_not_fatal(tmp_path: Path) -> None:
    write(tmp_path, a_run(), a_request(1), a_request(1, latency_ms=7.0), a_call(1), a_call(1))
    ingest(tmp_path)
    write(tmp_path, a_request(1, latency_ms=8.0), a_request(2))
    report = ingest(tmp_path)
    assert report.quarantined == 1
    with open_store(tmp_path).snapshot() as view:
        assert [r.latency_ms for r in view.requests("run-1")] == [100.0, 200.0]
        assert len(view.calls("run-1")) == 1
        found = view.rows("SELECT type_name, json_extract(body, '$.latency_ms') FROM quarantine ORDER BY ALL")
    assert [name for name, _ in found] == ["call", "request", "request"]


def test_a_run_whose_owner_is_gone_reads_interrupted(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        spool.append(a_run(owner=spool.spool_id)).result(5)
        with open_store(tmp_path).snapshot() as view:
            assert view.run("run-1").status is RunStatus.RUNNING
    for _ in range(2):
        with open_store(tmp_path).snapshot() as view:
            assert view.run("run-1").status is RunStatus.INTERRUPTED
        ingest(tmp_path)


def test_a_run_end_gives_status_and_summary(tmp_path: Path) -> None:
    end = RunEnd(
        run_id="run-1",
        ended_at=T0 + timedelta(minutes=5),
        status=RunStatus.COMPLETED,
        summary={"planned": 300},
    )
    write(tmp_path, end)
    ingest(tmp_path)
    write(tmp_path, a_run(config={"rps": 1}))
    with open_store(tmp_path).snapshot() as view:
        run = view.run("latest")
    assert run.status is RunStatus.COMPLETED
    assert run.summary == {"planned": 300}
    assert run.config == {"rps": 1, "summary": {"planned": 300}}
    assert run.ended_at == T0 + timedelta(minutes=5)


def test_runs_are_found_by_id_name_prefix_and_latest(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_run("run-abc"),
        a_run("run-xyz", started_at=T0 + timedelta(hours=1)),
        a_run("s", RunKind.SERVICE, started_at=T0 + timedelta(hours=2)),
    )
    with open_store(tmp_path).snapshot() as view:
        assert view.run("run-a").run_id == "run-abc"
        assert view.run("latest").run_id == "run-xyz"
        assert view.run("nightly").run_id == "s"
        with pytest.raises(UnknownRunError):
            view.run("nothing")


def test_a_missing_and_an_empty_store_say_so(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="no store"):
        open_store(tmp_path / "nowhere")
    with pytest.raises(StoreMissingError, match="empty"):
        open_store(tmp_path)


def test_a_torn_tail_of_a_dead_owner_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, a_run(), a_request(1), a_request(2))
    path = StorePaths(tmp_path).segments()[0].path
    path.write_bytes(path.read_bytes()[:-9])
    live = everything(tmp_path)
    report = ingest(tmp_path)
    assert report.records == 2
    assert report.torn_bytes > 0
    assert everything(tmp_path) == live
    assert len(live["requests"]) == 1


def test_the_first_word_of_a_snapshot_is_not_a_way_out(tmp_path: Path) -> None:
    write(tmp_path, a_run())
    with open_store(tmp_path).snapshot() as view, pytest.raises(Exception, match="disabled"):
        view.rows("SELECT * FROM read_text('/etc/passwd')")
