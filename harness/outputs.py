"""Files for people and programs, written whole or not at all; a full disk is one sentence."""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from harness.errors import StoreError, StoreFullError

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def disk_is_full(error: OSError) -> bool:
    """True when it was room that a write lacked."""
    return error.errno in _FULL


def refused(what: str, error: OSError) -> StoreError:
    """The one sentence for a write that failed.

    Args:
        what: which file.
        error: what the system said.
    """
    kind = StoreFullError if disk_is_full(error) else StoreError
    return kind(f"{what} could not be written: {error.strerror or error}")


def replace_file(path: Path, content: bytes) -> None:
    """Write one file; errors as `replace_files`."""
    replace_files({path: content})


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write files that belong together: all are on the disk under other names before the first is replaced.

    Args:
        contents: bytes by path; folders are made.

    Raises:
        StoreError: a file cannot be written; what stood there before still does.
        StoreFullError: for lack of room.
    """
    drafts: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            drafts[path] = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            drafts[path].write_bytes(content)
        for path, draft in drafts.items():
            draft.replace(path)
    except OSError as error:
        raise refused(str(path), error) from error
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink()


def append_whole(path: Path, content: bytes) -> None:
    """Append to a file, or leave it as long as it was.

    Raises:
        StoreError: it cannot be written.
        StoreFullError: for lack of room.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise refused(str(path), error) from error
    try:
        write_whole(fd, content)
    except OSError as error:
        raise refused(str(path), error) from error
    finally:
        os.close(fd)


def write_whole(fd: int, content: bytes) -> None:
    """Write all to the end of a file that no one else writes, or cut off what was written of it.

    Raises:
        OSError: the system refused.
    """
    start = os.fstat(fd).st_size
    view = memoryview(content)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError:
        with suppress(OSError):  # a pipe cannot be cut
            os.ftruncate(fd, start)
        raise
