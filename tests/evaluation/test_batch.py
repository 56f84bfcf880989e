"""`harness eval --batch` end to end: provider batches over HTTP, priced as such, timed by nobody."""

import json
from decimal import Decimal

import pytest

from harness.pricing import PriceBook
from harness.pricing.breakdown import usage_of
from harness.records import CallOutcome, ErrorKind, RequestStatus
from harness.store import open_store
from tests.evaluation.batching import billed, document_of, harness_here, recorded

STRATEGIES = [
    option for name in ("all-anthropic", "all-openai", "hybrid", "cascade") for option in ("--strategy", name)
]


def ledger_rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def batched(tmp_path_factory):
    """Fifteen briefs, four strategies, twice; and the emulator's own account of it."""
    store = tmp_path_factory.mktemp("batch")
    done = harness_here(
        "eval", "golden", "--cases", 15, *STRATEGIES, "--repeats", 2, "--batch", "--speed", 60,
        "--defect-rate", "0.5", "--store", store, "--ledger", store / "ledger.jsonl", "--json",
    )  # fmt: skip
    return store, document_of(done), done.stderr


def test_every_unit_is_answered_once_graded_and_recorded(batched):
    store, document, _ = batched
    run, requests, _ = recorded(store)
    assert run.status == "completed"
    assert len({(r.strategy, r.case_id, r.repeat) for r in requests}) == len(requests) == 120
    assert all(r.quality_score is not None for r in requests if r.status is RequestStatus.OK)
    assert {s["requests"] for s in document["strategies"]} == {30}


def test_the_bill_is_the_ledgers_and_half_of_the_standard_price(batched):
    store, _, _ = batched
    rows = ledger_rows(store / "ledger.jsonl")
    _, requests, calls = recorded(store)
    assert {row["call_id"] for row in rows} == {call.call_id for call in calls}
    assert {row["wire"] for row in rows} == {"anthropic.messages.batch", "openai.chat.batch"}
    total = sum(call.cost_usd for call in calls)
    assert total == billed(rows) == sum(r.cost_usd for r in requests)
    book = PriceBook.load()
    for call in calls:
        standard = book.price(call.provider, call.model, usage_of(call), at=call.started_at)
        assert call.price_context == "batch"
        assert standard.cost_usd == 2 * call.cost_usd


def test_repairs_go_out_together_after_all_drafts(batched):
    store, _, _ = batched
    _, _, calls = recorded(store)
    repairs = [call for call in calls if call.role == "repair"]
    assert len(repairs) > 30
    with open_store(store).snapshot() as view:
        events = view.dicts("SELECT payload FROM events WHERE name = 'eval.batch.submitting' ORDER BY ts")
    roles = [{call[5] for call in json.loads(event["payload"])["calls"]} for event in events]
    assert roles[:2] == [{"draft"}, {"draft"}]
    assert {"repair"} in roles
    assert len(roles) < 12, "calls trickled out instead of going together"


def test_nobody_timed_a_batched_answer(batched):
    store, document, _ = batched
    _, requests, calls = recorded(store)
    assert {call.latency_ms for call in calls} == {call.ttft_ms for call in calls} == {None}
    for name in ("latency_ms", "service_ms", "server_ms", "stages_ms"):
        assert all(getattr(row, name) is None for row in requests), name
    with open_store(store).snapshot() as view:
        told = view.rows(
            "SELECT count(*) FROM events WHERE json_extract(payload, '$.latency_ms')::DOUBLE > 0"
        )
    assert told == [(0,)]
    assert "went out in provider batches" in " ".join(document["answer_notes"])
    assert document["latency_note"] is None
    for figures in document["strategies"]:
        assert figures["p95_ms"]["value"] is None
        assert figures["p95_ms"]["over_limit"] is False


def test_the_gate_cannot_tell_the_p95_of_a_batched_run(batched):
    store, document, _ = batched
    gated = harness_here("gate", document["run"]["run_id"], "--store", store)
    assert gated.returncode == 3, gated.stdout
    assert "has a latency" in gated.stdout


def test_it_forecasts_at_batch_prices_and_from_batched_runs_only(batched):
    store, document, said = batched
    assert "batches: at the providers' batch prices" in said
    refused = harness_here("eval", "golden", *STRATEGIES, "--batch", "--budget", "0.0001", "--store", store)
    assert refused.returncode == 2
    assert "30 recorded requests" in refused.stderr
    other = harness_here("eval", "golden", *STRATEGIES, "--budget", "0.0001", "--store", store)
    assert other.returncode == 2
    assert "recorded requests" not in other.stderr
    batch_usd = sum(Decimal(str(s["cost_usd"])) for s in document["forecast"]["strategies"]) / 120
    told = next(line for line in other.stderr.splitlines() if line.startswith("forecast: $"))
    standard_usd = Decimal(told.split("$")[1].split()[0]) / (60 * 4)
    assert float(standard_usd / batch_usd) == pytest.approx(2, rel=0.1)


