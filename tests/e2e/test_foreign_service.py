"""The first journey: a service of another shape, one file, three commands; and the records beside its ledger."""

import csv
import json
import re
import shlex
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from harness.cli.root import app as root
from tests.e2e.foreign_service import MODEL, foreign_service, tokens_of

README = (Path(__file__).parents[2] / "README.md").read_text()
SECTION = README.partition("**Load your own service.**")[2].partition("\n**")[0]
(FILE,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
COMMANDS = re.findall(r"^\$ (harness .*)$", SECTION, re.MULTILINE)
TEXTS = [f"Ticket {number}: " + "the parcel never came. " * number for number in range(1, 9)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "tickets.csv").open("w", newline="") as file:
        rows = [(text, "acme", "pro" if number % 2 else "free") for number, text in enumerate(TEXTS)]
        csv.writer(file).writerows([("text", "tenant", "plan"), *rows])
    return tmp_path


def run(line, url):
    words = shlex.split(line.replace("http://127.0.0.1:8000", url))
    return CliRunner().invoke(root, words[1:])


def rows_of(folder, columns):
    with duckdb.connect(str(folder / "results" / "harness.duckdb"), read_only=True) as database:
        return database.execute(f"select {columns} from requests where not warmup order by seq").fetchall()


def usd_of(taken, given):
    """At the list price of the model that answers: 0.15 and 0.6 dollars per million."""
    return (Decimal(taken) * Decimal("0.15") + Decimal(given) * Decimal("0.6")) / 10**6


def test_from_an_empty_folder_to_a_verdict_by_the_readme_alone(folder):
    assert len(FILE.splitlines()) <= 25
    assert len(COMMANDS) <= 3
    with foreign_service() as (url, ledger):
        (folder / "summarise.yaml").write_text(FILE.replace("http://127.0.0.1:8000", url))
        for command in COMMANDS:
            done = run(command, url)
            assert done.exit_code == 0, f"{command}: {done.output}{done.exception}"
        assert "PASS" in done.output
    counted = {each["id"]: each for each in ledger.of("/v1/summarise")}
    found = rows_of(
        folder,
        "request_id, latency_ms, service_ms, draft_input_tokens, draft_output_tokens, cost_usd, status, "
        "provider_mode, draft_source, draft_model, cost_source, json_extract_string(tags, '$.plan')",
    )
    assert {row[0] for row in found} == set(counted)
    assert len(found) == len(ledger.of("/v1/summarise")) >= 59
    for request_id, latency_ms, service_ms, taken, given, usd, *rest in found:
        truth = counted[request_id]
        assert (taken, given) == tokens_of(truth["text"])
        assert usd == usd_of(taken, given)
        assert service_ms >= ledger.delay_s * 1000
        assert latency_ms >= service_ms
        plan = "pro" if TEXTS.index(truth["text"]) % 2 else "free"
        assert rest == ["ok", "live", "openai", MODEL, "usage", plan]
    apart_ms = sorted(abs(row[2] - counted[row[0]]["ms"]) for row in found)
    median_ms = sorted(each["ms"] for each in counted.values())[len(counted) // 2]
    assert apart_ms[len(apart_ms) // 2] <= 0.01 * median_ms + 5


JOURNEY = """\
provider: openai
mode: live
steps:
  - name: login
    path: /v1/login
    body: {user: load}
    set: {token: /token}
  - name: ask
    path: /v1/jobs
    headers: {Authorization: "Bearer {token}"}
    body: {text: "{text}"}
    success: 202
    set: {job: /job/id}
  - name: wait
    path: /v1/jobs/{job}
    poll: {until: {equals: {/state: done}}, every_ms: 30, at_most_s: 20}
    answer: {text: /result/summary, model: /result/model, usage: {shape: openai, at: /result/usage}}
cases: tickets.csv
tags: {plan: "{plan}"}
"""


def test_a_journey_is_one_request_whose_steps_are_its_stages(folder):
    (folder / "journey.yaml").write_text(JOURNEY)
    with foreign_service() as (url, ledger):
        done = run(
            f"harness baseline --scenario journey.yaml --target {url} --rps 10 --duration 2 --json", url
        )
        assert done.exit_code == 0, done.output
    found = rows_of(folder, "request_id, stages_ms, service_ms, cost_usd, status, error_message")
    assert len(found) == 20
    assert {row[4] for row in found} == {"ok"}
    for path, times in (("/v1/login", 1), ("/v1/jobs", 1), ("/v1/jobs/ID", 3)):
        asked = sorted(each["id"] for each in ledger.of(path))
        assert asked == sorted([row[0] for row in found] * times)
    between_ms = sorted(row[2] - sum(json.loads(row[1]).values()) for row in found)
    assert between_ms[len(between_ms) // 2] <= 2
    for _, stages, service_ms, usd, *_ in found:
        steps = json.loads(stages)
        assert list(steps) == ["login", "ask", "wait"]
        assert steps["wait"] >= 60
        assert sum(steps.values()) <= service_ms
        assert usd == usd_of(40, 12)


def test_recorded_requests_are_repeated_at_their_own_times(folder):
    moments = ["2026-03-01T12:00:00.600Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.900Z"]
    lines = [json.dumps({"text": f"t{n}", "tenant": "a", "ts": moment}) for n, moment in enumerate(moments)]
    (folder / "captured.jsonl").write_text("\n".join(lines))
    (folder / "again.yaml").write_text(
        'path: /v1/summarise\nbody: {text: "{text}", tenant: "{tenant}"}\ncases: captured.jsonl\n'
        "arrivals: {column: ts}\n"
    )
    with foreign_service() as (url, ledger):
        done = run(f"harness baseline --scenario again.yaml --target {url} --json", url)
        assert done.exit_code == 0, done.output
        assert [each["text"] for each in sorted(ledger.of("/v1/summarise"), key=lambda e: e["id"])] == [
            "t1",
            "t0",
            "t2",
        ]
    starts = [moment for (moment,) in rows_of(folder, "epoch_us(scheduled_at)")]
    assert [(moment - starts[0]) / 1000 for moment in starts] == pytest.approx([0, 600, 900], abs=0.01)


def test_nothing_is_sent_where_something_is_wrong(folder):
    (folder / "wrong.yaml").write_text(FILE.replace("{tenant}", "{tennant}").replace("check: /alive\n", ""))
    with foreign_service() as (url, ledger):
        done = run(f"harness baseline --scenario wrong.yaml --target {url}", url)
    assert ledger.served == []
    assert "tickets.csv:2: there is no column 'tennant' (there is: text, tenant, plan)" in str(done.exception)
    assert done.exception.exit_code == 2
    assert not (folder / "results").exists()
