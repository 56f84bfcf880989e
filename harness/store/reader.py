"""Opening a store for reading: a folder with a database and spools, or Parquet wherever it lies."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import StoreMissingError
from harness.store.database.live_view import live_snapshot
from harness.store.database.locks import reading, writing
from harness.store.database.migrate import known_version, make_current, schema_version
from harness.store.fold.ingestion import IngestReport, ingest
from harness.store.paths import StorePaths
from harness.store.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd


class Store:
    """A store that exists. Holds nothing open: each snapshot opens, reads and closes."""

    writable = True
    """False where nothing can be added, not even a verdict."""

    def __init__(self, where: str) -> None:
        self._where = where

    @property
    def path(self) -> Path:
        """The store's folder; of a store elsewhere, its address."""
        return Path(self._where)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One consistent view, live tails included; ingest waits until it is closed, so keep it short.

        Raises:
            StoreDamagedError, StoreTooNewError, StoreError: the store cannot be used.
        """
        paths = StorePaths(self.path)
        with reading(paths):
            view = live_snapshot(paths)
            try:
                yield view
            finally:
                view.close()

    def ingest(self, *, wait: bool = False) -> IngestReport:
        """Move what the spools hold into the database; see `ingestion`."""
        return ingest(self.path, wait=wait)

    def query(self, sql: str, params: Sequence[Any] = ()) -> "pd.DataFrame":
        """One SQL query over the tables as a pandas frame.

        Columns are Arrow-backed: money stays Decimal, unknown stays NA, moments carry UTC.

        Args:
            sql: a DuckDB query over `runs, requests, calls, grades, events, gate_results, alert_events`.
            params: values for its `?` marks.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that only notebooks need

        with self.snapshot() as view:
            frame: pd.DataFrame = view.arrow(sql, params).to_pandas(types_mapper=pd.ArrowDtype)
        return frame

    def runs(self) -> "pd.DataFrame":
        """All runs, latest first."""
        return self.query("FROM runs ORDER BY started_at DESC")

    def requests(self, run: str | None = None) -> "pd.DataFrame":
        """Requests, one a row, warm-ups included (column `warmup`).

        Args:
            run: `latest`, a run's id, name or unique beginning of an id; None gives those of all runs.

        Raises:
            UnknownRunError: there is no such run.
        """
        return self._of_run("requests", run)

    def calls(self, run: str | None = None) -> "pd.DataFrame":
        """Calls to providers, one attempt a row; `run` as in `requests`."""
        return self._of_run("calls", run)

    def _of_run(self, table: str, run: str | None) -> "pd.DataFrame":
        if run is None:
            return self.query(f"FROM {table} ORDER BY started_at")
        with self.snapshot() as view:
            run_id = view.run(run).run_id
        return self.query(f"FROM {table} WHERE run_id = ? ORDER BY started_at", [run_id])


def open_store(store_dir: Path | str) -> Store:
    """A store to read from. An older schema is migrated first, behind a backup.

    Args:
        store_dir: a store's folder, a folder of exported Parquet, or its address (`s3://bucket/path`).

    Raises:
        StoreMissingError: nothing there, or neither database nor spool nor Parquet in it.
        StoreDamagedError, StoreTooNewError: the database cannot be used.
    """
    paths = StorePaths(Path(store_dir))
    has_database = paths.database.exists()
    if not has_database and not paths.segments():
        from harness.store.objects.parquet_store import parquet_store  # noqa: PLC0415 - data sets load pandas, 0.3 s

        exported = parquet_store(str(store_dir))
        if exported is not None:
            return exported
        if not paths.root.is_dir():
            raise no_store_at(paths.root)
        raise StoreMissingError(f"the store at {store_dir} is empty; `harness demo` fills it")
    if has_database:
        with reading(paths):
            version = schema_version(paths)
        if version < known_version():
            with writing(paths):
                make_current(paths)
    return Store(str(paths.root))


def no_store_at(root: Path) -> StoreMissingError:
    """The sentence for a folder that is not there, with the stores that lie beside it."""
    try:
        beside = sorted(entry for entry in root.absolute().parent.iterdir() if entry.is_dir())
    except OSError:
        beside = []
    found = [
        entry.name for entry in beside if (entry / "harness.duckdb").exists() or (entry / "spool").is_dir()
    ]
    named = f"; beside it: {', '.join(found[:5])}" if found else "; `harness demo` makes one"
    return StoreMissingError(f"there is no store at {root}{named}")
