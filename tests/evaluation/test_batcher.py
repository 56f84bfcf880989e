"""How calls become batches: in the order of the plan, each of one model, within the provider's limits."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from harness.evaluation.batches.queue import Pace, Waiting, chunks
from harness.evaluation.batches.record import (
    BatchedCall,
    BatchLog,
    RecordedBatch,
    acknowledged,
    batched_progress,
)
from harness.evaluation.resume import Progress
from harness.providers.base import ProviderSettings
from harness.providers.batch import BatchItem, BatchLimits
from harness.providers.batch_registry import batch_api
from harness.records import dump_json, load_json_exact
from tests.evaluation.test_units import AT


def call(number):
    return BatchedCall(
        call_id=f"call-{number}", request_id=f"r{number}", key=("s", f"case-{number}", 1), role="draft",
        reserved_usd=Decimal("0.0125"),
    )  # fmt: skip


def two_apis(limits):
    settings = ProviderSettings(
        name="openai", kind="openai", base_url="http://127.0.0.1:9/v1", api_key="sk-test"
    )
    apis = [batch_api(settings, model) for model in ("gpt-4o-mini", "gpt-4o")]
    for api in apis:
        api.limits = limits
    return apis


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 1), st.integers(0, 900)), max_size=60),
    st.integers(1, 7),
    st.integers(500, 3000),
)
async def test_every_call_is_in_one_chunk_of_its_model_within_both_limits(asked, most, most_bytes):
    apis = two_apis(BatchLimits(items=most, bytes=most_bytes))
    queue = [
        Waiting(call=call(n), order=order, api=apis[which], item=BatchItem(custom_id=f"call-{n}", body={"x": "y" * size}))
        for n, (order, which, size) in enumerate(asked)
    ]  # fmt: skip
    found = chunks(queue)
    assert sorted(id(w) for chunk in found for w in chunk) == sorted(id(w) for w in queue)
    for chunk in found:
        assert len({id(w.api) for w in chunk}) == 1
        assert len(chunk) <= most
        assert len(chunk) == 1 or sum(w.item.size_bytes for w in chunk) <= most_bytes
        assert [w.order for w in chunk] == sorted(w.order for w in chunk)


def test_an_items_size_bounds_its_line_in_the_file():
    item = BatchItem(custom_id="call-1", body={"messages": [{"role": "user", "content": "ä" * 50}]})
    line = {"custom_id": item.custom_id, "method": "POST", "url": "/v1/chat/completions", "body": item.body}
    assert len(dump_json(line)) <= item.size_bytes


def test_polls_back_off_to_a_bound():
    waits = Pace(first_s=0.5, factor=2, longest_s=3).waits()
    assert [next(waits) for _ in range(5)] == [0.5, 1.0, 2.0, 3, 3]


def test_a_batched_call_survives_its_event():
    record = RecordedBatch(label="batch-1", provider="p", model="m", calls=(call(1), call(2)))
    event = BatchLog(run_id="run-1", environment=None).submitting(record, AT)
    told = load_json_exact(dump_json(event.payload))
    assert tuple(BatchedCall.read(row) for row in told["calls"]) == record.calls


def test_in_doubt_is_only_what_was_sent_and_neither_acknowledged_nor_refused():
    def batch(label, number, **changes):
        return RecordedBatch(label=label, provider="p", model="m", calls=(call(number),), **changes)

    batches = [batch("a", 1, batch_id="b-1"), batch("b", 2), batch("c", 3, refused=True)]
    progress = batched_progress(Progress(recorded_usd=Decimal(1)), batches)
    assert [case.case_id for case in progress.in_doubt] == ["case-2"]
    assert progress.committed_usd == Decimal("1.0125")
    assert list(acknowledged(batches)) == ["call-1"]
