"""The spool: what is acknowledged is on disk, line by line."""

import subprocess
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records import Content, Request, RequestStatus
from harness.store import Spool, StorePaths
from harness.store.spool.lines import parse_lines


def a_request(number: int, **fields: object) -> Request:
    return Request(run_id="run", request_id=f"q{number}", status=RequestStatus.OK, **fields)


def test_an_acknowledged_record_is_in_the_file(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        spool.append(a_request(1, cost_usd=Decimal("0.02886"))).result(5)
        segment = StorePaths(tmp_path).segments()[0].path
        lines = list(parse_lines(segment.read_bytes()))
    assert [line.type_name for line in lines] == ["request"]
    assert b'"cost_usd":"0.02886"' in lines[0].body


def test_closing_writes_what_is_pending(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        futures = [spool.append(a_request(number)) for number in range(500)]
    assert all(future.done() and future.exception() is None for future in futures)
    assert spool.pending == 0
    data = StorePaths(tmp_path).segments()[0].path.read_bytes()
    assert len(list(parse_lines(data))) == 500


def test_posted_records_gather_and_are_on_disk_when_the_spool_is_closed(tmp_path: Path) -> None:
    with Spool.open(tmp_path, gather_ms=60_000) as spool:  # far longer than this test may take
        for number in range(500):
            spool.post(a_request(number))
    assert spool.pending == 0
    assert spool.failed == 0
    data = StorePaths(tmp_path).segments()[0].path.read_bytes()
    assert len(list(parse_lines(data))) == 500


def test_a_gathering_commit_acknowledges_by_itself(tmp_path: Path) -> None:
    with Spool.open(tmp_path, gather_ms=20) as spool:
        spool.append(a_request(1)).result(10)
        data = StorePaths(tmp_path).segments()[0].path.read_bytes()
    assert len(list(parse_lines(data))) == 1


def test_the_owner_is_alive_until_the_spool_is_closed(tmp_path: Path) -> None:
    paths = StorePaths(tmp_path)
    with Spool.open(tmp_path) as spool:
        assert paths.owner_alive(spool.spool_id)
    assert not paths.owner_alive(spool.spool_id)
    assert not paths.owner_alive("nobody")


def test_a_closed_spool_takes_nothing(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    spool.close()
    with pytest.raises(StoreError, match="closed"):
        spool.append(a_request(1))


def test_content_needs_the_explicit_flag(tmp_path: Path) -> None:
    content = Content(
        run_id="r", request_id="q", call_id=None, kind="prompt", ts=datetime.now(UTC), text="a secret plan"
    )
    with Spool.open(tmp_path) as spool, pytest.raises(ValueError, match="store_content"):
        spool.append(content)
    with Spool.open(tmp_path, store_content=True) as spool:
        spool.append(content).result(5)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StoreError, match="cannot be written"):
        Spool.open(blocked)


def test_a_forked_child_does_not_keep_a_dead_owner_alive(tmp_path: Path) -> None:
    script = """
import os, sys, time
from pathlib import Path
from harness.store import Spool
spool = Spool.open(Path(sys.argv[1]))
if os.fork() == 0:
    print(spool.spool_id, flush=True)
    sys.stdin.read()
    os._exit(0)
os._exit(0)
"""
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        spool_id = process.stdout.readline().strip()
        process.wait(20)
        assert spool_id
        assert not StorePaths(tmp_path).owner_alive(spool_id)
        process.communicate("")


def test_threads_that_append_while_it_closes_get_an_answer(tmp_path: Path) -> None:
    for _ in range(20):
        spool = Spool.open(tmp_path)
        answered: list[bool] = []

        def work(spool: Spool = spool, answered: list[bool] = answered) -> None:
            for number in range(10_000):
                try:
                    spool.append(a_request(number)).result(20)
                except StoreError:
                    answered.append(True)
                    return

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        spool.close()
        for thread in threads:
            thread.join(30)
        assert answered == [True] * 3


UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import sys, gevent
from pathlib import Path
from harness.records import Request, RequestStatus
from harness.store import Spool
assert "duckdb" not in sys.modules and "pyarrow" not in sys.modules
ticks = []
def tick():
    while True:
        ticks.append(1); gevent.sleep(0)
with Spool.open(Path(sys.argv[1])) as spool:
    gevent.spawn(tick)
    def work(number):
        for index in range(50):
            spool.append(Request(run_id="r", request_id=f"{number}-{index}", status=RequestStatus.OK)).result(20)
    gevent.joinall([gevent.spawn(work, number) for number in range(8)], raise_error=True, timeout=30)
    seen = len(ticks)
assert seen > 100, seen
"""


def test_under_gevent_greenlets_wait_without_stopping_the_hub(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", UNDER_GEVENT, str(tmp_path)], check=True, timeout=60)
    data = StorePaths(tmp_path).segments()[0].path.read_bytes()
    assert len(list(parse_lines(data))) == 400
