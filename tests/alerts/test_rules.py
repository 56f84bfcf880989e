"""Rule files: strict, told by line, never in the way of the other rules."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.alerts import Rule, load_rules
from harness.cli.alerts import app

RUNNER = CliRunner()
BUILT_IN = ["cost_spike", "api_error_ratio", "fixtures_in_production", "mixed_ratio_change"]
GOOD = """
  - name: slow
    title: Slow answers
    metric: latency_ms
    aggregation: p95
    window: 15m
    threshold: 8000
    group_by: draft_source
    scope: {environment: staging, run_kinds: [baseline]}
    severity: warning
"""


def test_the_built_in_rules_are_the_four_of_the_specification() -> None:
    rules = load_rules()
    assert rules.problems == ()
    assert [rule.name for rule in rules] == BUILT_IN
    assert {rule.scope.environment for rule in rules} == {"production"}
    assert [kind.value for kind in rules.rules[0].scope.run_kinds] == ["service", "ingest"]
    assert [(rule.threshold, rule.window_s) for rule in rules] == [
        (5, 3600),
        (0.05, 900),
        (0, 300),
        (0.2, 3600),
    ]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("rules:" + GOOD.replace("p95", "p96"), 5, "aggregation"),
        ("rules:" + GOOD.replace("15m", "15 minutes"), 6, "duration"),
        ("rules:" + GOOD.replace("8000", "many"), 7, "threshold"),
        ("rules:" + GOOD.replace("8000", ".nan"), 7, "threshold"),
        ("rules:" + GOOD.replace("group_by", "groupby"), 8, "'groupby': there is no such key"),
        ("rules:" + GOOD.replace("p95", "ratio"), 2, "aggregation of latency_ms"),
        ("rules:" + GOOD.replace("name: slow", "name: Robert'); DROP TABLE"), 2, "name"),
        ("rules:" + GOOD.replace("warning", "warning\n    severity: info"), 11, "key 'severity' stands twice"),
        ("rules:" + GOOD + GOOD.lstrip("\n"), 11, "there is a rule 'slow' above"),
        ("rules:\n  - just text\n", 2, "a rule is a mapping"),
        ("rules: 7\n", 1, "'rules' is a list"),
        ("rule: []\n", 1, "unknown key 'rule'"),
        ("", 1, "begins with 'rules:'"),
        ("rules:\n  - &a {name: x}\n  - *a\n", 2, "aliases are not allowed"),
        ("rules: [\n", 2, "expected"),
        ("rules: !!python/object/apply:os.system [ls]\n", 1, "constructor"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    rules = load_rules(path)
    assert [rule.name for rule in rules if rule.name != "slow"] == BUILT_IN
    if "constructor" not in problem:
        assert len(rules.problems) == 1
        assert rules.problems[0].startswith(f"{path}:{line}: "), rules.problems
        assert problem in rules.problems[0]
        assert "\n" not in rules.problems[0]


def test_the_other_rules_of_a_file_still_run(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    wrong = GOOD.replace("slow", "wrong").replace("p95", "p96").lstrip("\n")
    path.write_text("rules:" + GOOD + wrong + "  - {name: cost_spike, enabled: false, title: x, metric: cost_usd, "
                    "aggregation: sum, window: 1h, threshold: 1, severity: info}\n")  # fmt: skip
    rules = load_rules(path)
    assert [rule.name for rule in rules] == [*BUILT_IN[1:], "slow"]
    assert len(rules.problems) == 1


def test_a_file_that_cannot_be_read_leaves_the_built_in_rules(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing.yaml", tmp_path, tmp_path / "bytes.yaml"):
        rules = load_rules(path)
        assert [rule.name for rule in rules] == BUILT_IN
        assert len(rules.problems) == 1


def test_a_check_with_a_wrong_rule_runs_the_others_and_exits_2(tmp_path: Path, day_store: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("rules:" + GOOD.replace("15m", "soon"))
    arguments = ["check", "--at", "2026-11-22T07:30:00", "--dry-run", "--store", str(day_store)]
    result = RUNNER.invoke(app, [*arguments, "--rules", str(path)])
    assert result.exit_code == 2
    assert f"{path}:6: rule 'slow': 'window'" in result.stderr.replace("\n", "")
    assert "cost_spike" in result.stdout
    assert "firing" in result.stdout
    assert RUNNER.invoke(app, arguments).exit_code == 1
    quiet = ["check", "--at", "2026-11-22T03:00:00", "--dry-run", "--store", str(day_store)]
    assert RUNNER.invoke(app, quiet).exit_code == 0


@pytest.mark.parametrize(
    ("changes", "value", "shown"),
    [
        ({}, 0.0734, "7.3%"),
        ({"compare": "change"}, -0.25, "-25.0 points"),
        ({"metric": "cost_usd", "aggregation": "per_hour"}, 7.5, "$7.5/h"),
        ({"metric": "latency_ms", "aggregation": "p95"}, 8049.0, "8,049 ms"),
        ({"aggregation": "count"}, 3.0, "3"),
    ],
)
def test_values_are_shown_with_their_units(changes: dict[str, Any], value: float, shown: str) -> None:
    said = {"name": "a", "title": "A", "metric": "errors", "aggregation": "ratio", "window": "5m"}
    rule = Rule.model_validate({**said, "threshold": 1, "severity": "info", **changes})
    assert rule.shown(value) == shown
    assert rule.shown(None) == "unknown"
