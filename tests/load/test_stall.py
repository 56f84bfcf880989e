"""A frozen target, for real: an open loop goes on sending, and latency counts from the intended start."""

import json

import pytest
from rich.console import Console

from harness.load import calibration
from harness.load.known import Stall
from harness.load.run import BaselinePlan, run_baseline
from harness.processes.children import ChildGroup, module_command
from harness.store import open_store


def test_a_stall_is_seen_by_everyone_who_arrived_in_it(tmp_path):
    moment_file = tmp_path / "stall.json"
    options = ("--stall-after", "1.5", "--stall", "2", "--stall-file", str(moment_file))
    with ChildGroup() as group:
        child = group.start(
            "known-target", module_command("harness.load.known_target", *options), serves=True
        )
        load = {"rps": 20, "duration_s": 5, "id_prefix": "stall"}
        target = f"http://127.0.0.1:{child.wait_port()}"
        outcome = run_baseline(
            BaselinePlan(store_dir=tmp_path, target=target, load=load), Console(quiet=True)
        )
    with open_store(tmp_path).snapshot() as view:
        rows = view.requests(outcome.run_id)
    start_ns, end_ns = json.loads(moment_file.read_text())
    stall = Stall(start_ns=start_ns, end_ns=end_ns)
    assert len(rows) == 100
    found = {d.q: d for d in calibration.deviations(rows, calibration.truth_of(rows, stall))}
    assert found[0.95].true_ms > 1500
    assert found[0.95].reported_ms == pytest.approx(found[0.95].true_ms, rel=0.1)
    frozen = [row for row in rows if start_ns < row.scheduled_at.timestamp() * 1e9 < end_ns]
    assert len(frozen) > 30  # 40 arrivals in 2 s: a closed loop would have sent next to none
    for row in frozen:
        assert row.latency_ms >= (end_ns - row.scheduled_at.timestamp() * 1e9) / 1e6 - 1
        assert row.latency_ms >= row.service_ms
