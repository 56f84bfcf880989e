"""A file of events, one JSON object a line: what `harness ingest` reads back."""

import errno
from pathlib import Path

from harness.records import dump_json
from harness.telemetry.base import RequestEvent


class JsonlSink:
    """Appends each event as one line, written whole, so that a tailing reader never sees half of one.

    Args:
        path: the file; its folder is made if missing.

    Raises:
        OSError: the file cannot be opened for appending.
    """

    name = "jsonl"

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._torn = False

    def emit(self, event: RequestEvent) -> None:
        """Append one line; after a write that a full disk cut short, begin on a fresh one.

        Raises:
            OSError: the disk refused.
        """
        line = (b"\n" if self._torn else b"") + dump_json(event.payload()) + b"\n"
        self._torn = True
        written = self._file.write(line)
        if written != len(line):
            raise OSError(errno.ENOSPC, "the line was cut short")
        self._torn = False

    def close(self) -> None:
        """Close the file."""
        self._file.close()
