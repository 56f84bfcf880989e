"""The store: a durable spool, exactly-once ingest into DuckDB, and a reader with live tails.

Producers need only `Spool`, which imports neither DuckDB nor PyArrow; the other names load them when used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.store.paths import StorePaths
from harness.store.spool.redact import Redactor
from harness.store.spool.writer import Spool

if TYPE_CHECKING:
    from harness.store.database.typed import StoredRun
    from harness.store.fold.ingestion import IngestReport, ingest
    from harness.store.log_ingest import LogReport, ingest_events
    from harness.store.reader import Store, open_store
    from harness.store.snapshot import Snapshot
    from harness.store.upkeep.prune import PruneReport, prune_runs

__all__ = [
    "IngestReport",
    "LogReport",
    "PruneReport",
    "Redactor",
    "Snapshot",
    "Spool",
    "Store",
    "StorePaths",
    "StoredRun",
    "ingest",
    "ingest_events",
    "open_store",
    "prune_runs",
]

_HOMES = {
    "IngestReport": "fold.ingestion",
    "LogReport": "log_ingest",
    "PruneReport": "upkeep.prune",
    "Snapshot": "snapshot",
    "Store": "reader",
    "StoredRun": "database.typed",
    "ingest": "fold.ingestion",
    "ingest_events": "log_ingest",
    "open_store": "reader",
    "prune_runs": "upkeep.prune",
}


def __getattr__(name: str) -> Any:
    """Load a reading or ingesting name, and with it DuckDB, on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'harness.store' has no attribute '{name}'")
    return getattr(import_module(f"harness.store.{_HOMES[name]}"), name)
