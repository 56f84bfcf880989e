"""Reading the store: one snapshot a query, and its answer kept until the store's files change."""

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import duckdb
import streamlit as st

from harness.store import Snapshot, StorePaths, open_store
from harness.store.migrate import database_error

P = ParamSpec("P")
T = TypeVar("T")

KEPT_ANSWERS = 256
"""Answers kept over all sessions; each is an aggregate of a few kilobytes."""


def store_dir() -> Path:
    """The store that this dashboard was started on."""
    return Path(os.environ.get("HARNESS_STORE") or "results")


def shown_path(path: Path) -> str:
    """As a person would write it: from the folder in which the command was given, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def fingerprint(paths: StorePaths) -> tuple[object, ...]:
    """Changes whenever a reader could see something else: a file, or who of its owners is alive."""
    parts: list[object] = []
    for path in (paths.database, *(segment.path for segment in paths.segments())):
        try:
            found = path.stat()
            parts.append((path.name, found.st_mtime_ns, found.st_size))
        except OSError:
            parts.append((path.name, None, None))
    locks = sorted(paths.spool_dir.glob("*.lock")) if paths.spool_dir.is_dir() else []
    parts += [(lock.name, paths.owner_alive(lock.stem)) for lock in locks]
    return tuple(parts)


def read(query: Callable[Concatenate[Snapshot, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer of a query over the store as it is now.

    The query takes a snapshot and hashable values; its answer is shared between sessions, never changed.

    Raises:
        StoreError: there is no usable store.
    """
    where = store_dir()
    paths = StorePaths(where)
    # Taken before the read: a change in between makes the next read fresh, never this one stale for good.
    key = (where, fingerprint(paths), query, args, tuple(sorted(kwargs.items())))
    memo = _memo()
    known, answer = memo.get(key)
    if known:
        return cast("T", answer)
    try:
        with open_store(where).snapshot() as view:
            answer = query(view, *args, **kwargs)
    except duckdb.Error as error:
        raise database_error(paths.database, error) from error
    memo.put(key, answer)
    return answer


class Memo:
    """The most recently used answers; safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[Any, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Any) -> tuple[bool, Any]:
        """Whether it is there, and what it is."""
        with self._lock:
            if key not in self._answers:
                return False, None
            self._answers.move_to_end(key)
            return True, self._answers[key]

    def put(self, key: Any, answer: Any) -> None:
        """Keep an answer; the least recently used makes room."""
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _memo() -> Memo:
    return Memo(KEPT_ANSWERS)
