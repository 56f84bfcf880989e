"""`harness store` and `harness export`, as a user runs them."""

import json
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from harness.cli.dashboard import app as dashboard_app
from harness.errors import StoreMissingError
from harness.store import StorePaths, ingest
from tests.store.samples import a_request, a_run, an_event, write


def harness(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_check_repair_and_stats(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write(store, a_run(), a_request(1), an_event(1))
    where = ("--store", str(store))
    stats = json.loads(harness("store", "stats", "--json", *where).stdout)
    assert (stats["rows"]["requests"], stats["spools"]["lines"]) == (1, 3)
    assert harness("store", "check", *where).returncode == 0
    assert "3 records moved" in harness("store", "repair", *where).stdout
    StorePaths(store).database.write_bytes(b"x" * 9000)
    broken = harness("store", "check", *where)
    assert broken.returncode == 2
    assert broken.stderr.count("\n") == 1
    assert "Traceback" not in broken.stderr


def test_export_csv_to_standard_output_and_parquet_to_a_folder(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write(store, a_run(), a_request(1), an_event(1))
    ingest(store)
    printed = harness("export", "csv", "requests", "--run", "latest", "--store", str(store))
    assert printed.stdout.startswith("run_id,request_id,status")
    assert "0.0288600000" in printed.stdout
    done = harness("export", "parquet", str(tmp_path / "out"), "--store", str(store))
    assert done.returncode == 0, done.stderr
    assert "1 requests" in done.stdout
    missing = harness("export", "csv", "requests", "--store", str(tmp_path / "nowhere"))
    assert missing.returncode == 2
    assert missing.stderr.count("\n") == 1


def test_a_misspelt_store_starts_no_dashboard_and_names_what_is_there(tmp_path):
    (tmp_path / "results" / "spool").mkdir(parents=True)
    result = CliRunner().invoke(dashboard_app, ["--store", str(tmp_path / "typo")])
    assert isinstance(result.exception, StoreMissingError)
    assert str(result.exception) == f"there is no store at {tmp_path / 'typo'}; beside it: results"
    assert result.exception.exit_code == 2
