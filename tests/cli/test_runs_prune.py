from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.cli.runs.prune import age_of, prune
from harness.errors import UsageError
from harness.records import Run, RunEnd, RunKind, RunStatus
from harness.store import Spool, ingest, open_store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    with Spool.open(tmp_path) as spool:
        for name in ("old", "older"):
            spool.append(Run(run_id=f"run-{name}", kind=RunKind.BASELINE, name=name, started_at=moment))
            spool.append(RunEnd(run_id=f"run-{name}", ended_at=moment, status=RunStatus.COMPLETED))
    ingest(tmp_path)
    return tmp_path


def names(store: Path) -> set[str]:
    with open_store(store).snapshot() as view:
        return {run.name for run in view.runs()}


def test_a_dry_run_only_counts(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prune([], older_than="30d", dry_run=True, store=store)
    assert "would remove 2 runs" in capsys.readouterr().out
    assert names(store) == {"old", "older"}


def test_a_named_run_goes_and_the_other_stays(store: Path) -> None:
    prune(["older"], store=store)
    assert names(store) == {"old"}


def test_an_age_needs_its_unit() -> None:
    assert age_of("8w") == timedelta(weeks=8)
    with pytest.raises(UsageError, match="'30' is not an age"):
        age_of("30")
