"""`harness scenarios`: what there is, what a file says, and what one request finds where."""

import json

import pytest
from typer.testing import CliRunner

from harness.cli.root import app as root
from tests.e2e.foreign_service import foreign_service

FILE = """\
path: /v1/summarise
body: {text: "{text}", tenant: "{tenant}"}
cases: cases.csv
provider: openai
mode: live
headers: {X-Password: canary-literal}
success: {exists: /summary}
answer: {text: /summary, model: /model, usage: openai, id: "header:X-Trace", tier: /quality}
tags: {plan: "{plan}"}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(FILE)
    (tmp_path / "other.yaml").write_text("dataset: x.csv\n")
    (tmp_path / "cases.csv").write_text("text,tenant,plan\nconfidential words,acme,pro\n")
    return tmp_path


def run(*words):
    return CliRunner().invoke(root, ["scenarios", *words])


def test_the_list_has_what_ships_and_the_files_of_this_folder(folder):
    (folder / "wrong.yaml").write_text("path: nowhere\n")
    rows = {row["scenario"]: row for row in json.loads(run("list", "--json").stdout)["scenarios"]}
    assert {"baseline", "openai-chat", "mine.yaml", "wrong.yaml"} <= set(rows)
    assert "other.yaml" not in rows
    assert rows["mine.yaml"]["asks"] == ["POST /v1/summarise"]
    assert rows["mine.yaml"]["columns"] == ["text", "tenant", "plan"]
    assert "wrong.yaml:1" in rows["wrong.yaml"]["problem"]
    assert "POST /v1/messages" in run("list").stdout


def test_a_file_is_shown_without_its_secrets(folder):
    shown = run("show", "mine.yaml")
    assert shown.exit_code == 0
    assert shown.stdout == FILE.replace("canary-literal", "[redacted]")
    assert "answer: {wire: openai}" in run("show", "openai-chat").stdout


def test_a_check_sends_one_request_and_shows_what_is_where(folder):
    with foreign_service() as (url, ledger):
        done = run("check", "mine.yaml", "--target", url)
        told = json.loads(run("check", "mine.yaml", "--target", url, "--json").stdout)
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines() if line]
    assert ["answer.text", "/summary", "confidential", "words"] in lines
    assert ["answer.tier", "/quality", "nothing", "there"] in lines
    assert ["cost", "$0.0000099", "(usage)"] in lines
    assert "the answer has: /summary, /usage, /usage/input_tokens" in done.stdout
    assert len(ledger.served) == 2
    assert told["ok"]
    assert told["columns"]["tags"] == {"plan": "pro"}
    assert told["columns"]["answer_id"] == "t-1"
    assert {"step": "mine", "what": "answer.tier", "where": "/quality", "found": None} in told["found"]


def test_an_answer_that_is_none_exits_1_and_what_is_wrong_exits_2(folder):
    with foreign_service() as (url, ledger):
        ledger.is_broken = True
        failed = run("check", "mine.yaml", "--target", url)
        assert failed.exit_code == 1
        assert "422" in failed.stdout
        assert "confidential" not in failed.stdout  # a target's error does not carry what it was asked
        (folder / "cases.csv").write_text("txt,tenant,plan\nhello,acme,pro\n")
        sent = len(ledger.served)
        refused = run("check", "mine.yaml", "--target", url)
        assert len(ledger.served) == sent
    assert refused.exit_code != 0
    assert "cases.csv:2: there is no column 'text' (there is: txt, tenant, plan)" in str(refused.exception)
    assert "names no `target`" in str(run("check", "mine.yaml").exception)
    assert "no scenario 'nothing'; there are anthropic-messages" in str(run("check", "nothing").exception)


def test_a_first_file_runs_as_it_is(folder):
    with foreign_service() as (url, _):
        data = '{"text": "long text", "tenant": "acme"}'
        made = run("from-curl", f"curl {url}/v1/summarise -d '{data}'", "--out", "first.yaml", "--probe")
        assert made.exit_code == 0, made.output
        assert "text at /summary" in made.stdout
        assert run("check", "first.yaml").exit_code == 0
