"""Every command, flag, setting and workflow of docs/gate.md and reports.md works; the action runs."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from harness.cli.app import main
from harness.gate.config import GateConfig, load_gate_config
from harness.records import ProviderMode, Run, RunEnd, RunKind, RunStatus
from harness.store import Spool, ingest
from tests.judged_rows import START, JudgedRun, calls_of, report_of, request

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "gate.md").read_text()
REPORTS_PAGE = (ROOT / "docs" / "reports.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```console\n(.*?)```", PAGE + REPORTS_PAGE, re.DOTALL)
    for line in block.splitlines()
]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a store of 300 requests and their report, where the page's commands run."""
    folder = tmp_path_factory.mktemp("docs")
    rows = [request(seq, 3000.0 + seq * 37 % 300) for seq in range(300)]
    run = JudgedRun()
    store = folder / "results"
    with Spool.open(store) as spool:
        first = Run(
            run_id=run.run_id,
            kind=RunKind.BASELINE,
            name=run.name,
            started_at=START,
            provider_mode=ProviderMode.EMULATED,
        )
        spool.append_many([first, *rows, *calls_of(rows)])
        spool.append(RunEnd(run_id=run.run_id, ended_at=START, status=RunStatus.COMPLETED)).result()
    ingest(store)
    report_of(rows, run, store / "reports")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_page_runs(command, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    assert code == (3 if "--require-live" in command else 0), capsys.readouterr().err


def test_the_pages_limits_are_limits(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert tomllib.loads(text)
    (tmp_path / "pyproject.toml").write_text(text)
    limits = load_gate_config(None, tmp_path)
    assert (limits.max_p95, limits.min_high_tier, limits.require_live) == (8000.0, 0.9, True)


def test_every_setting_is_on_the_page():
    for name in GateConfig.model_fields:
        assert f"--{name.replace('_', '-')}" in PAGE


def test_the_reports_page_names_every_key(place):
    document = json.loads((place / "results" / "reports" / "latest.json").read_text())
    for key in document:
        assert f"`{key}`" in REPORTS_PAGE
    assert document["schema"] in REPORTS_PAGE


def test_the_workflow_names_inputs_the_action_has():
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    steps = yaml.safe_load(text)["jobs"]["gate"]["steps"]
    used = next(step["with"] for step in steps if step["uses"] == "./")
    assert set(used) <= set(ACTION["inputs"])


def judge(folder, **inputs):
    """Run the action's second step as GitHub would: inputs by environment, `harness` on the PATH."""
    (step,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "gate"]
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    command = binaries / "harness"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m harness "$@"\n')
    command.chmod(0o755)
    outputs, summary = folder / "outputs", folder / "summary.md"
    outputs.write_text("")
    environment = {
        **os.environ,
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    for variable, template in step["env"].items():
        name = re.fullmatch(r"\$\{\{ inputs\.([a-z0-9-]+) \}\}", template)[1]
        environment[variable] = inputs.get(name.replace("-", "_"), ACTION["inputs"][name]["default"])
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, outputs.read_text().strip()


def test_the_action_judges_a_report_file(place):
    report = "results/reports/latest.json"
    assert judge(place, run=report, max_p95="8s", junit="j.xml") == (0, "verdict=PASS")
    assert (place / "j.xml").exists()
    assert "PASS" in (place / "summary.md").read_text()
    assert judge(place, run=report, max_p95="1s") == (1, "verdict=FAIL")
    assert judge(place, run=report, require_live="true", allow_inconclusive="true") == (
        0,
        "verdict=INCONCLUSIVE",
    )


def test_an_input_is_never_run_as_a_command(place):
    assert judge(place, run="$(touch owned).json") == (2, "verdict=")
    assert judge(place, run="x.json", max_p95="8s; touch owned") == (2, "verdict=")
    assert not (place / "owned").exists()
