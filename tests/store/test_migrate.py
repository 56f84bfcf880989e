"""Stores written by every earlier schema open today, whole, with a backup beside them."""

import gzip
import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records import RunStatus
from harness.store import StorePaths, ingest, open_store
from harness.store.database import migrate
from tests.store.samples import a_request, write

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("schema-*.duckdb.gz"))


def unpacked(fixture: Path, store: Path) -> Path:
    database = StorePaths(store).database
    database.write_bytes(gzip.decompress(fixture.read_bytes()))
    return database


def test_each_schema_has_its_fixture() -> None:
    assert [int(path.name[7:11]) for path in FIXTURES] == list(migrate.migrations())


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name[:11])
def test_a_store_of_any_schema_reads_and_takes_more(tmp_path: Path, fixture: Path) -> None:
    unpacked(fixture, tmp_path)
    store = open_store(tmp_path)
    write(tmp_path, a_request(3), a_request(9))
    for _ in range(2):
        with store.snapshot() as view:
            run = view.run("nightly")
            requests = {request.request_id: request for request in view.requests("run-1")}
            assert (run.status, run.summary) == (RunStatus.COMPLETED, {"planned": 2})
            assert sorted(requests) == ["q1", "q2", "q3", "q9"]
            assert requests["q1"].cost_usd == requests["q9"].cost_usd == Decimal("0.02886")
            assert requests["q2"].cost_usd is None
            assert len(view.calls("run-1")) == len(view.gate_results("run-1")) == 1
            assert view.rows("SELECT rule, score FROM alert_events, grades") == [("cost", 1.0)]
        ingest(tmp_path)


@pytest.fixture
def a_later_schema(monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    later = {**migrate.migrations(), migrate.known_version() + 1: "ALTER TABLE runs ADD COLUMN note VARCHAR"}
    monkeypatch.setattr(migrate, "migrations", lambda: later)
    return later


def test_a_migration_leaves_a_backup_of_what_was(tmp_path: Path, a_later_schema: dict[int, str]) -> None:
    database = unpacked(FIXTURES[-1], tmp_path)
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    with open_store(tmp_path).snapshot() as view:
        assert view.rows("SELECT run_id, note FROM runs") == [("run-1", None)]
    (backup,) = tmp_path.glob("harness.duckdb.v*.backup")
    assert hashlib.sha256(backup.read_bytes()).hexdigest() == before
    assert migrate.schema_version(StorePaths(tmp_path)) == max(a_later_schema)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, a_later_schema: dict[int, str]) -> None:
    unpacked(FIXTURES[-1], tmp_path)
    a_later_schema[max(a_later_schema)] = "ALTER TABLE runs ADD COLUMN note VARCHAR; SELECT no_such_thing"
    with pytest.raises(StoreError):
        open_store(tmp_path)
    assert migrate.schema_version(StorePaths(tmp_path)) == max(a_later_schema) - 1
    with migrate.connect(StorePaths(tmp_path).database) as connection:
        columns = {row[0] for row in connection.execute("DESCRIBE runs").fetchall()}
    assert "note" not in columns
