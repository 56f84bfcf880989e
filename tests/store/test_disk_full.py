"""A full disk, at every place that writes: one sentence, nothing acknowledged lost, nothing doubled.

Each case runs in its own process under RLIMIT_FSIZE, which makes the kernel refuse writes as a full disk does.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.records import RunStatus
from harness.store import StorePaths, ingest, open_store
from harness.store.spool.lines import parse_lines
from harness.store.upkeep.inspection import check_store

PRELUDE = """
import resource, sys
from pathlib import Path
from harness.errors import StoreError, StoreFullError
from harness.records import RunEnd, RunStatus
from harness.store import Spool, ingest, ingest_events, open_store
from tests.store.samples import T0, a_request, a_run, write

store = Path(sys.argv[1])

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def refused(action):
    try:
        action()
    except StoreFullError as error:
        assert "\\n" not in str(error), error
        return
    raise SystemExit("a full disk was not noticed")
"""


def run_under_limits(store: Path, body: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + body, str(store)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SPOOL = """
limit(20_000)
with Spool.open(store) as spool:
    spool.append(a_run(owner=spool.spool_id)).result(10)
    acknowledged = []
    for number in range(300):
        future = spool.append(a_request(number))
        if future.exception(10) is None:
            acknowledged.append(number)
        else:
            assert isinstance(future.exception(), StoreFullError)
    assert 0 < len(acknowledged) < 300
    assert spool.failed == 300 - len(acknowledged)
    assert isinstance(spool.failure, StoreFullError)
    spool.append(RunEnd(run_id="run-1", ended_at=T0, status=RunStatus.FAILED)).result(10)
    limit(resource.RLIM_INFINITY)
    spool.append(a_request(1000)).result(10)
print(*acknowledged, 1000)
"""


def test_spool_acknowledges_only_what_the_disk_took_and_the_run_can_end(tmp_path: Path) -> None:
    acknowledged = {f"q{number}" for number in run_under_limits(tmp_path, SPOOL).split()}
    for segment in StorePaths(tmp_path).segments():
        data = segment.path.read_bytes()
        assert data.endswith(b"\n")
        assert all(line.problem is None for line in parse_lines(data))
    for _ in range(2):
        with open_store(tmp_path).snapshot() as view:
            assert {request.request_id for request in view.requests("run-1")} == acknowledged
            assert view.run("run-1").status is RunStatus.FAILED
        ingest(tmp_path)


BATCH = """
limit(8_000)
with Spool.open(store) as spool:
    futures = [spool.append(a_request(number)) for number in range(200)]
    print(*[number for number, future in enumerate(futures) if future.exception(10) is None])
"""


def test_spool_that_fills_in_mid_batch_keeps_the_whole_records(tmp_path: Path) -> None:
    acknowledged = {f"q{number}" for number in run_under_limits(tmp_path, BATCH).split()}
    (segment,) = StorePaths(tmp_path).segments()
    assert segment.path.read_bytes().endswith(b"\n")
    with open_store(tmp_path).snapshot() as view:
        found = {request.request_id for request in view.requests("run-1")}
    assert acknowledged <= found


POSTING = """
limit(20_000)
with Spool.open(store, gather_ms=5) as spool:
    for number in range(300):
        spool.post(a_request(number))
assert isinstance(spool.failure, StoreFullError)
print(300 - spool.failed)
"""


def test_posted_records_that_found_no_room_are_counted(tmp_path: Path) -> None:
    kept = int(run_under_limits(tmp_path, POSTING))
    assert 0 < kept < 300
    with open_store(tmp_path).snapshot() as view:
        assert len(view.requests("run-1")) == kept


OPENING = """
import shutil
limit(0)
refused(lambda: write(store, a_run()))
"""


def test_a_spool_that_takes_nothing_says_so(tmp_path: Path) -> None:
    run_under_limits(tmp_path, OPENING)


INGESTING = """
write(store, a_run(), *[a_request(number, error_message=str(number) * 60) for number in range(3000)])
{first}
failures = 0
for size in {sizes}:
    limit(size)
    try:
        ingest(store)
    except StoreFullError:
        failures += 1
    limit(resource.RLIM_INFINITY)
    with open_store(store).snapshot() as view:
        assert view.rows("SELECT count(*), count(DISTINCT request_id) FROM requests") == {seen}
assert failures >= {least}, failures
ingest(store)
with open_store(store).snapshot() as view:
    assert view.rows("SELECT count(*), count(DISTINCT request_id) FROM requests") == {seen}
assert ingest(store).records == 0
"""


def test_ingest_that_cannot_create_the_database_loses_nothing(tmp_path: Path) -> None:
    body = INGESTING.format(first="", sizes=(0, 4_000, 200_000), least=2, seen=[(3000, 3000)])
    run_under_limits(tmp_path, body)
    assert check_store(tmp_path).sound


def test_ingest_that_cannot_grow_the_database_doubles_nothing(tmp_path: Path) -> None:
    more = """
ingest(store)
size = (store / "harness.duckdb").stat().st_size
write(store, *[a_request(number, error_message=str(number) * 60) for number in range(3000, 6000)])
"""
    body = INGESTING.format(
        first=more, sizes="(0, 4_000, 100_000, size // 2, size, size + 4096)", least=1, seen=[(6000, 6000)]
    )
    run_under_limits(tmp_path, body)
    assert check_store(tmp_path).sound


EXPORTING = """
from harness.store.objects.export import export_csv, export_parquet
write(store, a_run(), *[a_request(number) for number in range(3000)])
ingest(store)
limit(2_000)
refused(lambda: export_csv(open_store(store), "requests", store / "out.csv"))
refused(lambda: export_parquet(open_store(store), str(store / "exported")))
limit(resource.RLIM_INFINITY)
assert not (store / "out.csv").exists() and not list(store.glob(".out*"))
assert export_csv(open_store(store), "requests", store / "out.csv") == 3000
export_parquet(open_store(store), str(store / "exported"))
assert len(open_store(store / "exported").requests()) == 3000
"""


def test_exports_leave_no_half_file_and_work_when_there_is_room(tmp_path: Path) -> None:
    run_under_limits(tmp_path, EXPORTING)


LOG = """
import json
line = {"event": "assist.draft.completed", "ts": 1764000000, "latency_ms": 5, "cost_usd": 0.01, "pad": "x" * 400}
log = store / "service.jsonl"
log.write_text("".join(json.dumps({**line, "request_id": f"q{n}"}) + "\\n" for n in range(4000)))
limit(300_000)
refused(lambda: ingest_events(store, log))
limit(resource.RLIM_INFINITY)
assert ingest_events(store, log).events == 4000
with open_store(store).snapshot() as view:
    assert view.rows("SELECT count(*), count(DISTINCT request_id) FROM requests") == [(4000, 4000)]
"""


def test_a_log_is_not_half_taken(tmp_path: Path) -> None:
    run_under_limits(tmp_path, LOG)


@pytest.mark.parametrize("size", [0, 5_000])
def test_a_migration_without_room_for_its_backup_changes_nothing(tmp_path: Path, size: int) -> None:
    body = f"""
import duckdb
from harness.store.database.migrate import migrations
write(store, a_run()); ingest(store)
database = store / "harness.duckdb"
with duckdb.connect(str(database)) as connection:
    connection.execute("UPDATE schema_version SET version = 0")
before = database.read_bytes()
limit({size})
refused(lambda: open_store(store))
assert database.read_bytes() == before
assert not list(store.glob("*.part"))
"""
    run_under_limits(tmp_path, body)
