"""A full disk under every command that writes: one sentence, exit code not 0, no torn file, nothing lost, nothing doubled.

Each command runs in its own process under RLIMIT_FSIZE, which makes the kernel refuse writes as a full disk does;
then again with room, which must succeed. What the store itself writes is in tests/store/test_disk_full.py.
"""

import gzip
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import StoreError, StoreFullError
from harness.outputs import replace_file
from harness.records import RunEnd, RunKind, RunStatus
from harness.store import StorePaths, ingest, open_store
from tests.store.samples import T0, a_call, a_request, write
from tests.store.samples import a_run as sample_run

ROOT = Path(__file__).parents[2]
REQUESTS = 400


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full-disk")
    for run_id in ("run-1", "run-2"):
        rows = [a_request(n, run_id, error_message=f"{n}" * 60) for n in range(REQUESTS)]
        end = RunEnd(run_id=run_id, ended_at=T0, status=RunStatus.COMPLETED)
        write(folder, sample_run(run_id), *rows, a_call(1, run_id, call_id=f"call-{run_id}"), end)
    ingest(folder)
    return folder


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    """A store of two finished runs, everything ingested; a copy for each test."""
    copy = tmp_path / "store"
    copy.mkdir()
    (copy / "harness.duckdb").write_bytes((whole / "harness.duckdb").read_bytes())
    return copy


PRELUDE = """
import io, json, resource, sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from harness.cli.app import main
from harness.store import StorePaths, open_store
from harness.store.upkeep.inspection import check_store
from tests.store.samples import an_event, write

store = Path(sys.argv[1])
out = store.parent / "out"
ALL = [("run-1", 400, 400), ("run-2", 400, 400)]

def command(*arguments, room=None):
    # `harness ARGUMENTS` on a disk that takes no file larger than `room` bytes: exit code, standard error
    sys.argv = ["harness", *map(str, arguments)]
    said = io.StringIO()
    if room is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        with redirect_stderr(said), redirect_stdout(io.TextIOWrapper(io.BytesIO())):
            main()
        return 0, said.getvalue()
    except SystemExit as end:
        return end.code or 0, said.getvalue()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

def refused(*arguments, room):
    code, said = command(*arguments, room=room)
    assert code == 2, (arguments, code, said)
    (sentence,) = [line for line in said.splitlines() if line.startswith("harness: ")]
    assert "File too large" in sentence or "refused a write" in sentence, sentence

def done(*arguments):
    code, said = command(*arguments)
    assert code in (0, 1), (arguments, code, said)  # a gate may say FAIL

def files(folder):
    # hidden leftovers included
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

def counts(place=store):
    with open_store(place).snapshot() as view:
        return view.rows("SELECT run_id, count(*), count(DISTINCT request_id) FROM requests "
                         "GROUP BY run_id ORDER BY run_id")
"""


