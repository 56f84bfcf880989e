"""A mirrored spool: every byte once, whatever is sent twice."""

import pytest

from harness.clock import SYSTEM_CLOCK
from harness.errors import StoreError
from harness.records import Request, RequestStatus, Run, RunKind
from harness.store import Spool, StorePaths, ingest, open_store
from harness.store.spool.mirror import SpoolMirror


def remote_spool(folder):
    with Spool.open(folder) as spool:
        spool.append(Run(run_id="r", kind=RunKind.BASELINE, name="r", started_at=SYSTEM_CLOCK.now()))
        for seq in range(5):
            spool.append(Request(run_id="r", request_id=f"r-{seq}", seq=seq, status=RequestStatus.OK))
    return spool.spool_id, StorePaths(folder).segment(spool.spool_id, 0).read_bytes()


def test_chunks_sent_twice_or_out_of_place_change_nothing(tmp_path):
    spool_id, data = remote_spool(tmp_path / "remote")
    lines = data.splitlines(keepends=True)
    first, rest = b"".join(lines[:3]), b"".join(lines[3:])
    mirror = SpoolMirror.open(tmp_path / "here", spool_id)
    assert mirror.append(0, 0, first) == len(first)
    assert mirror.append(0, 0, first) == len(first)
    assert mirror.append(0, len(data), rest) == len(first)
    ingest(tmp_path / "here")  # it is alive: what has arrived is taken, the rest is waited for
    assert mirror.append(0, len(first), rest) == len(data)
    mirror.close()
    ingest(tmp_path / "here")
    with open_store(tmp_path / "here").snapshot() as view:
        assert [row.seq for row in view.requests("r")] == list(range(5))


def test_what_is_no_spool_is_refused(tmp_path):
    for name in ("../x", "", "a/b", "x" * 65):
        with pytest.raises(StoreError):
            SpoolMirror.open(tmp_path, name)
    mirror = SpoolMirror.open(tmp_path, "abc")
    with pytest.raises(StoreError, match="line's end"):
        mirror.append(0, 0, b"half a li")
    with pytest.raises(StoreError):
        SpoolMirror.open(tmp_path, "abc")
    mirror.close()
