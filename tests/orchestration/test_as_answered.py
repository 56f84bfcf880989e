"""Calls are recorded and priced as they were answered: by which model, on which terms, at whose bill."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest

from harness.orchestration.adapters import AdapterPool
from harness.orchestration.attempt import CallScope
from harness.orchestration.caller import Caller
from harness.orchestration.ledger import Ledger
from harness.orchestration.routing import Route
from harness.pricing import Budget, PriceBook
from harness.pricing.reprice import priced_again
from harness.providers.base import ProviderSettings
from harness.records import Call, UnpricedReason
from tests.providers.asking import PLAIN
from tests.providers.wire import Reply, wire_server

BOOK = PriceBook.load()
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}


def whole(**told: Any) -> Reply:
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
        ],
        "usage": USAGE,
    }
    headers = told.pop("headers", {})
    return Reply([json.dumps(body | told)], content_type="application/json", headers=headers)


async def recorded(reply: Reply, model: str = "gpt-4o", provider: str = "openai", **settings: Any) -> Call:
    async with wire_server([reply]) as server:
        how = ProviderSettings(
            name=provider, kind="openai", base_url=f"{server.url}/v1", api_key="k", stream=False, **settings
        )
        pool, ledger = AdapterPool(), Ledger()
        scope = CallScope(
            request_id="r",
            run_id=None,
            budget=Budget("request", None),
            deadline_ns=time.monotonic_ns() + 10**10,
            ledger=ledger,
        )
        route = Route(provider=provider, model=model, settings=how)
        try:
            await Caller(pool=pool, book=BOOK, allow_unpriced=True).ask(route, PLAIN, scope)
        finally:
            await pool.aclose()
    (call,) = ledger.calls
    return call


async def test_the_model_that_answered_is_recorded_and_priced() -> None:
    call = await recorded(whole(model="gpt-4o-2024-05-13"))
    assert (call.model, call.served_model, call.priced_as) == (
        "gpt-4o",
        "gpt-4o-2024-05-13",
        "gpt-4o-2024-05-13",
    )
    assert call.cost_usd == Decimal("0.0065")
    assert call.finish_reason == "stop"
    assert priced_again(call, BOOK).cost_usd == call.cost_usd


async def test_another_models_price_is_that_models() -> None:
    call = await recorded(whole(model="deepseek-v4-flash"), "deepseek-reasoner", "deepseek")
    assert call.priced_as == "deepseek-v4-flash"
    call = await recorded(whole(model="who-knows-1"))
    assert (call.cost_usd, call.unpriced_reason) == (None, UnpricedReason.UNPRICED)
    assert "who-knows-1" in str(priced_again(call, BOOK).problem)


@pytest.mark.parametrize(
    ("told", "cost_usd", "context", "terms"),
    [
        ({"service_tier": "default"}, "0.0035", "standard", None),
        ({"service_tier": "fast"}, "0.00595", "fast", {"service_tier": "fast"}),
        ({"service_tier": "priority"}, "0.00595", "priority", {"service_tier": "priority"}),
        ({"service_tier": "hyper"}, None, "hyper", {"service_tier": "hyper"}),
        (
            {"usage": USAGE | {"server_tool_use": {"web_search_requests": 2}}},
            "0.0235",
            "standard",
            {"searches": 2},
        ),
        (
            {"usage": USAGE | {"prompt_tokens_details": {"audio_tokens": 7}}},
            None,
            "standard",
            {"audio_input_tokens": 7},
        ),
    ],
)
async def test_what_the_bill_rests_on_is_kept_with_the_call(
    told: dict[str, Any], cost_usd: str | None, context: str, terms: dict[str, Any] | None
) -> None:
    call = await recorded(whole(**told))
    assert (call.cost_usd, call.price_context, call.served_terms) == (
        None if cost_usd is None else Decimal(cost_usd),
        context,
        terms,
    )
    assert priced_again(call, BOOK).cost_usd == call.cost_usd


@pytest.mark.parametrize(
    "reply",
    [
        whole(usage=USAGE | {"cost": 0.0042}),
        whole(usage=USAGE | {"cost_in_usd_ticks": 42_000_000}),
        whole(headers={"x-litellm-response-cost": "0.0042"}),
        whole(cost_estimate=0.0042),
    ],
)
async def test_the_providers_own_bill_stands_beside_ours_or_counts(reply: Reply) -> None:
    call = await recorded(reply)
    assert (call.cost_usd, call.provider_cost_usd) == (Decimal("0.0035"), Decimal("0.0042"))
    call = await recorded(reply, cost="provider")
    assert (call.cost_usd, call.provider_cost_usd) == (Decimal("0.0042"), Decimal("0.0042"))
    assert (call.price_source, call.unpriced_reason) == ("provider", None)


async def test_a_provider_that_counts_prices_what_the_book_does_not_know() -> None:
    reply = whole(model="x/y", usage=USAGE | {"cost": "0.0042"})
    call = await recorded(reply, "openrouter/auto", "openrouter", cost="provider")
    assert call.cost_usd == Decimal("0.0042")
    call = await recorded(whole(), cost="provider")  # it told no bill of its own
    assert (call.cost_usd, call.price_source) == (Decimal("0.0035"), "genai-prices")


async def test_a_bill_that_no_table_can_hold_is_no_bill() -> None:
    call = await recorded(whole(usage=USAGE | {"cost": 1e30}), cost="provider")
    assert (call.cost_usd, call.provider_cost_usd) == (Decimal("0.0035"), None)
