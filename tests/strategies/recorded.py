"""Recorded runs in memory, folded as an ingest would, ready to be looked at."""

from datetime import UTC, datetime, timedelta

from harness.figures.sides import sides_of
from harness.records import ProviderMode, Run, RunKind, RunStatus
from harness.records.run import RunEnd
from harness.store.database.memory_view import records_snapshot

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run_of(run_id="run-1", *, status=RunStatus.COMPLETED, kind=RunKind.EVAL, **changes):
    """A run and its end."""
    fields = {"name": run_id, "started_at": AT, "provider_mode": ProviderMode.EMULATED} | changes
    end = RunEnd(run_id=run_id, ended_at=AT + timedelta(minutes=9), status=status)
    return [Run(run_id=run_id, kind=kind, **fields), end]


def snapshot(*records):
    """A store of these runs, requests and calls."""
    return records_snapshot(records, "test")


def sides(*records, selection=None):
    """The sides of all runs among the records, in the order given."""
    view = snapshot(*records)
    runs = [record.run_id for record in records if isinstance(record, Run)]
    return [side for run in runs for side in sides_of(view, view.run(run), selection=selection)]
