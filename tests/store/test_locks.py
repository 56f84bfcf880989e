"""Readers share, ingest excludes, a waiting ingest goes next, and nobody waits who need not."""

import fcntl
import threading
import time
from collections.abc import Callable
from pathlib import Path

from harness.store import StorePaths, ingest, open_store
from harness.store.database.locks import reading, writing
from tests.store.samples import a_run, write


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_readers_share(tmp_path: Path) -> None:
    with reading(StorePaths(tmp_path)), reading(StorePaths(tmp_path)):
        pass


def test_an_ingest_that_need_not_wait_leaves_when_another_is_at_work(tmp_path: Path) -> None:
    write(tmp_path, a_run())
    with writing(StorePaths(tmp_path)) as held:
        assert held
        assert ingest(tmp_path, wait=False).busy
    assert ingest(tmp_path, wait=False).records == 1


def test_a_waiting_ingest_goes_before_readers_who_come_later(tmp_path: Path) -> None:
    paths = StorePaths(tmp_path)
    order: list[str] = []
    reader_in, writer_waits = threading.Event(), threading.Event()
    release = threading.Event()

    def first_reader() -> None:
        with reading(paths):
            reader_in.set()
            release.wait(20)

    def writer() -> None:
        writer_waits.set()
        with writing(paths):
            order.append("ingest")

    def later_reader() -> None:
        with reading(paths):
            order.append("reader")

    threads = [in_thread(first_reader)]
    assert reader_in.wait(20)
    threads.append(in_thread(writer))
    assert writer_waits.wait(20)
    while _is_free(paths.turnstile):
        time.sleep(0.001)
    threads.append(in_thread(later_reader))
    release.set()
    for thread in threads:
        thread.join(20)
    assert order == ["ingest", "reader"]


def _is_free(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_a_store_that_nobody_can_write_is_still_read(tmp_path: Path) -> None:
    write(tmp_path, a_run())
    ingest(tmp_path)
    for lock in ("store.lock", "store.turnstile", "store.writer"):
        (tmp_path / lock).unlink(missing_ok=True)
    tmp_path.chmod(0o555)
    try:
        with open_store(tmp_path).snapshot() as view:
            assert view.run("run-1").name == "nightly"
    finally:
        tmp_path.chmod(0o755)
