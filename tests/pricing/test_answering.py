"""Who answered a run, at whose bill, and why some of it has no price: said by `cost --run` and `runs show`."""

from decimal import Decimal

import pytest

from harness.pricing import PriceBook
from harness.records import CallOutcome, UnpricedReason, load_json_exact
from harness.report.answering import answering, remarks
from harness.store import ingest, open_store
from tests.store.samples import a_call, a_request, a_run, write

BOOK = PriceBook.load()


def told(number, provider, model, **changes):
    return a_call(
        number, **{"provider": provider, "model": model, "input_tokens": 10, "output_tokens": 1} | changes
    )


@pytest.fixture
def store(tmp_path):
    unpriced = {"cost_usd": None, "unpriced_reason": UnpricedReason.UNPRICED}
    bill = {"cost_usd": Decimal("0.01")}
    write(
        tmp_path,
        a_run("run-1"),
        *(a_request(n) for n in range(1, 12)),
        a_request(12, warmup=True),
        told(1, "openai", "gpt-4o", served_model="gpt-4o-2024-08-06"),
        told(2, "openai", "gpt-4o", served_model="gpt-4o-2024-08-06"),
        told(3, "openai", "gpt-4o", served_model="gpt-4o-2024-11-20"),
        told(4, "deepseek", "deepseek-reasoner", served_model="deepseek-v4-flash"),
        told(5, "openai", "gpt-4o-mini"),
        told(6, "openrouter", "openai/gpt-4o", **bill, provider_cost_usd=Decimal("0.0101")),
        told(7, "openrouter", "openai/gpt-4o", **bill, provider_cost_usd=Decimal("0.012")),
        told(
            8,
            "openrouter",
            "openai/gpt-4o",
            **bill,
            provider_cost_usd=Decimal("0.012"),
            price_source="provider",
        ),
        told(9, "openai", "gpt-4o-mini", **unpriced, served_terms={"tool_calls": 2}),
        told(10, "openai", "gpt-4o", **unpriced, price_context="scale"),
        told(11, "openai", "gpt-4o", served_model="o1", outcome=CallOutcome.REFUSED),
        told(12, "openai", "gpt-4o", served_model="o3"),
    )
    ingest(tmp_path)
    return tmp_path


def test_a_run_tells_who_answered_at_whose_bill(store):
    with open_store(store).snapshot() as view:
        found = answering(view, "run-1", BOOK)
    assert found.models_answered == 3
    assert [(row.served, row.calls, row.is_another) for row in found.answered] == [
        ("deepseek-v4-flash", 1, True),
        ("gpt-4o-2024-08-06", 2, False),
        ("gpt-4o-2024-11-20", 1, False),
    ]
    (bill,) = found.billed
    assert (bill.calls, bill.disagreeing, bill.ours_usd, bill.theirs_usd) == (
        2,
        1,
        Decimal("0.02"),
        Decimal("0.0221"),
    )
    said = list(remarks(found))
    assert (
        said[0]
        == "Another model than deepseek/deepseek-reasoner answered, and is priced: deepseek-v4-flash (1 call)."
    )
    assert said[1].startswith("2 models answered as openai/gpt-4o: gpt-4o-2024-08-06 (2 calls), ")
    assert said[2].startswith(
        "openrouter's own bill is over 1% from ours on 1 of 2 calls: $0.0221 by its word"
    )
    assert any("calls of server-side tools" in remark for remark in said)
    assert any("no scale price is known for openai/gpt-4o" in remark for remark in said)


def test_the_commands_say_it(run_harness, store):
    code, text, _ = run_harness("cost", "--run", "run-1", "--store", store, "--json")
    answered = load_json_exact(text)["as_answered"]
    assert (code, answered["models_answered"], answered["provider_bills"][0]["disagreeing_calls"]) == (
        0,
        3,
        1,
    )
    for command in (("cost", "--run", "run-1"), ("runs", "show", "run-1")):
        code, text, _ = run_harness(*command, "--store", store)
        assert (code, "2 models answered as openai/gpt-4o" in text, "own bill is over 1%" in text) == (
            0,
            True,
            True,
        )


def test_a_run_as_asked_has_nothing_to_say(tmp_path):
    write(tmp_path, a_run("run-1"), a_request(1), told(1, "openai", "gpt-4o", served_model="gpt-4o"))
    with open_store(tmp_path).snapshot() as view:
        found = answering(view, "run-1", BOOK)
    assert (found.models_answered, list(remarks(found))) == (1, [])
    with open_store(tmp_path).snapshot() as view:
        assert answering(view, "no-such-run", BOOK).models_answered is None
