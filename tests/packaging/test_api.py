from decimal import Decimal
from pathlib import Path

import pytest

import harness
from harness.errors import UnknownRunError
from harness.records import GateVerdict, RunKind, RunStatus


def test_a_baseline_is_driven_judged_and_read_without_a_command(tmp_path: Path, capfd) -> None:
    done = harness.baseline(store=tmp_path, load={"rps": 20.0, "duration_s": 0.5}, speed=50.0, name="mine")
    assert done.status is RunStatus.COMPLETED
    verdict = harness.gate("mine", store=tmp_path)
    assert verdict.run_id == done.run_id
    assert verdict.verdict is GateVerdict.INCONCLUSIVE
    assert harness.figures("latest", store=tmp_path).requests == 10
    assert len(harness.open_store(tmp_path).requests("mine").query("not warmup")) == 10
    assert capfd.readouterr().out == ""
    with pytest.raises(UnknownRunError):
        harness.gate("another", store=tmp_path)


def test_an_evaluation_is_asked_without_a_command(tmp_path: Path) -> None:
    done = harness.evaluate(
        "smoke", store=tmp_path, strategies=["hybrid"], cases=2, repeats=1, budget_usd=Decimal(5), speed=100.0
    )
    assert done.status is RunStatus.COMPLETED
    with harness.open_store(tmp_path).snapshot() as view:
        assert view.run(done.run_id).kind is RunKind.EVAL
    assert harness.figures(done.run_id, store=tmp_path).requests == 2
