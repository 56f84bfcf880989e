"""kill -9 and resume: nothing finished is paid twice, and the results are those of an uninterrupted run."""

import signal
import subprocess

import pytest

from harness.records import RunStatus
from harness.store import open_store
from tests.evaluation.killing import (
    check_paid_once,
    command,
    environment,
    outcomes,
    run_and_kill,
    wait_for_calls,
)

OPTIONS = ["golden", "--cases", 8, "--strategy", "all-openai", "--strategy", "hybrid", "--speed", 15]
CONCURRENCY = 3


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    store = tmp_path_factory.mktemp("killed")
    return run_and_kill(store, [*OPTIONS, "--concurrency", CONCURRENCY], kills=2, total=15)


def test_finished_cases_are_paid_once_and_those_in_flight_are_listed(killed):
    assert killed.document["run"]["status"] == "completed"
    assert len(killed.requests()) == 16
    check_paid_once(killed, concurrency=CONCURRENCY)
    for case in killed.in_doubt:
        assert float(case["reserved_usd"]) > 0
    assert float(killed.document["run"]["summary"]["committed_usd"]) >= sum(
        float(case["reserved_usd"]) for case in killed.in_doubt
    )


def test_results_equal_those_of_an_uninterrupted_run(killed, tmp_path):
    done = subprocess.run(
        command(*OPTIONS, "--store", tmp_path, "--concurrency", 7),
        env=environment(),
        capture_output=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0
    with open_store(tmp_path).snapshot() as view:
        whole = view.requests(view.run().run_id)
    assert outcomes(killed.requests()) == outcomes(whole)


def test_a_complete_run_is_not_resumed(killed):
    done = subprocess.run(
        command("--resume", killed.run_id, "--store", killed.store),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "nothing is left to resume" in done.stderr


def test_ctrl_c_lets_cases_finish_exits_130_and_can_be_resumed(tmp_path):
    process = subprocess.Popen(
        command(*OPTIONS, "--concurrency", 2, "--store", tmp_path, "--ledger", tmp_path / "ledger.jsonl"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_calls(tmp_path / "ledger.jsonl", 3, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "--resume" in said
    with open_store(tmp_path).snapshot() as view:
        run = view.run()
        assert run.status is RunStatus.INTERRUPTED
        assert not run.summary["possibly_paid_twice"]
        assert 1 <= len(view.requests(run.run_id)) < 16
