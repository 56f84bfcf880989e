"""The ingest that goes on beside a run, so that others can look while it runs."""

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from harness.errors import StoreError

INGEST_EVERY_S = 1.0
MOST_SHARE = 0.05
"""Of the run's time. Whoever looks meanwhile sees all the same: readers take the spools' tails in."""
LOW_PRIORITY = 10
"""Of the ingest beside a run: it must not make the generator late."""


class Ingestion:
    """Moves records into the database every second or, where that takes long, less often, beside the run.

    A failure waits for the end's ingest.
    """

    def __init__(self, store_dir: Path) -> None:
        self._store_dir = store_dir
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ingest", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the ingest that is going on."""
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        if sys.platform == "linux":  # where a priority belongs to a thread; DuckDB's own threads inherit it
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)
        from harness.store import ingest  # noqa: PLC0415 - DuckDB loads beside the run, not before it

        pause_s = INGEST_EVERY_S
        while not self._ended.wait(pause_s):
            begun = time.monotonic()
            with suppress(StoreError):  # said by the last ingest, which is not left out
                ingest(self._store_dir, wait=False)
            pause_s = max(INGEST_EVERY_S, (time.monotonic() - begun) / MOST_SHARE)
