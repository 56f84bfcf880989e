"""The store: a durable spool, exactly-once ingest into DuckDB, and a reader with live tails.

Producers need only `Spool`, which imports neither DuckDB nor PyArrow.
"""

from harness.store.paths import StorePaths
from harness.store.spool import Spool

__all__ = ["Spool", "StorePaths"]
