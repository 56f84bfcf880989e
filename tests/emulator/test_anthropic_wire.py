"""The official Anthropic SDK, unmodified, against the emulator."""

import time

import anthropic
import orjson
import pydantic
import pytest

from harness.emulator import RunningEmulator

MODEL = "claude-3-5-sonnet-20241022"
BRIEF = "<brief>We have $40,000. Should we hire two people, or buy the tool for $9,000?</brief>"
HELLO = [{"role": "user", "content": "Hello there"}]
SCHEMA = {
    "type": "object",
    "properties": {"graph": {"type": "object"}, "confidence": {"type": "number"}},
    "required": ["graph"],
}


def test_a_message_carries_text_usage_and_headers(claude):
    raw = claude.messages.with_raw_response.create(model=MODEL, max_tokens=200, messages=HELLO)
    message = raw.parse()
    assert raw.headers["x-harness-emulated"] == "1"
    assert raw.headers["request-id"].startswith("req_")
    assert int(raw.headers["anthropic-ratelimit-requests-remaining"]) >= 0
    assert message.content[0].text
    assert (message.role, message.stop_reason, message.model) == ("assistant", "end_turn", MODEL)
    assert message.usage.output_tokens == -(-len(message.content[0].text.encode()) // 4)


def test_a_stream_assembles_to_the_same_kind_of_message(claude):
    with claude.messages.stream(
        model=MODEL, max_tokens=4000, messages=[{"role": "user", "content": BRIEF}]
    ) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert message.content[0].text == text
    assert message.usage.output_tokens == -(-len(text.encode()) // 4)
    assert orjson.loads(text.strip("`json\n"))["graph"]["nodes"]


def test_a_forced_tool_is_called_with_an_answer_object(claude):
    tools = [{"name": "answer", "input_schema": SCHEMA}]
    choice = {"type": "tool", "name": "answer"}
    ask = {"model": MODEL, "max_tokens": 4000, "tools": tools, "tool_choice": choice}
    with claude.messages.stream(messages=[{"role": "user", "content": BRIEF}], **ask) as stream:
        message = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    assert message.content[0].name == "answer"
    assert message.content[0].input["graph"]["edges"]


def test_structured_output_parses_into_the_callers_model(claude):
    class Verdict(pydantic.BaseModel):
        score: float
        reason: str

    parsed = claude.messages.parse(
        model="claude-sonnet-5-5", max_tokens=200, messages=HELLO, output_format=Verdict
    )
    assert isinstance(parsed.parsed_output, Verdict)


def test_max_tokens_truncates(claude):
    message = claude.messages.create(model=MODEL, max_tokens=5, messages=HELLO)
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 5)


def test_a_stop_sequence_ends_the_answer(claude):
    message = claude.messages.create(model=MODEL, max_tokens=200, messages=HELLO, stop_sequences=["small"])
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "small")
    assert "small" not in message.content[0].text


async def test_the_asynchronous_client_streams(emulator: RunningEmulator):
    client = anthropic.AsyncAnthropic(api_key="k", base_url=emulator.base_url, max_retries=0)
    async with client, client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO) as stream:
        assert (await stream.get_final_message()).stop_reason == "end_turn"


def test_counted_tokens_are_the_tokens_charged(claude):
    counted = claude.messages.count_tokens(model=MODEL, messages=HELLO, system="Be brief.").input_tokens
    message = claude.messages.create(model=MODEL, max_tokens=50, messages=HELLO, system="Be brief.")
    assert counted == message.usage.input_tokens > 0


def test_models_are_listed(claude):
    assert MODEL in {model.id for model in claude.models.list()}
    with pytest.raises(anthropic.NotFoundError):
        claude.models.retrieve("claude-0")


def test_a_batch_ends_with_every_item_at_half_price(claude, emulator: RunningEmulator):
    params = {"model": MODEL, "max_tokens": 60, "messages": HELLO}
    items = [{"custom_id": f"item-{n}", "params": params} for n in range(3)]
    items.append({"custom_id": "bad", "params": {**params, "model": "claude-0"}})
    batch = claude.messages.batches.create(requests=items)
    assert batch.processing_status == "in_progress"
    deadline = time.monotonic() + 20
    while claude.messages.batches.retrieve(batch.id).processing_status != "ended":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    results = {line.custom_id: line.result for line in claude.messages.batches.results(batch.id)}
    assert {name: result.type for name, result in results.items()} == {
        "item-0": "succeeded", "item-1": "succeeded", "item-2": "succeeded", "bad": "errored",
    }  # fmt: skip
    assert results["item-0"].message.usage.service_tier == "batch"
    entry = next(e for e in emulator.settled() if e.call_id == "item-0")
    assert entry.wire == "anthropic.messages.batch"
    full_price = entry.input_tokens * 3 + entry.output_tokens * 15
    assert float(entry.cost_usd) == pytest.approx(full_price / 2e6)


@pytest.mark.parametrize("custom_id", ["has space", "x" * 65, ""])
def test_a_batch_refuses_ids_that_the_real_one_refuses(claude, custom_id):
    params = {"model": MODEL, "max_tokens": 60, "messages": HELLO}
    with pytest.raises(anthropic.BadRequestError, match="custom_id"):
        claude.messages.batches.create(requests=[{"custom_id": custom_id, "params": params}])
