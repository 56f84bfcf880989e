"""Who may touch the database now: readers share, ingest excludes, and a waiting ingest goes next.

Readers and ingest pass one turnstile. A waiting ingest stays in it, so that readers who come later cannot
keep it out; readers leave it at once. A lock of their own tells writers from readers in the turnstile.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.store.paths import StorePaths
from harness.store.spool.writer import store_error

PATIENCE_S = 4.0
"""How long an ingest that need not wait for another gives the present readers."""
_POLL_S = 0.005


@contextmanager
def reading(paths: StorePaths) -> Iterator[None]:
    """Hold the store's lock shared; waits while an ingest is at work."""
    turnstile = _open(paths.turnstile)
    try:
        _lock(turnstile, fcntl.LOCK_EX)
        lock = _open(paths.lock)
        try:
            _lock(lock, fcntl.LOCK_SH)
            _close(turnstile)
            turnstile = None
            yield
        finally:
            _close(lock)
    finally:
        _close(turnstile)


@contextmanager
def writing(paths: StorePaths, *, wait: bool = True) -> Iterator[bool]:
    """Hold the store's lock exclusively.

    Args:
        paths: the store.
        wait: False gives up when another ingest is at work, or readers stay longer than `PATIENCE_S`.

    Yields:
        True when the lock is held; False when it was given up.
    """
    writer = _open(paths.writer_lock)
    turnstile = lock = None
    try:
        if not wait and not _try_lock(writer):
            yield False
            return
        _lock(writer, fcntl.LOCK_EX)
        turnstile = _open(paths.turnstile)
        _lock(turnstile, fcntl.LOCK_EX)
        lock = _open(paths.lock)
        if not wait and not _lock_within(lock, PATIENCE_S):
            yield False
            return
        _lock(lock, fcntl.LOCK_EX)
        _close(turnstile)
        turnstile = None
        yield True
    finally:
        for fd in (lock, turnstile, writer):
            _close(fd)


def _open(path: Path) -> int | None:
    """The lock file's descriptor; None where the folder cannot be written, as then nobody writes."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise store_error(path, error) from error
    with suppress(OSError):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return None


def _close(fd: int | None) -> None:
    if fd is not None:
        os.close(fd)


def _lock(fd: int | None, mode: int) -> None:
    if fd is not None:
        fcntl.flock(fd, mode)


def _try_lock(fd: int | None) -> bool:
    if fd is None:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_within(fd: int | None, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while not _try_lock(fd):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
