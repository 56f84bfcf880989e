"""The second journey: a CSV of questions, two models of somebody else's, their own prices; nothing else."""

import csv
import json
from decimal import Decimal

import duckdb
import pytest
from typer.testing import CliRunner

from harness.cli.root import app as root
from tests.e2e.foreign_model import CAPITALS, model_server

SUITE = """\
task:
  prompt: "{question}"
  max_tokens: 60
dataset: questions.csv
expected: reference_answer
graders:
  - {kind: contains, ignore_case: true}
"""
PRICES = ("--price", "small=0.2/0.6", "--price", "large=2/6")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "questions.csv").open("w", newline="") as file:
        rows = [(f"What is the capital of {country}?", city) for country, city in CAPITALS.items()]
        csv.writer(file).writerows([("question", "reference_answer"), *rows])
    return tmp_path


def asked(url, *options, suite="suite.yaml", models=("small", "large")):
    named = [part for name in models for part in ("--model", f"{name}={url}:{name}")]
    return CliRunner().invoke(root, ["eval", suite, *named, *options])


def rows_of(folder, columns):
    with duckdb.connect(str(folder / "results" / "harness.duckdb"), read_only=True) as database:
        return database.execute(f"select {columns} from requests order by seq").fetchall()


def test_from_an_empty_folder_to_a_verdict_in_three_commands(folder):
    made = ["suites", "init", "support", "--data", "questions.csv", "--prompt", "{question}"]
    init = CliRunner().invoke(root, [*made, "--expected", "reference_answer"])
    assert init.exit_code == 0, init.output
    text = (folder / "support" / "suite.yaml").read_text()
    assert len(text.splitlines()) <= 25
    with model_server() as (url, ledger):
        done = asked(url, *PRICES, "--store-content", suite="support")
        assert done.exit_code == 0, done.output
    spent = {
        name: sum(Decimal(call["prompt_tokens"]) * a + Decimal(call["completion_tokens"]) * b for call in ledger.of(name)) / 10**6
        for name, a, b in (("small", Decimal("0.2"), Decimal("0.6")), ("large", Decimal(2), Decimal(6)))
    }  # fmt: skip
    found = rows_of(folder, "strategy, cost_usd, quality_tier, provider_mode, task")
    assert len(found) == len(ledger.calls) == 2 * len(CAPITALS)
    for name, usd in spent.items():
        assert sum(row[1] for row in found if row[0] == name) == usd
    assert [row[2] for row in found if row[0] == "large"] == ["high"] * len(CAPITALS)
    assert [row[2] for row in found if row[0] == "small"].count("low") == 2
    assert {row[3:] for row in found} == {("live", "support")}
    shown = CliRunner().invoke(root, ["eval", "show", "Fiji"])
    assert shown.exit_code == 0, shown.output
    assert "I do not know." in shown.output
    assert "The capital of Fiji is Suva." in shown.output


@pytest.mark.parametrize(
    ("references", "grader"),
    [
        (["4", "1,200.50"], "{kind: numeric, take: last}"),
        (["Paris", "New Delhi"], "{kind: contains, ignore_case: true}"),
        (["A long answer of many more words.", "Paris"], "{kind: f1, enough: 0.5}"),
    ],
)
def test_a_first_suite_has_a_grader_that_suits_its_references(folder, references, grader):
    rows = [{"q": "one?", "want": want, "lang": "en"} for want in references]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = ["suites", "init", "mine", "--data", "data.jsonl", "--prompt", "{q}", "--system", "In {lang}."]
    assert CliRunner().invoke(root, [*made, "--expected", "want"]).exit_code == 0
    assert grader in (folder / "mine" / "suite.yaml").read_text()
    shown = CliRunner().invoke(root, ["suites", "check", "mine", "--json"])
    assert json.loads(shown.output)["first_prompt"] == [
        {"role": "system", "content": "In en."},
        {"role": "user", "content": "one?"},
    ]
    listed = json.loads(CliRunner().invoke(root, ["suites", "list", "--json"]).output)["suites"]
    assert [row["problem"] for row in listed] == [""] * 5
    again = CliRunner().invoke(root, [*made, "--expected", "want"])
    assert "there is a suite already" in str(again.exception)


@pytest.mark.parametrize(
    ("prompt", "expected", "problem"),
    [
        (
            "{q}",
            "reference_answer",
            "--prompt: there is no column 'q' (there is: question, reference_answer)",
        ),
        ("{question}", "answer", "--expected: there is no column 'answer'"),
        ("{question", "reference_answer", "--prompt: a brace stands alone"),
    ],
)
def test_a_wrong_first_suite_writes_nothing(folder, prompt, expected, problem):
    options = ["--data", "questions.csv", "--prompt", prompt, "--expected", expected]
    done = CliRunner().invoke(root, ["suites", "init", "mine", *options])
    assert problem in str(done.exception)
    assert not (folder / "mine").exists()


def test_when_everything_failed_it_says_why_and_shows_no_saving(folder):
    (folder / "suite.yaml").write_text(SUITE)
    with model_server(broken=frozenset({"small", "large"})) as (url, _):
        done = asked(url, *PRICES, "--cases", "2")
    assert done.exit_code == 1
    assert "no request was answered" in done.output
    assert "upstream_5xx" in done.output
    assert "saves" not in done.output


def test_a_strategy_that_failed_alone_saves_nothing(folder):
    (folder / "suite.yaml").write_text(SUITE)
    with model_server(broken=frozenset({"small"})) as (url, _):
        done = asked(url, *PRICES, "--cases", "3", models=("large", "small"))
    assert "saves" not in done.output
    assert "small: no request was answered" in done.output


def test_it_stops_early_once_everything_is_settled(folder):
    (folder / "suite.yaml").write_text(
        SUITE.replace("contains, ignore_case: true", "contains, expected: capital")
    )
    with (folder / "questions.csv").open("a") as file:
        file.writelines(f"What is the capital of Peru ({number})?,Lima\n" for number in range(150))
    with model_server() as (url, ledger):
        done = asked(url, *PRICES, "--stop-early", "--concurrency", "4")
    assert done.exit_code == 0, done.output
    assert len(ledger.calls) < 0.6 * 2 * 162
    assert "large is not cheaper by 10% than the first" in done.output
    with duckdb.connect(str(folder / "results" / "harness.duckdb"), read_only=True) as database:
        ((status, summary),) = database.execute("select status, config from runs").fetchall()
    told = json.loads(summary)["summary"]["stop_early"]
    assert (status, told["settled"], told["saved_requests"]) == (
        "stopped_early",
        True,
        2 * 162 - len(ledger.calls),
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--model", "local=localhost:8000"], "expected NAME=URL:MODEL"),
        (["--model", "openai=http://127.0.0.1:1/v1:m"], "is a built-in provider"),
        (["--model", "a=http://127.0.0.1:1/v1:m", "--price", "b=1/2"], "no --model is called 'b' (named: a)"),
        (["--model", "a=http://127.0.0.1:1/v1:m", "--price", "a=free"], "expected NAME=IN/OUT"),
        (["--model", "a=http://127.0.0.1:1/v1:m"], "no price"),
        (["--model", "a=http://10.255.255.1:1/v1:m", "--price", "a=1/2"], "--budget"),
        ([], "names no strategies"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(folder, options, problem):
    (folder / "suite.yaml").write_text(SUITE)
    done = CliRunner().invoke(root, ["eval", "suite.yaml", *options])
    assert done.exit_code != 0
    assert problem in f"{done.output}{done.exception}"
    assert not (folder / "results").exists()
