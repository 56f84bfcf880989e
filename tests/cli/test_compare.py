"""`harness compare` and `harness power` from the outside."""

import json

import pytest

from harness.records import ProviderMode
from tests.judged_rows import JudgedRun, report_of, request


def report(folder, run_id, factor=1.0, mode=ProviderMode.EMULATED, requests=200):
    rows = [
        request(
            seq, (3000.0 + seq * 37 % 300) * factor, provider_mode=mode, case_id=f"<i>case {seq % 40}</i>"
        )
        for seq in range(requests)
    ]
    run = JudgedRun(run_id=run_id, name=f"run {run_id}", provider_mode=mode)
    return report_of(rows, run, folder / run_id).json


def test_two_report_files(cli, tmp_path):
    a, b = report(tmp_path, "a"), report(tmp_path, "b", 1.5)
    code, output, _ = cli("compare", a, b, "--json", "--html", tmp_path / "page.html")
    answer = json.loads(output)
    assert code == 0
    p95 = next(found for found in answer["differences"] if found["name"] == "p95_latency")
    assert p95["verdict"] == "worse"
    assert p95["low"] > 0
    assert p95["unit"] == "ms"
    page = (tmp_path / "page.html").read_text()
    assert "<i>case" not in page
    assert "worse" in page
    assert len(page) < 500_000
    _, text, _ = cli("compare", a, b)
    assert "worse" in text
    assert "EMULATED" in text


def test_runs_of_different_modes_carry_a_warning(cli, tmp_path):
    a, b = report(tmp_path, "a"), report(tmp_path, "b", mode=ProviderMode.LIVE)
    _, output, _ = cli("compare", a, b, "--json")
    assert "answered by emulated providers, B by live" in json.loads(output)["warning"]


def test_a_difference_without_an_interval_is_unknown(cli, tmp_path):
    few = report(tmp_path, "few", requests=30)
    answer = json.loads(cli("compare", few, few, "--json")[1])
    verdicts = {found["name"]: found["verdict"] for found in answer["differences"]}
    assert verdicts["p95_latency"] == "unknown"
    assert verdicts["p50_latency"] == "not significant"


def test_what_cannot_be_compared_is_exit_2(cli, tmp_path):
    a = report(tmp_path, "a")
    assert cli("compare", a, tmp_path / "none.json")[0] == 2
    assert cli("compare", a, a, "--confidence", "95")[0] == 2
    assert cli("compare", "x", "y", "--store", tmp_path / "nowhere")[0] == 2


def test_power(cli, tmp_path):
    code, output, _ = cli("power", "--true", "7.5s", "--limit", "8s", "--json")
    plan = json.loads(output)
    assert code == 0
    assert plan["requests"] > 1000
    assert plan["chance_of_passing"]["100"] < plan["chance_of_passing"]["1000"]
    by_run = json.loads(
        cli("power", "--true", "3.1s", "--limit", "3.2s", "--run", report(tmp_path, "a"), "--json")[1]
    )
    assert by_run["requests"] >= 59
    assert json.loads(cli("power", "--difference", "0.05", "--sd", "0.1", "--json")[1])["cases"] == 34


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--true", "8s"],
        ["--true", "7"],
        ["--difference", "0.1"],
        ["--difference", "0", "--sd", "1"],
        ["--true", "7s", "--power", "80"],
        ["--difference", "nan", "--sd", "1"],
    ],
)
def test_a_question_that_makes_no_sense_is_exit_2(cli, flags):
    code, _, error = cli("power", *flags)
    assert code == 2
    assert error.count("\n") == 1
