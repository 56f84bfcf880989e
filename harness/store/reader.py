"""Opening a store for reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import StoreMissingError
from harness.store.ingestion import IngestReport, ingest
from harness.store.locks import reading, writing
from harness.store.migrate import known_version, make_current, schema_version
from harness.store.paths import StorePaths
from harness.store.snapshot import Snapshot


class Store:
    """A store that exists. Holds nothing open: each snapshot opens, reads and closes."""

    def __init__(self, paths: StorePaths) -> None:
        self._paths = paths

    @property
    def path(self) -> Path:
        """The store's folder."""
        return self._paths.root

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One consistent view, live tails included; ingest waits until it is closed, so keep it short.

        Raises:
            StoreDamagedError, StoreTooNewError, StoreError: the database cannot be used.
        """
        with reading(self._paths):
            view = Snapshot(self._paths)
            try:
                yield view
            finally:
                view.close()

    def ingest(self, *, wait: bool = False) -> IngestReport:
        """Move what the spools hold into the database; see `ingestion`."""
        return ingest(self._paths.root, wait=wait)


def open_store(store_dir: Path | str) -> Store:
    """A store to read from. An older schema is migrated first, behind a backup.

    Raises:
        StoreMissingError: no folder, or neither database nor spool in it.
        StoreDamagedError, StoreTooNewError: the database cannot be used.
    """
    paths = StorePaths(Path(store_dir))
    if not paths.root.is_dir():
        raise StoreMissingError(f"there is no store at {paths.root}; `harness demo` makes one")
    has_database = paths.database.exists()
    if not has_database and not paths.segments():
        raise StoreMissingError(f"the store at {paths.root} is empty; `harness demo` fills it")
    if has_database:
        with reading(paths):
            version = schema_version(paths)
        if version < known_version():
            with writing(paths):
                make_current(paths)
    return Store(paths)
