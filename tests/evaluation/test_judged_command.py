"""`harness eval judged` end to end: graded, judged apart, reported, and resumed after kill -9."""

import json
from decimal import Decimal

import pytest

from harness.cli.run_source import open_run
from harness.figures.evaluation import evaluation_figures
from harness.records import Role
from harness.report.evaluation_document import evaluation_document
from harness.store import open_store
from tests.evaluation.killing import run_and_kill
from tests.evaluation.test_eval_command import harness, ledger_rows
from tests.evaluation.test_units import write_suite
from tests.near import near

OWN = ("has_goal", "sure", "no_refusal", "rubric")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """The shipped suite as it is; the printed document, the store and the emulator's account."""
    store = tmp_path_factory.mktemp("judged")
    done = harness(
        "eval", "judged", "--speed", 40, "--store", store, "--ledger", store / "ledger.jsonl", "--json"
    )
    assert done.returncode == 0, done.stderr
    return store, json.loads(done.stdout, parse_float=Decimal), done.stderr


def graders(document, *, own=True):
    return {
        (found["grader"], found["strategy"]): found
        for found in document["grading"]["graders"]
        if found["own"] is own
    }


def test_every_answer_has_a_grade_of_every_grader(evaluated):
    _, document, _ = evaluated
    assert document["run"]["status"] == "completed"
    found = graders(document)
    assert {name for name, _ in found} == set(OWN)
    assert {(each["score"]["n"], each["ungraded"]) for each in found.values()} == {(12, 0)}
    assert {name for name, _ in graders(document, own=False)} >= {"quality", "schema", "coverage"}
    (pair,) = document["grading"]["pairwise"]
    assert (pair["strategy"], pair["baseline"], pair["pairs"]) == ("all-openai", "all-anthropic", 12)
    assert sum(pair["counts"].values()) == pair["flip_ratio"]["n"] == 12


def test_judges_are_paid_apart_and_nothing_of_them_is_in_a_strategys_cost(evaluated):
    store, document, _ = evaluated
    told = ledger_rows(store / "ledger.jsonl")
    judged = sum(Decimal(row["cost_usd"]) for row in told if row["answer"] == "judge")
    answered = sum(Decimal(row["cost_usd"]) for row in told if row["answer"] in ("draft", "repair"))
    spending = document["grading"]["judge_spending"]
    assert sum(found["cost_usd"] for found in spending) == judged > 0
    assert [found["calls"] for found in spending] == [12, 12 + 24]
    assert sum(found["total_cost_usd"] for found in document["strategies"]) == answered
    assert Decimal(document["run"]["summary"]["committed_usd"]) == judged + answered
    with open_store(store).snapshot() as view:
        run_id = view.run().run_id
        calls = [call for call in view.calls(run_id) if call.role is Role.JUDGE]
        requests = view.requests(run_id)
    assert {(call.provider, call.model) for call in calls} == {("mistral", "mistral-large-latest")}
    assert sum(row.cost_usd for row in requests) == answered


def test_the_forecast_has_a_part_for_each_judge(evaluated):
    _, document, said = evaluated
    parts = document["forecast"]["judging"]
    assert [part["requests"] for part in parts] == [24, 24]
    assert all(0 < part["low_usd"] < part["cost_usd"] < part["high_usd"] for part in parts)
    assert document["forecast"]["cost_usd"] > sum(part["cost_usd"] for part in parts)
    spent = sum(found["cost_usd"] for found in document["grading"]["judge_spending"])
    assert sum(part["low_usd"] for part in parts) <= spent <= sum(part["high_usd"] for part in parts)
    assert "24 judgements" in said
    assert "the answers are kept in the store" in said


