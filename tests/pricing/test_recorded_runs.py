"""Recorded runs, from a real store: taken apart by `cost --run`, priced again by `runs reprice`."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from harness.pricing import PriceBook
from harness.records import (
    Call,
    CallOutcome,
    Request,
    RequestStatus,
    Role,
    Run,
    RunKind,
    UnpricedReason,
    Usage,
    load_json_exact,
)
from harness.store import Spool

AT = datetime(2026, 11, 1, tzinfo=UTC)
SONNET = ("anthropic", "claude-3-5-sonnet-20241022")
MINI = ("openai", "gpt-4o-mini")
BOOK = PriceBook.load()


def run_row(run_id):
    return Run(run_id=run_id, kind=RunKind.BASELINE, name=f"{run_id} name", started_at=AT)


def request_row(run_id, number, **changes):
    return Request(
        run_id=run_id, request_id=f"{run_id}-q{number}", status=RequestStatus.OK, started_at=AT, **changes
    )


def call_row(run_id, number, role, ref, tokens, **changes):
    usage = Usage(input_tokens=tokens[0], output_tokens=tokens[1])
    priced = BOOK.price(*ref, usage, at=AT)
    fields = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": priced.cost_usd,
        "price_source": priced.price_source,
        "price_version": priced.price_version,
        "priced_as": priced.priced_as,
    }
    return Call(
        run_id=run_id,
        request_id=f"{run_id}-q{number}",
        call_id=f"{run_id}-{number}-{role}",
        role=role,
        attempt=1,
        provider=ref[0],
        model=ref[1],
        started_at=AT + timedelta(seconds=number),
        latency_ms=1.0,
        outcome=CallOutcome.OK,
        **(fields | changes),
    )


@pytest.fixture
def store(tmp_path):
    """Run `good`: the hybrid example ten times, and a warm-up. Run `cut`: one stream was cut. `logs`: no calls."""
    unknown = {"input_tokens": None, "output_tokens": None, "cost_usd": None}
    records = [run_row("good"), request_row("good", 99, warmup=True)]
    records.append(call_row("good", 99, Role.DRAFT, SONNET, (9, 9)))
    for number in range(10):
        records.append(request_row("good", number))
        records.append(call_row("good", number, Role.DRAFT, SONNET, (2_000, 1_500)))
        records.append(call_row("good", number, Role.REPAIR, MINI, (800, 400)))
    records += [run_row("cut"), request_row("cut", 1), request_row("cut", 2)]
    records.append(call_row("cut", 1, Role.DRAFT, SONNET, (2_000, 1_500)))
    records.append(
        call_row(
            "cut", 2, Role.DRAFT, SONNET, (1, 1), unpriced_reason=UnpricedReason.USAGE_UNKNOWN, **unknown
        )
    )
    logged = {
        "draft_source": SONNET[0],
        "draft_model": SONNET[1],
        "draft_cost_usd": Decimal("0.0285"),
        "draft_input_tokens": 2_000,
        "draft_output_tokens": 1_500,
        "repair_source": MINI[0],
        "repair_model": MINI[1],
        "repair_cost_usd": Decimal("0.00036"),
        "repair_input_tokens": 800,
        "repair_output_tokens": 400,
    }
    records += [run_row("logs"), request_row("logs", 1, **logged), run_row("bare"), request_row("bare", 1)]
    with Spool.open(tmp_path) as spool:
        spool.append_many(records).result(30)
    return tmp_path


def test_a_run_is_taken_apart_by_its_recorded_calls(run_harness, store):
    code, text, _ = run_harness("cost", "--run", "good", "--store", store, "--per-month", 100_000, "--json")
    figures = load_json_exact(text)
    assert code == 0
    for name, value in {
        "requests": 10,
        "draft_cost_usd": "0.285",
        "repair_cost_usd": "0.0036",
        "cost_usd": "0.2886",
        "naive_cost_usd": "0.369",
        "single_provider_cost_usd": "0.369",
        "saving_ratio": "0.2178861789",
        "misstatement_ratio": "0.2785862786",
        "mixed_providers": True,
        "monthly_cost_usd": "2886",
        "monthly_saving_usd": "804",
    }.items():
        assert str(figures[name]) == str(value), name
    assert [(row["role"], row["calls"]) for row in figures["by_model"]] == [("draft", 10), ("repair", 10)]
    code, text, _ = run_harness("cost", "--run", "good", "--store", store)
    assert code == 0
    for shown in ("$0.285", "$0.0036", "$0.2886", "21.8%", "+27.9%", "unknown"):
        assert shown in text


def test_a_run_is_compared_at_the_prices_that_the_environment_names(
    run_harness, store, tmp_path, monkeypatch
):
    prices = tmp_path / "prices.json"
    entry = {
        "provider": "anthropic",
        "model": "claude-3-5-sonnet",
        "start_date": "2020-01-01",
        "source_url": "https://example.com/contract",
        "input_usd_per_mtok": "6",
        "output_usd_per_mtok": "30",
    }
    prices.write_text(json.dumps({"prices": [entry]}))
    monkeypatch.setenv("HARNESS_PRICES", str(prices))
    shown = load_json_exact(run_harness("runs", "show", "good", "--store", store, "--json")[1])["saving"]
    told = load_json_exact(run_harness("cost", "--run", "good", "--store", store, "--json")[1])
    assert shown["single_provider_usd"] == told["single_provider_cost_usd"] == Decimal("0.738")


def test_ingested_logs_without_calls_are_taken_apart_by_their_columns(run_harness, store):
    figures = load_json_exact(run_harness("cost", "--run", "logs", "--store", store, "--json")[1])
    assert (str(figures["cost_usd"]), str(figures["naive_cost_usd"])) == ("0.02886", "0.0369")


def test_an_unpriced_call_makes_the_total_unknown_and_is_counted(run_harness, store):
    figures = load_json_exact(run_harness("cost", "--run", "cut", "--store", store, "--json")[1])
    assert (figures["cost_usd"], figures["known_cost_usd"], figures["unpriced_calls"]) == (
        None,
        Decimal("0.0285"),
        1,
    )
    assert (figures["requests"], figures["compared_requests"]) == (2, 1)
    text = run_harness("cost", "--run", "cut", "--store", store)[1]
    assert "excludes 1 unpriced call" in text
    assert "1 of 2 requests" in text


def test_what_cannot_be_taken_apart_is_one_sentence(run_harness, store, tmp_path):
    for args in (
        ("--run", "bare", "--store", store),
        ("--run", "none", "--store", store),
        ("--run", "good", "--store", tmp_path / "nothing"),
        ("--run", "good", "--store", store, "--draft", "openai/gpt-4o:1/1"),
    ):
        code, text, error = run_harness("cost", *args)
        assert (code, text, error.count("\n")) == (2, "", 1)


def test_repricing_shows_old_and_new_and_leaves_the_record_alone(run_harness, store, tmp_path):
    def reprice(*args):
        code, text, _ = run_harness("runs", "reprice", *args, "--store", store, "--json")
        assert code == 0
        return load_json_exact(text)

    prices = tmp_path / "own.json"
    prices.write_text(
        '{"prices": [{"provider": "openai", "model": "gpt-4o-mini", "start_date": "2024-01-01",'
        ' "source_url": "https://example.com", "input_usd_per_mtok": "0.30", "output_usd_per_mtok": "1.20"}]}'
    )
    figures = reprice("good", "--prices", prices)
    assert (figures["calls"], figures["compared_calls"]) == (20, 20)
    totals = [str(figures[name]) for name in ("old_cost_usd", "new_cost_usd", "change_usd")]
    assert totals == ["0.2886", "0.2922", "0.0036"]
    again = reprice("good")
    assert str(again["old_cost_usd"]) == str(again["new_cost_usd"]) == "0.2886"
    cut = reprice("cut", "--at", "2026-01-01")
    assert (cut["old_unpriced_calls"], cut["new_unpriced_calls"], cut["compared_calls"]) == (1, 1, 1)


def test_the_repricing_table_says_what_it_leaves_out(run_harness, store):
    code, text, _ = run_harness("runs", "reprice", "cut", "--store", store)
    assert code == 0
    for shown in ("$0.0285", "excludes 1 unpriced call", "genai-prices", "Nothing recorded was changed"):
        assert shown in text
    assert run_harness("runs", "reprice", "bare", "--store", store)[0] == 2
