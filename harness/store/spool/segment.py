"""One spool file: append whole lines and sync, or cut back to the last whole line and say what failed."""

import os
from pathlib import Path
from typing import Self

from harness.store.paths import StorePaths, sync_directory

RESERVE_BYTES = 64 * 1024
"""Room kept aside so that a run's end can be written on a full disk."""

_sync = getattr(os, "fdatasync", os.fsync)


class SegmentFile:
    """An append-only file that always ends at a line's end, whatever the disk did."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.size = 0
        self._fd = fd
        self._broken: OSError | None = None

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new file, exclusively, its name durable.

        Raises:
            OSError: the disk refused.
        """
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
        sync_directory(path.parent)
        return cls(path, fd)

    def append(self, pieces: list[bytes]) -> tuple[int, OSError | None]:
        """Write pieces of whole lines and sync.

        Returns:
            How many pieces, from the first, are durable, and the error that stopped the rest.
        """
        if self._broken is not None:
            return 0, self._broken
        start = self.size
        error = self._write(b"".join(pieces))
        try:
            _sync(self._fd)
        except OSError as sync_error:
            # Linux drops what it could not write: after a failed sync nothing here can be trusted again.
            self._broken = sync_error
            return 0, sync_error
        if error is None:
            return len(pieces), None
        durable = 0
        for piece in pieces:
            start += len(piece)
            if start > self.size:
                break
            durable += 1
        return durable, error

    def close(self) -> None:
        """Close the file; it is sealed."""
        os.close(self._fd)

    def _write(self, data: bytes) -> OSError | None:
        """Write all, or cut the torn line. Whole lines stay: a reader may have taken them already."""
        view = memoryview(data)
        written = 0
        while written < len(data):
            try:
                written += os.write(self._fd, view[written:])
            except OSError as error:
                whole = data.rfind(b"\n", 0, written) + 1
                self._cut(self.size + whole)
                return error
        self.size += written
        return None

    def _cut(self, size: int) -> None:
        try:
            os.ftruncate(self._fd, size)
            self.size = size
        except OSError as error:
            self._broken = error


def reserve_space(paths: StorePaths, spool_id: str) -> None:
    """Keep `RESERVE_BYTES` aside; a disk that cannot is left without, as nothing depends on it."""
    path = _reserve(paths, spool_id)
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    except OSError:
        return
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, RESERVE_BYTES)
        else:
            os.write(fd, bytes(RESERVE_BYTES))
    except OSError:
        path.unlink(missing_ok=True)
    finally:
        os.close(fd)


def release_reserve(paths: StorePaths, spool_id: str) -> None:
    """Give the kept room back to the disk."""
    _reserve(paths, spool_id).unlink(missing_ok=True)


def _reserve(paths: StorePaths, spool_id: str) -> Path:
    return paths.spool_dir / f"{spool_id}.reserve"