def test_table_markdown_and_report_file_say_the_same(evaluated):
    store, document, _ = evaluated
    shown = harness("runs", "show", "latest", "--store", store).stdout
    path, markdown = (next((store / "reports").glob(f"eval-*.{end}")) for end in ("json", "md"))
    for text in (shown, markdown.read_text().replace("\\", "")):
        for words in ("grader rubric", "$ of judges, apart", "judged against the first", "at equal length"):
            assert words in text
    with open_run(str(path), store) as opened:
        figures = evaluation_figures(opened.view, opened.run)
    again = json.loads(json.dumps(evaluation_document(figures)["grading"], default=str), parse_float=Decimal)
    assert near(again["graders"]) == near(document["grading"]["graders"])
    assert near(again["pairwise"]) == near(document["grading"]["pairwise"])


def test_a_judge_from_the_command_line_grades_any_suite(tmp_path):
    done = harness(
        "eval", "smoke", "--cases", 2, "--judge", "mistral/mistral-large-latest", "--speed", 40,
        "--store", tmp_path, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert graders(document)["rubric", "hybrid"]["score"]["n"] == 2
    assert document["run"]["config"]["judge"] == "mistral/mistral-large-latest"


def test_a_judge_that_fails_is_counted_as_ungraded_and_the_run_completes(tmp_path):
    refusals = json.dumps([{"kind": "refusal", "model": "mistral*"}])
    done = harness(
        "eval", "judged", "--cases", 2, "--repeats", 1, "--faults", refusals, "--speed", 40,
        "--store", tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "6 of 6 judgements failed: ungraded, never 0" in done.stderr
    assert "-, 2 ungraded" in done.stdout
    assert "0 (2 ungraded)" in done.stdout


def test_killed_judging_is_resumed_and_no_finished_judgement_is_paid_twice(tmp_path):
    options = ["judged", "--cases", 3, "--repeats", 1, "--speed", 15, "--concurrency", 2]
    killed = run_and_kill(tmp_path, options, kills=2, total=27, seed=17)
    document = killed.document
    assert document["run"]["status"] == "completed"
    judged = [row for ledger in killed.ledgers[:-1] for row in ledger if row["answer"] == "judge"]
    assert judged, "no kill came while the judge was at work"
    with open_store(tmp_path).snapshot() as view:
        told = view.dicts("SELECT payload FROM events WHERE name = 'eval.judge.answered'")
        grades = view.grades(killed.run_id)
    ended = [json.loads(row["payload"]) for row in told]
    questions = [(e["strategy"], e["case_id"], e["repeat"], e["grader"], e["asked"]) for e in ended]
    assert len(questions) == len(set(questions)) == 6 + 3 * 2
    assert len([g for g in grades if g.grader in ("rubric", "pairwise")]) == 6 + 3
    recorded = {call.call_id for call in killed.calls()}
    paid = [row for ledger in killed.ledgers for row in ledger if row["outcome"] == "ok"]
    unseen = [row for row in paid if row["answer"] == "judge" and row["call_id"] not in recorded]
    doubted = document["judgements_possibly_paid_twice"]
    assert len(unseen) <= len(doubted) <= killed.kills * 2
    known = sum(call.cost_usd for call in killed.calls())
    reserved = sum(Decimal(str(one["reserved_usd"])) for one in [*doubted, *killed.in_doubt])
    assert Decimal(document["run"]["summary"]["committed_usd"]) <= known + reserved


def test_a_run_whose_graders_have_changed_is_not_resumed(tmp_path):
    suite = "name: mine\ntask: draft_graph\ndataset: cases.jsonl\nstrategies: [hybrid]\n"
    path = write_suite(tmp_path, suite + "graders: [{kind: regex, pattern: a}]\n")
    begun = harness("eval", path, "--budget", "0.01", "--yes", "--store", tmp_path / "store")
    assert begun.returncode == 0, begun.stderr
    write_suite(tmp_path, suite + "graders: [{kind: regex, pattern: b}]\n")
    done = harness("eval", "--resume", "latest", "--store", tmp_path / "store")
    assert done.returncode == 2
    assert "the graders of suite 'mine' have changed" in done.stderr
