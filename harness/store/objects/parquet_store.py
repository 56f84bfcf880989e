"""Exported Parquet as a store to read."""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.store.fold.ingestion import IngestReport
from harness.store.objects.parquet_view import ParquetSource, find_parquet, parquet_snapshot
from harness.store.reader import Store
from harness.store.snapshot import Snapshot


class ParquetStore(Store):
    """What `harness export parquet` wrote, read in place; nothing can be added to it."""

    writable = False

    def __init__(self, source: ParquetSource) -> None:
        super().__init__(source.where)
        self._source = source

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """A view of the files as they are now."""
        view = parquet_snapshot(self._source)
        try:
            yield view
        finally:
            view.close()

    def ingest(self, *, wait: bool = False) -> IngestReport:  # noqa: ARG002 - as the base class
        """Nothing to do: exported files have no spools."""
        return IngestReport()


def parquet_store(where: str) -> ParquetStore | None:
    """The store at a place that holds exported Parquet; None where there is none."""
    source = find_parquet(where)
    return None if source is None else ParquetStore(source)
