"""Reading the store: one snapshot a page, and its answers kept until the store's files change."""

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import streamlit as st

from harness.store import Snapshot, StorePaths, open_store

P = ParamSpec("P")
T = TypeVar("T")

KEPT_ANSWERS = 256
"""Answers kept over all sessions; each is an aggregate of a few kilobytes."""

HELD_S = 1.0
"""After so long a page's next read takes a new snapshot, so that no ingest waits for a whole slow page."""


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
    """The answer of a query over the store as it is now; inside `one_view`, as its page sees it.

    The query takes a snapshot and hashable values; its answer is shared between sessions, never changed.

    Raises:
        StoreError: there is no usable store.
    """
    with one_view() as page:
        return page.read(query, *args, **kwargs)


@contextmanager
def one_view() -> Iterator["PageView"]:
    """All reads inside share one snapshot: what they have in common is worked out once, of one moment."""
    outer = _page.get()
    if outer is not None:
        yield outer
        return
    page = PageView()
    token = _page.set(page)
    try:
        yield page
    finally:
        _page.reset(token)
        page.close()


class PageView:
    """The moment of the store that a page shows. Opens a snapshot when an answer is not known yet."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self._view: Snapshot | None = None
        self._opened_s = 0.0
        self._moment: tuple[object, ...] = ()

    def read(self, query: Callable[Concatenate[Snapshot, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As the function `read`."""
        where = store_dir()
        if self._view is not None and time.monotonic() - self._opened_s > HELD_S:
            self.close()
        if not self._moment:
            # Taken before the reads: a change in between makes the next page fresh, never this one stale.
            self._moment = (where, fingerprint(StorePaths(where)))
        key = (*self._moment, query, args, tuple(sorted(kwargs.items())))
        memo = _memo()
        known, answer = memo.get(key)
        if not known:
            answer = query(self._opened(where), *args, **kwargs)
            memo.put(key, answer)
        return cast("T", answer)

    def close(self) -> None:
        """Let an ingest go on; the next read looks anew."""
        self._held.close()
        self._view, self._moment = None, ()

    def _opened(self, where: Path) -> Snapshot:
        if self._view is None:
            key = (*self._moment, open_store)
            known, store = _memo().get(key)
            if not known:
                store = open_store(where)
                _memo().put(key, store)
            self._view = self._held.enter_context(store.snapshot())
            if (where, fingerprint(StorePaths(where))) == self._moment:  # nothing changed meanwhile
                self._view.share(_shared(self._moment))
            self._opened_s = time.monotonic()
        return self._view


def _shared(moment: tuple[object, ...]) -> dict[str, Any]:
    """What the snapshots of one moment have worked out in common."""
    key = (*moment, Snapshot.share)
    known, shared = _memo().get(key)
    if not known:
        shared = {}
        _memo().put(key, shared)
    return cast("dict[str, Any]", shared)


_page: ContextVar[PageView | None] = ContextVar("page", default=None)


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
