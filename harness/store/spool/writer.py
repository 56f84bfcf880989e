"""Durable append: one file a process, acknowledged after fdatasync, group commit in a real thread.

A record is safe when the future of `append` resolves. The thread takes whatever has gathered, writes it with
one call and syncs once. It is an operating-system thread also where gevent has patched the process (Locust):
there the futures resolve on the hub, which is never blocked.
"""

import atexit
import errno
import os
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from select import POLLIN
from typing import Self

from harness.errors import StoreError, StoreFullError
from harness.records import Content, RunEnd
from harness.store.paths import StorePaths
from harness.store.spool.codec import TYPE_NAMES, Record, encode_json, encode_line, json_object
from harness.store.spool.ownership import claim_id, let_go_in_forks
from harness.store.spool.real_thread import Settled, real_function, resolver
from harness.store.spool.redact import Redactor
from harness.store.spool.segment import SegmentFile, release_reserve, reserve_space

SEGMENT_BYTES = 64 * 1024 * 1024
"""A longer file is sealed and a new one begun, so that a long-lived service's past can be deleted."""


@dataclass(slots=True)
class _Entry:
    data: bytes
    records: int
    last_words: bool
    future: Future[None] | None


class Spool:
    """One process's append-only spool. Open with `Spool.open`; safe to use from threads and greenlets."""

    def __init__(
        self,
        paths: StorePaths,
        spool_id: str,
        lock_fd: int,
        *,
        store_content: bool,
        redactor: Redactor,
        gather_ms: float,
    ) -> None:
        self.spool_id = spool_id
        self.stores_content = store_content
        self._gather_ms = gather_ms
        self.failed = 0
        self.failure: StoreError | None = None
        self._redactor = redactor
        self._paths = paths
        self._lock_fd = lock_fd
        self._pid = os.getpid()
        self._segment = SegmentFile.create(paths.segment(spool_id, 0))
        self._segment_number = 0
        self._queue: deque[_Entry | None] = deque()
        self._pending = 0
        self._lock = real_function("_thread", "allocate_lock")()
        self._closed = False
        self._finished = False
        self._awake = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._resolve = resolver()
        reserve_space(paths, spool_id)
        real_function("_thread", "start_new_thread")(self._work, ())
        atexit.register(self.close)

    @classmethod
    def open(
        cls,
        store_dir: Path,
        *,
        store_content: bool = False,
        redactor: Redactor | None = None,
        gather_ms: float = 0,
    ) -> Self:
        """Begin a new spool in the store's folder, which is made if missing.

        Args:
            store_dir: the store's folder.
            store_content: whether prompts and outputs (`Content`) may be written.
            redactor: masks secrets in every record; None takes this process's variables.
            gather_ms: how long a commit waits for company. A writer that waits for nobody's acknowledgement
                saves syncs by it; the loss window of a killed process grows by as much.

        Raises:
            StoreFullError: the disk has no room for it.
            StoreError: the folder cannot be written.
            ConfigError: the file of patterns to mask is wrong.
        """
        mask = Redactor.from_environment() if redactor is None else redactor
        paths = StorePaths(Path(store_dir))
        lock_fd = None
        try:
            paths.spool_dir.mkdir(parents=True, exist_ok=True)
            spool_id, lock_fd = claim_id(paths)
            spool = cls(
                paths, spool_id, lock_fd, store_content=store_content, redactor=mask, gather_ms=gather_ms
            )
        except OSError as error:
            if lock_fd is not None:
                paths.owner_lock(spool_id).unlink(missing_ok=True)
                os.close(lock_fd)
            raise store_error(paths.spool_dir, error) from error
        let_go_in_forks(spool)
        return spool

    @property
    def pending(self) -> int:
        """Records handed over but not yet durable."""
        return self._pending

    def append(self, record: Record) -> Future[None]:
        """Hand one record over; the future resolves when it is durable, or raises StoreFullError.

        Raises:
            ValueError: a value that the tables cannot hold, or content in a spool not opened for it.
            StoreError: the spool is closed.
        """
        return self.append_many((record,))

    def append_many(self, records: Iterable[Record]) -> Future[None]:
        """Hand several records over under one future. A crash may keep a part of them, each whole."""
        batch = list(records)
        data = b"".join([self._encode(record) for record in batch])
        future: Future[None] = Future()
        last_words = any(isinstance(record, RunEnd) for record in batch)
        self._enqueue(_Entry(data, len(batch), last_words, future))
        return future

    def post(self, record: Record) -> None:
        """Hand one record over without a future; one that finds no room is counted in `failed`.

        A future costs as much as all the rest of a record, and a load generator would wait for none.

        Raises:
            ValueError, StoreError: as `append`.
        """
        self._enqueue(_Entry(self._encode(record), 1, isinstance(record, RunEnd), None))

    def close(self) -> None:
        """Write what is pending, then give the lock up; a second call does nothing."""
        if self._pid != os.getpid():
            return
        atexit.unregister(self.close)
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.append(None)
                self._awake = False
                self._wake()
        while not self._finished:
            time.sleep(0.001)  # cooperative under gevent, where it lets the hub run

    def forget(self) -> None:
        """In a forked child: drop the inherited lock, which stays the parent's."""
        if self._pid != os.getpid() and not self._finished:
            self._finished = True
            os.close(self._lock_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _encode(self, record: Record) -> bytes:
        if isinstance(record, Content) and not self.stores_content:
            raise ValueError("this spool was opened without store_content: it takes no prompts or outputs")
        type_name = TYPE_NAMES[type(record)]
        row = json_object(record)
        encoded = encode_json(row)
        masked = self._redactor.row(type_name, row, encoded)
        return encode_line(type_name, encoded if masked is None else encode_json(masked))

    def _enqueue(self, entry: _Entry) -> None:
        with self._lock:  # nothing is queued after the end: nobody would answer it
            if self._closed or self._pid != os.getpid():
                raise StoreError(f"spool {self.spool_id} is closed, or belongs to the process that opened it")
            self._pending += entry.records
            self._queue.append(entry)
            self._wake()

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            with suppress(BlockingIOError):  # the pipe is full of wake-ups: the thread will come
                os.write(self._wake_write, b"!")

    def _work(self) -> None:
        """The thread: everything gathered so far, one write, one sync, then the acknowledgements."""
        stop = False
        more = real_function("select", "poll")()
        more.register(self._wake_read, POLLIN)
        while not stop:
            os.read(self._wake_read, 4096)
            if self._gather_ms:
                more.poll(self._gather_ms)  # only the end wakes again before the commit
            self._awake = False
            entries = []
            while self._queue:
                entry = self._queue.popleft()
                if entry is None:
                    stop = True
                else:
                    entries.append(entry)
            if entries:
                self._answer(entries)
        self._segment.close()
        release_reserve(self._paths, self.spool_id)
        os.close(self._lock_fd)
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._finished = True

    def _answer(self, entries: list[_Entry]) -> None:
        try:
            if done := self._commit(entries):
                self._resolve(done)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: whoever waits must get an answer
            self.failure = StoreError(f"{self._segment.path}: cannot be written ({error})")
            self.failed += sum(entry.records for entry in entries)  # none is known to be durable
            waiting = [entry.future for entry in entries if entry.future is not None]
            self._resolve([(future, self.failure) for future in waiting if not future.done()])

    def _commit(self, entries: list[_Entry]) -> Settled:
        durable, error = self._segment.append([entry.data for entry in entries])
        done: Settled = []
        for index, entry in enumerate(entries):
            problem: StoreError | None = None
            if index >= durable and error is not None and not (entry.last_words and self._last_words(entry)):
                problem = store_error(self._segment.path, error)
                self.failed += entry.records
                self.failure = problem
            if entry.future is not None:
                done.append((entry.future, problem))
        with self._lock:
            self._pending -= sum(entry.records for entry in entries)
        if self._segment.size >= SEGMENT_BYTES:
            self._roll()
        return done

    def _last_words(self, entry: _Entry) -> bool:
        """Write a run's end on a full disk: into a fresh segment, in the room kept for it."""
        release_reserve(self._paths, self.spool_id)
        if not self._roll():
            return False
        durable, _ = self._segment.append([entry.data])
        return durable == 1

    def _roll(self) -> bool:
        try:
            segment = SegmentFile.create(self._paths.segment(self.spool_id, self._segment_number + 1))
        except OSError:  # no room for a new file: stay with this one
            return False
        self._segment.close()
        self._segment = segment
        self._segment_number += 1
        return True


def store_error(path: Path, error: OSError) -> StoreError:
    """The one sentence for a refused write."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return StoreFullError(f"{path}: the disk refused a write ({reason}); what was acknowledged is safe")
    return StoreError(f"{path}: cannot be written ({reason})")
