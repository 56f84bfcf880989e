"""Where things lie in a store's folder, and who is alive in it."""

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path

_SEGMENT = re.compile(r"^(?P<spool>[0-9a-z]+)(?:\.(?P<number>[0-9]{6}))?\.jsonl$")


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a spool: `<spool id>.jsonl`, then `<spool id>.000001.jsonl` and so on."""

    path: Path
    spool_id: str
    number: int


@dataclass(frozen=True, slots=True)
class StorePaths:
    """The layout of one store. Nothing here touches the disk until a method says so."""

    root: Path

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.root / "harness.duckdb"

    @property
    def spool_dir(self) -> Path:
        """Where producers append."""
        return self.root / "spool"

    @property
    def lock(self) -> Path:
        """Shared by readers, exclusive for ingest."""
        return self.root / "store.lock"

    @property
    def turnstile(self) -> Path:
        """Where a waiting ingest stops new readers."""
        return self.root / "store.turnstile"

    @property
    def writer_lock(self) -> Path:
        """Held by whoever writes the database, also while waiting for its readers."""
        return self.root / "store.writer"

    def segment(self, spool_id: str, number: int) -> Path:
        """The file of one segment."""
        middle = f".{number:06d}" if number else ""
        return self.spool_dir / f"{spool_id}{middle}.jsonl"

    def owner_lock(self, spool_id: str) -> Path:
        """The file whose flock says that the spool's process lives."""
        return self.spool_dir / f"{spool_id}.lock"

    def segments(self) -> list[Segment]:
        """All spool files, oldest spool first, segments in order; other files are not ours and are left."""
        try:
            names = [path.name for path in self.spool_dir.iterdir()]
        except FileNotFoundError:
            return []
        found = []
        for name in names:
            match = _SEGMENT.match(name)
            if match:
                number = int(match["number"] or 0)
                found.append(Segment(self.spool_dir / name, match["spool"], number))
        return sorted(found, key=lambda segment: (segment.spool_id, segment.number))

    def owner_alive(self, spool_id: str) -> bool:
        """True while the process that opened the spool lives; a free or missing lock means it is gone."""
        try:
            fd = os.open(self.owner_lock(spool_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False


def sync_directory(path: Path) -> None:
    """Make the names in a folder durable: a new file survives a power cut only after this."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
