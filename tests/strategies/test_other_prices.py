"""A run re-priced: old beside new, unknown stays unknown, free stays free."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from harness.figures.selection import Rows, Selection
from harness.pricing import PriceBook
from harness.records import Call, CallOutcome, Request, RequestStatus, Role, UnpricedReason
from harness.strategies.attempts import recorded_attempts
from harness.strategies.other_prices import repriced_run
from harness.strategies.run_cost import run_cost
from tests.strategies.recorded import run_of, snapshot

AT = datetime(2026, 11, 1, tzinfo=UTC)


def call(call_id, role=Role.DRAFT, **changes):
    fields = {
        "run_id": "r",
        "request_id": "q",
        "call_id": call_id,
        "role": role,
        "attempt": 1,
        "provider": "openai",
        "model": "gpt-4o",
        "started_at": AT,
        "latency_ms": 1.0,
        "outcome": CallOutcome.OK,
        "input_tokens": 2_000,
        "output_tokens": 1_000,
        "cost_usd": Decimal("0.015"),
        "price_source": "genai-prices",
        "price_version": "0.1.0",
    }
    return Call(**(fields | changes))


CALLS = [
    call("a"),
    call(
        "b", Role.REPAIR, provider="anthropic", model="claude-3-5-sonnet-20241022", cost_usd=Decimal("0.02")
    ),
    call(
        "cut",
        input_tokens=None,
        output_tokens=None,
        cost_usd=None,
        unpriced_reason=UnpricedReason.USAGE_UNKNOWN,
    ),
    call("new", provider="acme", model="m-1", cost_usd=None, unpriced_reason=UnpricedReason.UNPRICED),
    call(
        "free",
        provider="vllm",
        model="llama",
        cost_usd=Decimal(0),
        price_source="declared",
        price_version=None,
    ),
    call("never sent", outcome=CallOutcome.REFUSED, cost_usd=None, unpriced_reason=UnpricedReason.UNPRICED),
]


def broken_down(calls):
    rows = [
        Request(run_id="r", request_id=name, status=RequestStatus.OK, started_at=AT) for name in ("q", "p")
    ]
    view = snapshot(*run_of("r"), *rows, *calls)
    return run_cost(recorded_attempts(Rows(view, Selection(run_ids=("r",)))), PriceBook.load())


def repriced(calls, book, at=None, **request):
    row = Request(run_id="r", request_id="q", status=RequestStatus.OK, started_at=AT, **request)
    view = snapshot(*run_of("r"), row, *calls)
    return repriced_run(Rows(view, Selection(run_ids=("r",))), book, at)


def test_a_run_without_calls_is_priced_by_its_requests_own_columns():
    logged = {
        "draft_source": "openai",
        "draft_model": "gpt-4o",
        "draft_input_tokens": 2_000,
        "draft_output_tokens": 1_000,
    }
    run = repriced([], PriceBook.load(), **logged)
    assert (run.calls, run.old_unpriced, run.new_cost_usd) == (1, 1, Decimal("0.015"))


def test_old_and_new_totals_count_what_they_cannot_price(tmp_path):
    prices = {
        "provider": "acme",
        "model": "m-1",
        "start_date": "2026-01-01",
        "source_url": "https://example.com",
        "input_usd_per_mtok": "1",
        "output_usd_per_mtok": "2",
    }
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"prices": [prices]}))
    run = repriced(CALLS, PriceBook.load(path))
    assert (run.calls, run.old_unpriced, run.new_unpriced, run.compared_calls) == (5, 2, 1, 3)
    assert (run.old_cost_usd, run.new_cost_usd) == (Decimal("0.035"), Decimal("0.040"))
    assert run.change_usd == Decimal("0.001")  # only over what both sides price
    assert sum(row.new_cost_usd for row in run.rows) == run.new_cost_usd
    assert "genai-prices 0.1.0" in run.old_prices
    assert any(name.startswith("overrides:own.json") for name in run.new_prices)


def test_prices_of_another_date_apply_to_all_calls():
    calls = [call("o3", model="o3", cost_usd=Decimal("0.012"))]
    assert repriced(calls, PriceBook.load()).new_cost_usd == Decimal("0.012")
    before = repriced(calls, PriceBook.load(), datetime(2025, 1, 1, tzinfo=UTC))
    assert (before.new_cost_usd, before.change_usd) == (Decimal("0.06"), Decimal("0.048"))


def test_a_run_that_nobody_can_price_has_no_change():
    assert repriced([], PriceBook.load()).change_usd is None
    assert repriced([CALLS[2]], PriceBook.load()).change_usd is None


@pytest.mark.parametrize(
    ("draft", "repair", "mixed"),
    [
        ("openai", "openai", False),
        ("openai", "anthropic", True),
        ("anthropic", "openai", True),
        ("openai", None, None),
    ],
)
def test_a_recorded_run_is_taken_apart_by_its_recorded_costs(draft, repair, mixed):
    models = {"openai": "gpt-4o", "anthropic": "claude-3-5-sonnet-20241022"}
    calls = [call("a", provider=draft, model=models[draft])]
    if repair:
        calls.append(call("b", Role.REPAIR, provider=repair, model=models[repair], cost_usd=Decimal("0.02")))
    found = broken_down(calls)
    assert found.cost_usd == sum(c.cost_usd for c in calls)
    assert found.mixed_providers is mixed
    assert found.repair_cost_usd == (Decimal("0.02") if repair else None)


def test_comparisons_use_only_requests_whose_every_call_is_known():
    again = [replace(made, request_id="p", call_id=f"{made.call_id} again") for made in (CALLS[0], CALLS[2])]
    found = broken_down([CALLS[0], CALLS[1], *again])
    assert (found.n_requests, found.n_compared, found.unpriced_calls) == (2, 1, 1)
    assert (found.cost_usd, found.known_cost_usd, found.compared_cost_usd) == (
        None,
        Decimal("0.05"),
        Decimal("0.035"),
    )
    assert found.naive_cost_usd == Decimal("0.03")  # both calls of the known request at gpt-4o
