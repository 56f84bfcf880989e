"""A remote process's spool, kept here byte for byte: what arrives twice is written once.

The sender ships its file from an offset on and goes on from the offset that comes back, which is durable.
To ingest, the mirror is a spool like any other, and it lives as long as this process holds its lock.
"""

import fcntl
import os
from pathlib import Path
from typing import Self

from harness.errors import StoreError
from harness.store.paths import StorePaths, sync_directory
from harness.store.spool.segment import SegmentFile
from harness.store.spool.writer import store_error


class SpoolMirror:
    """The copy of one remote spool; open with `SpoolMirror.open`."""

    def __init__(self, paths: StorePaths, spool_id: str, lock_fd: int) -> None:
        self.spool_id = spool_id
        self._paths = paths
        self._lock_fd = lock_fd
        self._segments: dict[int, SegmentFile] = {}

    @classmethod
    def open(cls, store_dir: Path, spool_id: str) -> Self:
        """Begin the copy.

        Raises:
            StoreError: the id is no spool's, is taken here already, or the folder cannot be written.
        """
        if not spool_id.isalnum() or not spool_id.isascii() or len(spool_id) > 64:
            raise StoreError("a remote spool has an id that cannot be a file name")
        paths = StorePaths(Path(store_dir))
        try:
            paths.spool_dir.mkdir(parents=True, exist_ok=True)
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
            fd = os.open(paths.owner_lock(spool_id), flags, 0o644)
            fcntl.flock(fd, fcntl.LOCK_EX)
            sync_directory(paths.spool_dir)
        except OSError as error:
            raise store_error(paths.spool_dir, error) from error
        return cls(paths, spool_id, fd)

    def append(self, segment: int, offset: int, data: bytes) -> int:
        """Take a chunk of whole lines that begins at `offset` of a segment.

        Returns:
            How much of the segment is durable here; a chunk that does not begin there changes nothing.

        Raises:
            StoreError: the disk refused, or the chunk is not whole lines.
        """
        if not data.endswith(b"\n"):
            raise StoreError("a chunk of a remote spool does not end at a line's end")
        try:
            if segment not in self._segments:
                path = self._paths.segment(self.spool_id, segment)
                self._segments[segment] = SegmentFile.create(path)
        except OSError as error:
            raise store_error(self._paths.spool_dir, error) from error
        file = self._segments[segment]
        if offset == file.size:
            _, problem = file.append([data])
            if problem is not None:
                raise store_error(file.path, problem) from problem
        return file.size

    def close(self) -> None:
        """Give the lock up: nothing more will come."""
        for file in self._segments.values():
            file.close()
        self._segments.clear()
        os.close(self._lock_fd)
