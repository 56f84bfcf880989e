"""`harness eval` end to end: the emulator as a child, the same pipeline, a real store."""

import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from harness.cli.app import main
from harness.records import load_json_exact
from harness.store import open_store
from tests.near import near

ROOT = Path(__file__).parents[2]


def harness(*args, **changes):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, args)],
        capture_output=True,
        text=True,
        env=env,
        timeout=240,
        check=False,
        **changes,
    )


def ledger_rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """Six briefs, three strategies, twice; and the emulator's own account of it."""
    store = tmp_path_factory.mktemp("eval")
    done = harness(
        "eval", "smoke", "--strategy", "all-anthropic", "--strategy", "all-openai", "--strategy", "hybrid",
        "--repeats", 2, "--speed", 40, "--store", store, "--ledger", store / "ledger.jsonl", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return store, load_json_exact(done.stdout), done.stderr


def test_every_case_is_asked_once_by_every_strategy_and_repeat(evaluated):
    store, document, _ = evaluated
    assert document["run"]["status"] == "completed"
    assert [s["strategy"] for s in document["strategies"]] == ["all-anthropic", "all-openai", "hybrid"]
    with open_store(store).snapshot() as view:
        rows = view.requests(document["run"]["run_id"])
    assert Counter((r.strategy, r.case_id, r.repeat) for r in rows).most_common(1)[0][1] == 1
    assert len(rows) == document["planned"] == 36


def test_calls_tokens_and_cost_are_those_of_the_emulators_ledger(evaluated):
    store, document, _ = evaluated
    told = {row["call_id"]: row for row in ledger_rows(store / "ledger.jsonl")}
    with open_store(store).snapshot() as view:
        calls = view.calls(document["run"]["run_id"])
    assert {call.call_id for call in calls} == set(told)
    paid = sum((Decimal(str(row["cost_usd"])) for row in told.values()), Decimal(0))
    assert sum(call.cost_usd for call in calls) == pytest.approx(paid)
    total = sum(Decimal(str(s["total_cost_usd"])) for s in document["strategies"])
    assert total == pytest.approx(paid)


def test_repeats_are_answered_apart_not_from_a_cache(evaluated):
    store, document, _ = evaluated
    with open_store(store).snapshot() as view:
        rows = view.requests(document["run"]["run_id"])
    by_case = {}
    for row in rows:
        by_case.setdefault((row.strategy, row.case_id), set()).add(
            (row.draft_output_tokens, row.quality_score)
        )
    assert sum(len(answers) > 1 for answers in by_case.values()) > len(by_case) / 2


def test_each_part_of_the_score_is_a_grade_under_its_graders_name(evaluated):
    store, document, _ = evaluated
    with open_store(store).snapshot() as view:
        graders = dict(view.rows("SELECT grader, count(*) FROM grades GROUP BY grader"))
        (basis,) = {row.score_basis for row in view.requests(document["run"]["run_id"])}
    assert set(graders) >= {"quality", "schema", "topology", "coverage", "provenance"}
    assert graders["quality"] == 36
    assert basis == "labelled"


def test_it_says_that_latencies_are_emulated_and_at_which_speed(evaluated):
    _, document, said = evaluated
    assert document["provider_mode"] == "emulated"
    assert "x40" in document["latency_note"]
    assert "EMULATED" in said
    assert "forecast: $" in said
    assert "assumed" in said


def test_comparisons_are_paired_by_case_and_end_in_a_plain_sentence(evaluated):
    _, document, _ = evaluated
    for found in document["comparisons"]:
        assert found["first"] == "all-anthropic"
        assert found["cases"] == 6
        assert found["verdict"].startswith(found["other"])
        assert "save" in found["verdict"] or "cost" in found["verdict"]


def test_runs_show_never_mixes_the_strategies(evaluated):
    store, document, _ = evaluated
    shown = load_json_exact(harness("runs", "show", "latest", "--store", store, "--json").stdout)
    assert near(shown["strategies"]) == near(document["strategies"])


def test_savings_between_the_strategies_of_the_run_use_its_recorded_costs(evaluated):
    store, document, _ = evaluated
    found = load_json_exact(harness("savings", "--store", store, "--json").stdout)
    for side, figures in zip(found["sides"], document["strategies"], strict=True):
        assert Decimal(str(side["exact"]["cost_usd"])) == Decimal(str(figures["total_cost_usd"]))


def test_a_second_forecast_rests_on_the_recorded_requests(evaluated):
    store = evaluated[0]
    refused = harness("eval", "smoke", "--strategy", "hybrid", "--budget", "0.0001", "--store", store)
    assert refused.returncode == 2
    assert "exceeds the budget" in refused.stderr
    assert "12 recorded requests" in refused.stderr


def test_a_budget_of_half_the_forecast_truncates_and_every_figure_says_so(tmp_path):
    done = harness(
        "eval", "golden", "--cases", 50, "--strategy", "all-openai", "--budget", "0.018", "--yes", "--speed", 60,
        "--store", tmp_path, "--ledger", tmp_path / "ledger.jsonl", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = load_json_exact(done.stdout)
    assert document["run"]["status"] == "truncated"
    assert "TRUNCATED" in document["caution"]
    paid = sum(Decimal(str(row["cost_usd"])) for row in ledger_rows(tmp_path / "ledger.jsonl"))
    assert Decimal("0.005") < paid <= Decimal("0.018")
    assert 5 < document["strategies"][0]["requests"] < 40
    shown = harness("runs", "show", "--store", tmp_path)
    assert "TRUNCATED" in shown.stdout
    savings = load_json_exact(harness("savings", "--store", tmp_path, "--json").stdout)
    assert all("TRUNCATED" in side["caution"] for side in savings["sides"])


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("nowhere",), "unknown suite 'nowhere'"),
        ((), "say which suite"),
        (("smoke", "--budget", "nan"), "--budget"),
        (("smoke", "--budget", "-1"), "--budget"),
        (("smoke", "--strategy", "none-such"), "unknown strategy"),
        (("smoke", "--strategy", "hybrid", "--strategy", "hybrid"), "two strategies are called"),
        (("smoke", "--live"), "is not set"),
        (("--resume", "none-such"), "no run 'none-such'"),
        (("smoke", "--resume", "latest"), "--resume goes on"),
        (("smoke", "--judge", "gpt-4o"), "--judge 'gpt-4o': expected PROVIDER/MODEL"),
        (("smoke", "--judge", "openai/gpt-4o"), "is of the family openai, as is openai/gpt-4o-mini"),
        (("judged", "--judge", "mistral/mistral-large-latest"), "has one already"),
        (("judged", "--strategy", "all-openai"), "'pairwise' compares strategies, but there is only one"),
        (("smoke", "--judge", "mistral/mistral-none"), "no price is known for model 'mistral-none'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(monkeypatch, capfd, evaluated, args, sentence):
    monkeypatch.setattr("sys.argv", ["harness", "eval", *args, "--store", str(evaluated[0])])
    with pytest.raises(SystemExit) as end:
        main()
    said = capfd.readouterr().err
    assert end.value.code == 2
    assert sentence in said
    assert "Traceback" not in said
