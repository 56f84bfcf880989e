from pathlib import Path

import pytest

from harness.store import ingest_events
from tests.alerts.day import write_day


@pytest.fixture(scope="session")
def day_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the synthetic day; read only."""
    folder = tmp_path_factory.mktemp("day")
    ingest_events(folder / "store", write_day(folder / "day.jsonl"))
    return folder / "store"
