"""Exported rows: the same through Parquet, harmless in a spreadsheet, whole or absent."""

import csv
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

import harness
from harness.errors import StoreError, StoreMissingError
from harness.records import GateResult, GateVerdict, Grade
from harness.store import ingest, open_store
from harness.store.objects.export import export_csv, export_parquet
from tests.store.samples import T0, TABLES, a_call, a_request, a_run, an_event, everything, write


def filled(store: Path) -> Path:
    write(
        store,
        a_run("run/1"),
        a_run("run-2"),
        a_request(1, "run/1"),
        a_request(2, "run-2", scenario="=HYPERLINK(1)", error_message="-1+1"),
        an_event(1, "run/1"),
        a_call(1, "run/1"),
        Grade(run_id="run-2", request_id="q2", grader="schema", score=0.5, passed=None),
        GateResult(run_id="run/1", ts=T0, verdict=GateVerdict.PASS, checks=[{"name": "p95"}]),
    )
    ingest(store)
    return store


def test_parquet_reads_back_the_same_rows(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    report = export_parquet(open_store(store), str(tmp_path / "out"))
    assert report.rows["requests"] == 2
    assert (tmp_path / "out/requests/date=2026-11-23/run_id=run%2F1").is_dir()
    exported = everything(tmp_path / "out")
    original = everything(store)
    for table in TABLES:
        assert exported[table] == original[table], table
    with open_store(tmp_path / "out").snapshot() as view:
        assert view.requests("run/1")[0].cost_usd == Decimal("0.02886")
        assert view.run("run-2").run_id == "run-2"
        with pytest.raises(Exception, match="disabled"):
            view.rows("SELECT * FROM read_text('/etc/hostname')")


@pytest.mark.parametrize("earlier", ["run/1", "run-2"])
def test_an_earlier_versions_export_hides_no_later_column(tmp_path: Path, earlier: str) -> None:
    store = filled(tmp_path / "store")
    told = {"served_model": "m-1", "served_terms": {"searches": 1}, "provider_cost_usd": Decimal("0.03")}
    write(store, *(a_call(n, run, **told) for n, run in ((3, "run/1"), (2, "run-2"))))
    ingest(store)
    export_parquet(open_store(store), str(tmp_path / "out"))
    for path in (tmp_path / "out/calls").rglob("*.parquet"):
        table = pq.ParquetFile(path).read()
        if quote(earlier, safe="") in str(path):
            later = ["served_model", "finish_reason", "provider_cost_usd", "served_terms"]
            table = table.drop_columns(later)
        pq.write_table(table, path)
    with open_store(tmp_path / "out").snapshot() as view:
        found = {run: view.calls(run)[-1] for run in ("run/1", "run-2")}
    for run, call in found.items():
        known = {} if run == earlier else told
        assert {name: getattr(call, name) for name in told} == dict.fromkeys(told) | known


def test_exporting_again_replaces_instead_of_adding(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    for _ in range(2):
        export_parquet(open_store(store), str(tmp_path / "out"), runs=["run-2"])
    with open_store(tmp_path / "out").snapshot() as view:
        assert view.rows("SELECT run_id, count(*) FROM requests GROUP BY ALL") == [("run-2", 1)]


def test_an_address_with_nothing_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="no exported store"):
        open_store(f"file://{tmp_path}/nothing")
    with pytest.raises(StoreError, match="no address"):
        open_store("carrier-pigeon://coop/7")


def test_an_address_reads_as_a_folder_does(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    export_parquet(open_store(store), f"file://{tmp_path}/out")
    assert len(open_store(f"file://{tmp_path}/out").requests()) == 2
    assert len(open_store(Path(f"file://{tmp_path}/out")).requests()) == 2  # as a command line gives it


def test_csv_cells_are_not_formulas(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    path = tmp_path / "requests.csv"
    assert export_csv(open_store(store), "requests", path, run="run-2") == 1
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["scenario"] == "'=HYPERLINK(1)"
    assert row["error_message"] == "'-1+1"
    assert row["latency_ms"] == "200.0"
    assert row["cost_usd"] == ""


def test_a_csv_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        export_csv(open_store(store), "requests", tmp_path / "file" / "x.csv")


def test_notebooks_get_frames_with_exact_money(tmp_path: Path) -> None:
    store = harness.open_store(filled(tmp_path / "store"))
    frame = store.requests("run/1")
    assert list(frame["request_id"]) == ["q1"]
    assert frame["cost_usd"][0] == Decimal("0.0288600000")
    assert str(frame["started_at"].dtype) == "timestamp[us, tz=UTC][pyarrow]"
    assert len(store.requests()) == 2
    assert len(store.calls()) == 1
    assert set(store.runs()["run_id"]) == {"run/1", "run-2"}
    assert store.query("SELECT 1 AS one WHERE ? > 1", [2])["one"][0] == 1
