"""The main job as a user does it: demo, gate, runs, in their own processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def harness(*words: str | Path, cwd: Path, timeout_s: float = 110) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "140"},
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    place = tmp_path_factory.mktemp("empty")
    return place, harness("demo", "--requests", 80, cwd=place)


def test_the_demo_tells_a_stranger_everything(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    place, done = demo
    assert done.returncode == 0, done.stderr
    for words in (
        "EMULATED",
        "latency p95",
        "error ratio",
        "cost per request",
        "tiers high / medium / low",
        "mixed providers",
    ):
        assert words in done.stdout
    for role, provider in (("draft", "anthropic"), ("repair", "openai")):
        assert any(line.startswith(role) and provider in line for line in done.stdout.splitlines())
    assert "(emulated providers)" in done.stdout
    assert "harness dashboard --store results" in done.stdout
    assert (place / "results" / "harness.duckdb").is_file()


def test_repairs_really_happen_and_costs_add_up(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    place, _ = demo
    summary = json.loads(harness("runs", "show", "--json", cwd=place).stdout)
    assert summary["requests"] == 80
    assert 0 < summary["figures"]["repaired"]["value"] < 1
    assert {row["role"] for row in summary["spending"]["rows"]} == {"draft", "repair"}
    assert summary["spending"]["unpriced_calls"] == 0


def test_the_gate_says_pass_fail_and_nothing_to_judge(
    demo: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    place, _ = demo
    summary = json.loads(harness("runs", "show", "--json", cwd=place).stdout)
    # A machine that was late is a reason not to know; the demo itself says so too.
    suspect = summary["generator"]["suspect"]
    assert harness("gate", cwd=place).returncode == (3 if suspect else 0)
    assert harness("gate", "--max-p95", "1s", cwd=place).returncode == (3 if suspect else 1)
    assert harness("gate", "no-such-run", cwd=place).returncode == 2
    nothing = harness("gate", cwd=tmp_path)
    assert nothing.returncode == 2
    assert nothing.stderr.count("\n") == 1


def test_twenty_requests_are_inconclusive(tmp_path: Path) -> None:
    assert harness("demo", "--requests", 20, "--rps", 20, cwd=tmp_path).returncode == 0
    gate = harness("gate", "--json", cwd=tmp_path)
    assert gate.returncode == 3
    assert json.loads(gate.stdout)["verdict"] == "INCONCLUSIVE"
    listed = json.loads(harness("runs", "list", "--json", cwd=tmp_path).stdout)
    finished = [run for run in listed if run["kind"] == "baseline" and run["status"] == "completed"]
    assert [run["requests"] for run in finished][:1] == [20]  # a busy machine may have had it try slower
