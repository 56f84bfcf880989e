"""The official OpenAI SDK, unmodified, against the emulator."""

import io
import time

import openai
import orjson
import pydantic
import pytest

from harness.emulator import EmulatorSettings, RunningEmulator, running_emulator
from harness.emulator.faults import rules_from

MODEL = "gpt-4o-mini"
HELLO = [{"role": "user", "content": "Hello there"}]
BRIEF = "<brief>We have $40,000. Should we hire two people, or buy the tool for $9,000?</brief>"
STRICT = {
    "type": "object",
    "properties": {"score": {"type": "number"}, "note": {"type": ["string", "null"]}},
    "required": ["score", "note"],
    "additionalProperties": False,
}


def test_a_completion_carries_text_usage_and_headers(gpt):
    raw = gpt.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    completion = raw.parse()
    assert raw.headers["x-harness-emulated"] == "1"
    assert raw.headers["x-request-id"].startswith("req_")
    assert int(raw.headers["x-ratelimit-remaining-requests"]) >= 0
    assert completion.choices[0].message.content
    assert completion.choices[0].finish_reason == "stop"
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )


@pytest.mark.parametrize("wanted", [True, False])
def test_usage_is_streamed_only_when_asked_for(gpt, wanted):
    options = {"stream_options": {"include_usage": True}} if wanted else {}
    chunks = list(gpt.chat.completions.create(model=MODEL, messages=HELLO, stream=True, **options))
    assert [chunk.usage is not None for chunk in chunks].count(True) == int(wanted)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(text) > 40
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"


def test_strict_json_schema_is_kept(gpt):
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": STRICT, "strict": True}}
    completion = gpt.chat.completions.create(model=MODEL, messages=HELLO, response_format=form)
    value = orjson.loads(completion.choices[0].message.content)
    assert set(value) == {"score", "note"}


def test_parse_gives_the_callers_model(gpt):
    class Verdict(pydantic.BaseModel):
        score: float
        reason: str

    completion = gpt.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=Verdict)
    assert isinstance(completion.choices[0].message.parsed, Verdict)


def test_a_required_tool_is_called_in_a_stream(gpt):
    tool = {"type": "function", "function": {"name": "answer", "parameters": STRICT}}
    with gpt.chat.completions.stream(
        model=MODEL, messages=HELLO, tools=[tool], tool_choice="required"
    ) as stream:
        completion = stream.get_final_completion()
    call = completion.choices[0].message.tool_calls[0]
    assert completion.choices[0].finish_reason == "tool_calls"
    assert set(orjson.loads(call.function.arguments)) == {"score", "note"}


def test_reasoning_tokens_are_part_of_the_output(gpt):
    usage = gpt.chat.completions.create(model="o3", messages=HELLO).usage
    reasoning = usage.completion_tokens_details.reasoning_tokens
    assert 0 <= reasoning < usage.completion_tokens


async def test_the_asynchronous_client_streams(emulator: RunningEmulator):
    async with openai.AsyncOpenAI(api_key="k", base_url=emulator.openai_base_url, max_retries=0) as client:
        stream = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        assert len([chunk async for chunk in stream]) > 3


def test_a_response_streams_typed_events(gpt):
    form = {"format": {"type": "json_schema", "name": "verdict", "schema": STRICT, "strict": True}}
    with gpt.responses.stream(model=MODEL, input="Judge this", instructions="Be fair", text=form) as stream:
        kinds = [event.type for event in stream]
        response = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert set(orjson.loads(response.output_text)) == {"score", "note"}
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


def test_a_response_in_one_piece_can_be_incomplete(gpt):
    response = gpt.responses.create(model=MODEL, input="Hello there", max_output_tokens=16)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.usage.output_tokens == 16


def test_models_are_listed(gpt):
    assert MODEL in {model.id for model in gpt.models.list()}
    with pytest.raises(openai.NotFoundError):
        gpt.models.retrieve("gpt-0")


