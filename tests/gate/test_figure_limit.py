"""A limit on any declared figure, by value and by interval, from a flag and from a file."""

import json

import pytest
from typer.testing import CliRunner

from harness.analysis.estimate import Estimate, no_estimate
from harness.cli.gate import app
from harness.errors import UsageError
from harness.gate.figure_limit import figure_check, parse_figure_limit
from harness.records import GateVerdict
from tests.dashboard.stores import Plan, write

PASS, FAIL, OPEN = GateVerdict.PASS, GateVerdict.FAIL, GateVerdict.INCONCLUSIVE


def test_a_limit_is_read_in_the_unit_of_its_figure():
    assert parse_figure_limit("p50_latency<=1.5s").value == 1500
    assert parse_figure_limit("p50_latency <= 800ms").value == 800
    assert parse_figure_limit("repaired<=20%").value == pytest.approx(0.2)
    assert not parse_figure_limit("high_tier>=0.9").at_most


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p50_latency<8s", "is no limit; write it as in"),
        ("p50_latency", "is no limit"),
        ("p50latency<=8s", "there is no figure 'p50latency'; there is p50_latency"),
        ("high_tier>=8s", "is counted in ratio, not in s"),
        ("cost_per_request<=5%", "is counted in usd, not in %"),
        ("p50_latency<=nan", "is no limit"),
    ],
)
def test_what_is_no_limit_is_one_sentence(text, said):
    with pytest.raises(UsageError, match="(?s).*" + said.replace("(", r"\(")):
        parse_figure_limit(text)


def found(value, low, high, **more):
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="t", n=200, **more)


@pytest.mark.parametrize(
    ("limit", "figure", "by_value", "by_interval"),
    [
        ("repaired<=0.2", found(0.1, 0.05, 0.15), PASS, PASS),
        ("repaired<=0.2", found(0.19, 0.15, 0.24), PASS, OPEN),
        ("repaired<=0.2", found(0.3, 0.25, 0.36), FAIL, FAIL),
        ("high_tier>=0.9", found(0.95, 0.92, 0.98), PASS, PASS),
        ("high_tier>=0.9", found(0.91, 0.88, 0.94), PASS, OPEN),
        ("high_tier>=0.9", found(0.7, 0.65, 0.75), FAIL, FAIL),
        ("p50_latency<=8s", found(None, 7000.0, None, over_limit=True, high_over_limit=True), FAIL, OPEN),
        ("p50_latency<=8s", found(7000.0, 6000.0, None), PASS, OPEN),
        ("p95_ttft<=8s", no_estimate("none"), OPEN, OPEN),
        ("p95_ttft<=8s", None, OPEN, OPEN),
    ],
)
def test_the_value_decides_or_at_a_confidence_the_interval(limit, figure, by_value, by_interval):
    parsed = parse_figure_limit(limit)
    assert figure_check(parsed, figure, None).verdict is by_value
    assert figure_check(parsed, figure, 0.95).verdict is by_interval


def test_a_run_is_gated_by_a_flag_and_by_a_file(tmp_path, monkeypatch):
    store = write(tmp_path / "store", Plan(run_id="run-1", name="one", requests=120, mode=None))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate.yaml").write_text("limit: ['repaired>=90%']\n")

    def checks(*flags):
        result = CliRunner().invoke(app, ["run-1", "--store", str(store), "--json", *flags])
        return result.exit_code, {check["name"]: check for check in json.loads(result.stdout)["checks"]}

    code, by_file = checks()
    assert code == 1
    assert by_file["repaired"]["verdict"] == "FAIL"
    assert by_file["repaired"]["value"] == 0.25
    code, by_flag = checks("--limit", "repaired<=30%", "--limit", "p95_ttft<=1s")
    assert code == 3
    assert by_flag["repaired"]["verdict"] == "PASS"
    assert by_flag["p95_ttft"]["verdict"] == "INCONCLUSIVE"
    (tmp_path / "gate.yaml").write_text("limit: ['no_such<=1']\n")
    result = CliRunner().invoke(app, ["run-1", "--store", str(store)])
    assert "there is no figure 'no_such'" in str(result.exception)
