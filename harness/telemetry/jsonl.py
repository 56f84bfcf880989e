"""A file of events, one JSON object a line: what `harness ingest` reads back."""

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

    def emit(self, event: RequestEvent) -> None:
        """Append one line."""
        self._file.write(dump_json(event.payload()) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