def handed_over(gpt, bodies):
    """A batch of these bodies, and the file they went up in."""
    lines = [
        {"custom_id": f"line-{n}", "method": "POST", "url": "/v1/chat/completions", "body": body}
        for n, body in enumerate(bodies)
    ]
    upload = io.BytesIO(b"\n".join(map(orjson.dumps, lines)))
    stored = gpt.files.create(file=upload, purpose="batch")
    assert gpt.files.content(stored.id).read() == upload.getvalue()
    return gpt.batches.create(
        input_file_id=stored.id, endpoint="/v1/chat/completions", completion_window="24h"
    )


def ended(gpt, batch):
    deadline = time.monotonic() + 20
    while (batch := gpt.batches.retrieve(batch.id)).status == "in_progress":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return batch


def test_a_batch_goes_from_file_to_file(gpt):
    asked = {"model": MODEL, "messages": HELLO}
    batch = ended(gpt, handed_over(gpt, [asked, {**asked, "nonsense": 1}]))
    assert batch.status == "completed"
    assert (batch.request_counts.completed, batch.request_counts.failed) == (1, 1)
    good = orjson.loads(gpt.files.content(batch.output_file_id).text)
    bad = orjson.loads(gpt.files.content(batch.error_file_id).text)
    assert (good["custom_id"], good["response"]["status_code"]) == ("line-0", 200)
    assert (bad["custom_id"], bad["response"]["status_code"]) == ("line-1", 400)


def test_a_batch_is_for_one_model_and_serves_no_prompt_cache(gpt):
    long = [{"role": "system", "content": "word " * 2000}, *HELLO]
    asked = {"model": MODEL, "messages": long}
    with pytest.raises(openai.BadRequestError, match="one model"):
        handed_over(gpt, [asked, {**asked, "model": "gpt-4o"}])
    gpt.chat.completions.create(**asked)
    batch = ended(gpt, handed_over(gpt, [asked]))
    answer = orjson.loads(gpt.files.content(batch.output_file_id).text)["response"]["body"]
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


def test_an_expired_item_is_in_the_error_file_and_bills_nothing():
    rules = rules_from({"kind": "expired"}, "test")
    with running_emulator(EmulatorSettings(speed=200, faults=rules)) as emulator:
        with openai.OpenAI(api_key="k", base_url=emulator.openai_base_url, max_retries=0) as client:
            asked = {"model": MODEL, "messages": HELLO}
            assert client.chat.completions.create(**asked).choices, "only batches expire"
            batch = ended(client, handed_over(client, [asked]))
            line = orjson.loads(client.files.content(batch.error_file_id).text)
        rows = emulator.settled()
    assert (batch.status, line["error"]["code"]) == ("expired", "batch_expired")
    assert [row.cost_usd is None for row in rows] == [False, True]


def test_a_response_that_reasoned_has_an_item_for_it(gpt, emulator: RunningEmulator):
    with gpt.responses.stream(model="gpt-5-mini", input=BRIEF) as stream:
        kinds = [event.type for event in stream]
        response = stream.get_final_response()
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done") == 2
    entry = emulator.settled()[-1]
    assert response.usage.output_tokens_details.reasoning_tokens == entry.reasoning_tokens > 0
    assert entry.cost_usd is not None


def test_a_response_can_fail_in_mid_stream(gpt):
    headers = {"X-Emulate-Fault": "stream_error"}
    events = list(gpt.responses.create(model=MODEL, input="Hi", stream=True, extra_headers=headers))
    assert events[-1].type == "response.failed"
    assert (events[-1].response.status, events[-1].response.error.code) == ("failed", "server_error")
    assert events[-1].response.usage is None


def test_a_model_of_the_responses_route_has_no_other(gpt):
    assert gpt.responses.create(model="o3-pro", input="Hi").output_text
    with pytest.raises(openai.NotFoundError, match="only supported in v1/responses"):
        gpt.chat.completions.create(model="o3-pro", messages=HELLO)
