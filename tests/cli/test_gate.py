"""`harness gate` from the outside: exit codes, outputs, files, and what reaches the store."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta

import pytest

from harness.records import GateVerdict, ProviderMode, Run, RunEnd, RunKind, RunStatus
from harness.store import Spool, ingest, open_store
from tests.judged_rows import START, JudgedRun, calls_of, failed, report_of, request


def stored(folder, rows, run_id="run-1", status=RunStatus.COMPLETED, **end):
    """A store with one finished baseline of these rows."""
    run = Run(
        run_id=run_id,
        kind=RunKind.BASELINE,
        name=f"baseline-{run_id}",
        started_at=START,
        provider_mode=ProviderMode.EMULATED,
    )
    with Spool.open(folder) as spool:
        spool.append_many([run, *rows, *calls_of(rows)])
        spool.append(RunEnd(run_id=run_id, ended_at=START, status=status, **end)).result()
    ingest(folder)
    return folder


@pytest.fixture(scope="module")
def good_store(tmp_path_factory):
    """A run of 300 good requests; tests judge it, and only add verdicts."""
    return stored(
        tmp_path_factory.mktemp("judged") / "store",
        [request(seq, 3000.0 + seq * 37 % 300) for seq in range(300)],
    )


def test_exit_codes(cli, good_store, tmp_path):
    assert cli("gate", "--store", good_store)[0] == 0
    assert cli("gate", "--store", good_store, "--max-p95", "1s")[0] == 1
    few = stored(tmp_path / "few", [request(seq, 3000.0) for seq in range(20)])
    assert cli("gate", "--store", few)[0] == 3


def test_the_verdict_line_says_emulated(cli, good_store):
    _, output, _ = cli("gate", "--store", good_store)
    assert "PASS (emulated providers)" in output
    assert "95% interval" in output.replace("\n", " ")


@pytest.mark.parametrize("what", ["missing store", "empty store", "missing run", "damaged store"])
def test_nothing_to_judge_is_exit_2_and_one_sentence(cli, tmp_path, what, good_store):
    folder, arguments = tmp_path / "nothing", []
    if what == "empty store":
        folder.mkdir()
    elif what == "missing run":
        folder, arguments = good_store, ["run-9"]
    elif what == "damaged store":
        folder.mkdir()
        (folder / "harness.duckdb").write_bytes(b"not a database" * 100)
    code, output, error = cli("gate", *arguments, "--store", folder)
    assert (code, output) == (2, "")
    assert error.startswith("harness: ")
    assert error.count("\n") == 1


def test_json_and_the_stored_result(cli, good_store):
    code, output, _ = cli("gate", "run-1", "--store", good_store, "--json", "--max-p95", "3200ms")
    answer = json.loads(output)
    assert (code, answer["verdict"], answer["provider_mode"]) == (1, "FAIL", "emulated")
    p95 = next(check for check in answer["checks"] if check["name"] == "p95_latency")
    assert (p95["limit"], p95["unit"], p95["n"]) == (3200.0, "ms", 300)
    assert p95["interval"]["low"] <= p95["value"] <= p95["interval"]["high"]
    store = open_store(good_store)
    store.ingest()
    with store.snapshot() as view:
        results = view.gate_results("run-1")
    assert results[-1].verdict is GateVerdict.FAIL
    assert len(results[-1].checks) == len(answer["checks"])


def test_a_report_file_is_a_run(cli, tmp_path):
    rows = [request(seq, 3000.0) for seq in range(300)]
    path = report_of(rows, JudgedRun(), tmp_path / "out").json
    assert cli("gate", path, "--store", tmp_path / "no-store")[0] == 0
    assert not (tmp_path / "no-store").exists()
    assert cli("gate", path, "--max-cost-per-request", "0.0239")[0] == 1
    assert cli("gate", tmp_path / "absent.json")[0] == 2


def test_a_baseline_catches_a_regression(cli, tmp_path):
    folder = stored(tmp_path / "store", [request(seq, 3000.0 + seq * 37 % 300) for seq in range(300)])
    slow = [
        request(seq, 4000.0 + seq * 37 % 300, run_id="run-2", request_id=f"b-{seq}") for seq in range(300)
    ]
    stored(folder, slow, "run-2")
    code, output, _ = cli("gate", "run-2", "--baseline", "run-1", "--store", folder)
    assert code == 1
    assert "a significant regression" in " ".join(output.split())
    assert cli("gate", "run-1", "--baseline", "run-2", "--store", folder)[0] == 0


def test_the_latest_finished_baseline_is_the_default(cli, tmp_path):
    folder = stored(tmp_path / "store", [request(seq, 3000.0) for seq in range(100)])
    _, output, _ = cli("gate", "--store", folder, "--json")
    assert json.loads(output)["run_id"] == "run-1"


def test_limits_from_files_and_flags_before_files(cli, good_store, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.harness.gate]\nmax_p95 = "1s"\n')
    assert cli("gate", "--store", good_store)[0] == 1
    assert cli("gate", "--store", good_store, "--max-p95", "8s")[0] == 0
    (tmp_path / "gate.yaml").write_text("max_p95: 9s\n")
    assert cli("gate", "--store", good_store)[0] == 0


@pytest.mark.parametrize(
    "text",
    [
        "max_p95: 8",
        "max_p95: 8 seconds",
        "max_p59: 8s",
        "max_error_ratio: 2",
        "- 1",
        "{",
        "a: &x [1]\nb: *x",
        "min_rps: .nan",
        "max_p95: 0s",
        "max_error_ratio: true",
        "max_cost_per_request: true",
        "require_live: 1",
    ],
)
def test_a_wrong_file_is_one_sentence_naming_it(cli, good_store, tmp_path, text):
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    code, _, error = cli("gate", "--store", good_store, "--config", path)
    assert code == 2
    assert "limits.yaml" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "flags",
    [
        ["--max-p95", "8"],
        ["--max-p95", "-1s"],
        ["--max-p95", "nan"],
        ["--max-error-ratio", "nan"],
        ["--confidence", "95"],
        ["--max-cost-per-request", "lots"],
        ["--max-cost-per-request", "NaN"],
    ],
)
def test_a_wrong_flag_is_exit_2(cli, good_store, flags):
    assert cli("gate", "--store", good_store, *flags)[0] == 2


def test_junit_and_step_summary(cli, tmp_path, monkeypatch):
    bad = "\x00 <&> " + "x" * 50
    folder = stored(
        tmp_path / "store",
        [*[request(s, 3000.0) for s in range(99)], failed(99)],
        summary={"suspect": True, "suspect_reasons": [bad]},
    )
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, _, _ = cli("gate", "--store", folder, "--junit", tmp_path / "j" / "gate.xml", "--step-summary")
    suite = ET.parse(tmp_path / "j" / "gate.xml").getroot()
    assert code == 1
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")
    assert "**FAIL (emulated providers)" in summary.read_text()
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert cli("gate", "--store", folder, "--step-summary")[0] == 2


def test_a_published_run_is_judged_without_its_store(cli, good_store, tmp_path):
    code, output, _ = cli(
        "runs", "publish", "run-1", "--store", good_store, "--into", tmp_path / "tracked", "--json"
    )
    assert code == 0
    files = json.loads(output)
    assert sorted(files) == ["html", "json", "markdown"]
    assert cli("gate", files["json"], "--store", tmp_path / "none")[0] == 0
    assert cli("gate", tmp_path / "tracked" / "latest.json", "--max-p95", "1s")[0] == 1
    assert cli("runs", "publish", "run-9", "--store", good_store)[0] == 2


@pytest.mark.parametrize("how", ["killed", "failed", "running"])
def test_an_older_run_never_stands_in_for_a_newer_one(cli, tmp_path, how):
    rows = [request(seq, 3000.0 + seq * 37 % 300) for seq in range(100)]
    folder = stored(tmp_path / "store", rows)
    newer = [replace(row, run_id="run-2", request_id=f"n{row.seq}") for row in rows[:70]]
    with Spool.open(folder) as spool:
        run = Run(
            run_id="run-2",
            kind=RunKind.BASELINE,
            name="baseline-run-2",
            started_at=START + timedelta(hours=1),
            owner=spool.spool_id,
        )
        spool.append_many([run, *newer]).result(5)
        if how == "failed":
            spool.append(RunEnd(run_id="run-2", ended_at=START, status=RunStatus.FAILED)).result(5)
        elif how == "running":
            code, output, remarks = cli("gate", "--store", folder)
    if how != "running":
        code, output, remarks = cli("gate", "--store", folder)
    assert code == 3
    assert "baseline-run-2" in output + remarks
    told = " ".join(remarks.split())
    assert "finished before it: baseline-run-1; name one to judge that" in told
    assert cli("gate", "run-1", "--store", folder)[0] == 0
