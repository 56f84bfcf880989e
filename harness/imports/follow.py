"""Following a log as it grows: renamed away, deleted, recreated or truncated, no line is passed over."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.5
_QUIET_LOOKS = 2
"""Looks without news before a renamed log is let go: its service may not have noticed yet."""
_Mark = tuple[int, int, int, int]


def follow(path: Path, stopped: threading.Event, *, poll_s: float = POLL_S) -> Iterator[Path]:
    """Where the log can be read, each time there may be more in it.

    The file is held open: what a service writes to it after it was renamed or deleted is still read, and
    only then the new file of that name.

    Args:
        path: the log; it may appear later.
        stopped: ends it, after one last look.
        poll_s: seconds between looks.
    """
    held: int | None = None
    seen: _Mark | None = None
    quiet_looks = 0
    try:
        while True:
            last = stopped.is_set()
            if held is None:
                held, seen = _open(path), None
            if held is not None:
                now = _mark(os.fstat(held))
                quiet_looks = quiet_looks + 1 if now == seen else 0
                if now != seen:
                    seen = now
                    yield Path(f"/dev/fd/{held}")
                elif _replaced(path, held) and (last or quiet_looks >= _QUIET_LOOKS):
                    os.close(held)
                    held = None
                    continue
            if last:
                return
            stopped.wait(poll_s)
    finally:
        if held is not None:
            os.close(held)


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError:
        return None


def _mark(stat: os.stat_result) -> _Mark:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _replaced(path: Path, held: int) -> bool:
    """True when another file has the name now; a missing one may still come back."""
    try:
        there = path.stat()
    except OSError:
        return False
    mine = os.fstat(held)
    return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)
