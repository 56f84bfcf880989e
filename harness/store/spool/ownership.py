"""Whose a spool is: an id and a lock that its process holds for life, and that no forked child keeps."""

import fcntl
import os
from typing import Protocol
from weakref import WeakSet

from harness.records import new_id
from harness.store.paths import StorePaths, sync_directory


class Owner(Protocol):
    """What holds an owner's lock."""

    def forget(self) -> None:
        """Drop the lock in a forked child."""


def claim_id(paths: StorePaths) -> tuple[str, int]:
    """A new spool's id, and the descriptor that holds its owner's lock for as long as this process lives.

    Raises:
        OSError: the disk refused.
    """
    while True:
        spool_id = new_id()
        path = paths.owner_lock(spool_id)
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o644)
        fcntl.flock(fd, fcntl.LOCK_EX)
        try:
            ours = os.path.samestat(os.fstat(fd), path.stat())
        except FileNotFoundError:  # an ingest took it for a dead owner's before we had the lock
            ours = False
        if ours:
            sync_directory(paths.spool_dir)
            return spool_id, fd
        os.close(fd)


_OPEN: "WeakSet[Owner]" = WeakSet()
_WATCHING: list[bool] = []


def let_go_in_forks(owner: Owner) -> None:
    """See to it that a forked child does not keep the owner's lock beyond the owner's life."""
    _OPEN.add(owner)
    if not _WATCHING:
        _WATCHING.append(True)
        os.register_at_fork(after_in_child=_let_go)


def _let_go() -> None:
    for owner in list(_OPEN):
        owner.forget()
    _OPEN.clear()