def test_what_fails_in_a_batch_is_classified_and_what_can_be_retried_is(tmp_path):
    faults = [
        {"kind": "expired", "rate": 0.3, "model": "gpt-4o-mini"},
        {"kind": "expired", "rate": 0.2, "model": "claude*"},
        {"kind": "overloaded", "first": 1, "rate": 0.5},
        {"kind": "truncated", "rate": 0.3},
        {"kind": "refusal", "rate": 0.5},
    ]
    done = harness_here(
        "eval", "golden", "--cases", 20, "--strategy", "all-anthropic", "--strategy", "all-openai", "--batch",
        "--speed", 60, "--faults", json.dumps(faults), "--store", tmp_path, "--ledger",
        tmp_path / "ledger.jsonl", "--json",
    )  # fmt: skip
    document = document_of(done)
    _, requests, calls = recorded(tmp_path)
    assert len(requests) == 40
    kinds = {(call.provider, call.error_kind) for call in calls if call.outcome is CallOutcome.ERROR}
    for provider in ("anthropic", "openai"):
        assert (provider, ErrorKind.TIMEOUT) in kinds  # expired
        assert (provider, ErrorKind.TRUNCATED) in kinds
        assert (provider, ErrorKind.CONTENT_FILTER) in kinds
    expired = [call for call in calls if call.error_kind is ErrorKind.TIMEOUT]
    assert all(call.cost_usd == 0 and call.attempt <= 2 for call in expired)
    again = {call.request_id for call in calls if call.attempt > 1}
    overloaded = {call.request_id for call in calls if call.error_kind is ErrorKind.OVERLOADED}
    assert overloaded
    assert overloaded <= again
    assert {r.status for r in requests} >= {RequestStatus.OK, RequestStatus.TIMEOUT}
    assert sum(call.cost_usd for call in calls) == billed(ledger_rows(tmp_path / "ledger.jsonl"))
    assert all(s["p95_ms"]["over_limit"] is False for s in document["strategies"])


def test_a_budget_holds_at_batch_prices_and_truncates(tmp_path):
    done = harness_here(
        "eval", "golden", "--cases", 40, "--strategy", "all-openai", "--batch", "--budget", "0.018", "--yes",
        "--speed", 60, "--store", tmp_path, "--json",
    )  # fmt: skip
    document = document_of(done)
    assert document["run"]["status"] == "truncated"
    _, requests, calls = recorded(tmp_path)
    assert 4 <= len(requests) < 40
    assert sum(call.cost_usd for call in calls) <= sum(call.cost_reserved_usd for call in calls)
    assert float(document["run"]["summary"]["committed_usd"]) <= 0.018


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--strategy", "hedge"], "hedges against slow answers"),
        (["--strategy", "FIXTURES"], "has no batch API"),
        (["--strategy", "UNPRICED"], "no batch price is known for openai/gpt-4"),
    ],
)
def test_what_cannot_be_batched_is_refused_in_one_sentence(tmp_path, options, sentence):
    for name, provider, model in (("FIXTURES", "fixtures", "fixture-v1"), ("UNPRICED", "openai", "gpt-4o")):
        file = tmp_path / f"{name}.yaml"
        file.write_text(f"name: mine\ntype: single\ndraft: {{provider: {provider}, model: {model}}}\n")
    prices = tmp_path / "prices.json"
    entry = {
        "provider": "openai", "model": "gpt-4o", "start_date": "2024-01-01",
        "source_url": "https://example.org/prices", "input_usd_per_mtok": "1", "output_usd_per_mtok": "2",
    }  # fmt: skip
    prices.write_text(json.dumps({"prices": [entry]}))
    chosen = [str(tmp_path / f"{word}.yaml") if word.isupper() else word for word in options]
    done = harness_here(
        "eval", "smoke", *chosen, "--batch", "--store", tmp_path / "store", HARNESS_PRICES=str(prices)
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_judges_follow_a_batched_run_at_once_and_at_the_standard_price(tmp_path):
    done = harness_here(
        "eval", "judged", "--cases", 2, "--batch", "--speed", 60, "--store", tmp_path, "--ledger",
        tmp_path / "ledger.jsonl", "--json",
    )  # fmt: skip
    document = document_of(done)
    assert document["run"]["status"] == "completed"
    _, requests, calls = recorded(tmp_path)
    contexts = {(call.role == "judge", call.price_context, call.latency_ms is None) for call in calls}
    assert contexts == {(False, "batch", True), (True, "standard", False)}
    assert all(row.latency_ms is None for row in requests)
    assert sum(call.cost_usd for call in calls) == billed(ledger_rows(tmp_path / "ledger.jsonl"))
    answered = [call for call in calls if call.role != "judge"]
    assert document["answer_notes"][0].startswith(f"{len(answered)} of {len(answered)} calls")