def script(body: str, *arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", body, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


FILES = """
out.mkdir()
for arguments in (
    ["runs", "publish", "run-1", "--into", out],
    ["compare", "run-1", "run-2", "--html", out / "c.html"],
    ["gate", "run-1", "--junit", out / "j.xml"],
    ["export", "csv", "--out", out / "r.csv"],
    ["export", "parquet", out / "exported"],
    ["export", "datadog", "--out", out / "dd"],
):
    before = files(out)
    options = [] if "datadog" in arguments else ["--store", store]
    refused(*arguments, *options, room=300)
    assert files(out) == before, arguments
    done(*arguments, *options)
    assert len(files(out)) > len(before), arguments
exported = out / "exported"
for room in (0, max(map(len, files(exported).values())) - 1):
    refused("export", "parquet", exported, "--store", store, room=room)
    assert counts(exported) == ALL  # what was exported before stays readable
    assert not [name for name in files(exported) if ".part" in name]
assert counts() == ALL and check_store(store).sound
"""


def test_a_file_is_whole_or_absent(store: Path) -> None:
    script(PRELUDE + FILES, store)


APPENDING = """
import os
summary = store.parent / "summary.md"
summary.write_text("# before\\n")
os.environ["GITHUB_STEP_SUMMARY"] = str(summary)
refused("gate", "run-1", "--step-summary", "--store", store, room=60)
assert summary.read_text() == "# before\\n"
refused("gate", "run-1", "--store", store, room=0)
with open_store(store).snapshot() as view:
    assert view.gate_results("run-1") == []
line = {"event": "assist.draft.completed", "ts": 1764000000, "latency_ms": 5, "cost_usd": 0.01}
log = b"".join(json.dumps({**line, "request_id": f"log-{n}"}).encode() + b"\\n" for n in range(300))
sys.stdin = io.TextIOWrapper(io.BytesIO(log))
refused("ingest", "-", "--store", store, room=5000)
assert counts() == ALL
sys.stdin = io.TextIOWrapper(io.BytesIO(log))
done("ingest", "-", "--store", store)
assert counts()[0][1:] == (300, 300) and counts()[1:] == ALL
"""


def test_what_is_appended_or_copied_is_not_half_there(store: Path) -> None:
    script(PRELUDE + APPENDING, store)


PRUNING = """
size = (store / "harness.duckdb").stat().st_size
for room in (0, size // 2, size, size + 4096):
    code, said = command("runs", "prune", "run-1", "--store", store, room=room)
    assert code in (0, 2) and "Traceback" not in said, said
    assert code == 2 or counts() == ALL[1:]
    assert counts() in (ALL, ALL[1:]) and check_store(store).sound
    if counts() == ALL[1:]:
        break
else:
    done("runs", "prune", "run-1", "--store", store)
assert counts() == ALL[1:]
"""


def test_prune_removes_a_run_whole_or_not_at_all(store: Path) -> None:
    script(PRELUDE + PRUNING, store)


REPAIRING = """
database = store / "harness.duckdb"
content = database.read_bytes()
(store / "harness.duckdb.v1.backup").write_bytes(content)
database.write_bytes(b"damaged" * 1000)
refused("store", "repair", "--store", store, room=len(content) // 2)
assert database.read_bytes() == b"damaged" * 1000  # untouched: the next try finds it as it was
assert not list(store.glob("*.part"))
done("store", "repair", "--store", store)
assert counts() == ALL
"""


def test_repair_restores_a_backup_whole_or_not_at_all(store: Path) -> None:
    script(PRELUDE + REPAIRING, store)


QUARANTINING = """
write(store, *[an_event(n, None, request_id=f"g{n}") for n in range(3)])
(segment,) = StorePaths(store).segments()
with segment.path.open("ab") as file:
    file.write(b"".join(b"not a record %d %b\\n" % (n, b"x" * 4000) for n in range(300)))
size = (store / "harness.duckdb").stat().st_size
for room in (0, size // 2):
    refused("runs", "list", "--store", store, room=room)
done("runs", "list", "--store", store)
with open_store(store).snapshot() as view:
    assert view.rows("SELECT count(*), count(DISTINCT body) FROM quarantine") == [(300, 300)]
assert counts()[-2:] == ALL
"""


def test_a_quarantine_that_cannot_be_written_loses_no_line(store: Path) -> None:
    script(PRELUDE + QUARANTINING, store)


def harness(*arguments: object, room: int, stdout: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """`harness ARGUMENTS` in a process of its own."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    with (stdout or Path(os.devnull)).open("wb") as out:
        return subprocess.run(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.PIPE,
            preexec_fn=limit,
            timeout=100,
            check=False,
        )


def test_output_into_a_file_on_a_full_disk_is_one_sentence(store: Path, tmp_path: Path) -> None:
    for command in (["runs", "list", "--json"], ["runs", "list"]):
        done = harness(*command, "--store", store, room=100, stdout=tmp_path / "out")
        assert done.returncode == 2
        assert done.stderr.decode() == "harness: the output could not be written: File too large\n"


ALERTS = """
import resource, sys
from datetime import timedelta
from pathlib import Path
from harness.alerts import check_alerts, load_rules
from harness.alerts.webhook import Delivery
from harness.errors import StoreError, StoreFullError
from harness.outputs import replace_file
from harness.records import ProviderMode, RunKind
from harness.store import open_store
from tests.store.samples import T0, a_request, a_run, write

store, told = Path(sys.argv[1]), []

class Told:
    def send(self, event):
        told.append(event.rule)
        return Delivery(delivered=True, attempts=1)

write(store, a_run("live", kind=RunKind.SERVICE),
      *[a_request(n, "live", environment="production", provider_mode=ProviderMode.FIXTURES, draft_source="fixtures")
        for n in range(20)])
open_store(store).ingest()
at = T0 + timedelta(seconds=30)
for size in (0, 40, 200):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        check_alerts(store, load_rules(), at, webhook=Told())
    except StoreFullError as error:
        assert "\\n" not in str(error)
    else:
        raise SystemExit("a full disk was not noticed")
    assert told == [], "told before it was kept"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for _ in range(2):
    check_alerts(store, load_rules(), at, webhook=Told())
assert told == ["fixtures_in_production"], told
with open_store(store).snapshot() as view:
    assert view.rows("SELECT rule, state FROM alert_events WHERE state = 'firing'") == [
        ("fixtures_in_production", "firing")]
"""


def test_an_alert_is_told_once_and_only_when_it_is_kept(tmp_path: Path) -> None:
    script(ALERTS, tmp_path)


MIRROR = """
import resource, sys
from pathlib import Path
from harness.errors import StoreError, StoreFullError
from harness.outputs import replace_file
from harness.store.spool.mirror import SpoolMirror

line = b"x" * 99 + b"\\n"
mirror = SpoolMirror.open(Path(sys.argv[1]), "REMOTE")
assert mirror.append(0, 0, line * 10) == 1000
resource.setrlimit(resource.RLIMIT_FSIZE, (1550, resource.RLIM_INFINITY))
try:
    mirror.append(0, 1000, line * 10)
except StoreFullError:
    pass
else:
    raise SystemExit("a full disk was not noticed")
taken = mirror.append(0, 0, line)  # what is durable, as the sender learns it
assert taken == 1500, taken
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert mirror.append(0, taken, line * 5) == 2000
assert next(Path(sys.argv[1]).rglob("REMOTE*.jsonl")).read_bytes() == line * 20
"""


def test_a_remote_spool_goes_on_from_the_last_whole_line(tmp_path: Path) -> None:
    script(MIRROR, tmp_path)


LEDGER = """
import resource, sys
from pathlib import Path
from harness.emulator.ledger import Ledger, LedgerEntry

ledger = Ledger(Path(sys.argv[1]))
entry = lambda seq: LedgerEntry(seq=seq, wire="openai", received_at="2026-01-01T00:00:00Z", received_ns=0,
                                call_id=None, run_id=None)
ledger.write(entry(1))
size = Path(sys.argv[1]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
ledger.write(entry(2))
ledger.write(entry(3))
assert Path(sys.argv[1]).stat().st_size == size, "a torn line"
assert ledger.stats()["unwritten"] == 2
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ledger.write(entry(4))
assert Path(sys.argv[1]).read_bytes().count(b"\\n") == 2
"""


def test_a_ledger_with_gaps_counts_them(tmp_path: Path) -> None:
    script(LEDGER, tmp_path / "ledger.jsonl")


def test_an_evaluation_on_a_full_disk_fails_and_keeps_what_was_finished(tmp_path: Path) -> None:
    done = harness("eval", "smoke", "--store", tmp_path, "--yes", "--speed", "50", room=8_000)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr.decode()
    with open_store(tmp_path).snapshot() as view:
        (run,) = view.runs()
        assert run.kind is RunKind.EVAL
        assert run.status is RunStatus.FAILED
        rows = view.rows("SELECT count(*), count(DISTINCT request_id) FROM requests")
    assert rows[0][0] == rows[0][1]


MIGRATING = """
import resource, sys
from pathlib import Path
from harness.errors import StoreError, StoreFullError
from harness.outputs import replace_file
from harness.store import open_store
from harness.store.database import migrate
store = Path(sys.argv[1])
later = {**migrate.migrations(), migrate.known_version() + 1:
         "CREATE TABLE big AS SELECT range AS n, hash(range) AS h, md5(range::VARCHAR) AS m FROM range(300000)"}
migrate.migrations = lambda: later
size = (store / "harness.duckdb").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096, resource.RLIM_INFINITY))
try:
    open_store(store).ingest()
except StoreFullError as error:
    assert "\\n" not in str(error)
else:
    raise SystemExit("a full disk was not noticed")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
with open_store(store).snapshot() as view:
    assert view.rows("SELECT count(*) FROM requests") == [(2,)]
    assert view.rows("SELECT count(*) FROM db.big") == [(300000,)]
"""


def test_a_migration_that_runs_out_of_room_is_done_again(tmp_path: Path) -> None:
    fixture = max((ROOT / "tests" / "store" / "fixtures").glob("*.gz"))
    StorePaths(tmp_path).database.write_bytes(gzip.decompress(fixture.read_bytes()))
    script(MIGRATING, tmp_path)


def test_a_full_disk_and_a_closed_one_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="could not be written: Is a directory") as caught:
        replace_file(tmp_path / "folder", b"x")
    assert not isinstance(caught.value, StoreFullError)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
