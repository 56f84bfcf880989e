"""The official AWS SDK, unmodified, against the emulator's Converse routes."""

import botocore.exceptions
import orjson
import pytest
import urllib3.exceptions

from harness.emulator import RunningEmulator

NOVA, HAIKU = "amazon.nova-lite-v1:0", "global.anthropic.claude-haiku-4-5-20251001-v1:0"
R1 = "deepseek.r1-v1:0"
HELLO = [{"role": "user", "content": [{"text": "Hello"}]}]
BRIEF = "<brief>We have $40,000. Should we hire two people, or buy the tool for $9,000?</brief>"
SCHEMA = {
    "type": "object",
    "properties": {"score": {"type": "number"}},
    "required": ["score"],
    "additionalProperties": False,
}
TOOL = {"toolSpec": {"name": "answer", "inputSchema": {"json": SCHEMA}}}
FORCED = {"tools": [TOOL], "toolChoice": {"tool": {"name": "answer"}}}
FORMAT = {"type": "json_schema", "structure": {"jsonSchema": {"name": "answer", "schema": "{}"}}}
LONG = "stable words " * 1400


@pytest.fixture
def struck(bedrock):
    """A client whose every request asks the emulator for a fault."""

    asked = [""]

    def add_fault(request, **_):
        request.headers.add_header("X-Emulate-Fault", asked[0])

    def with_fault(fault):
        asked[0] = fault
        return bedrock

    bedrock.meta.events.register_first("before-sign.bedrock-runtime.*", add_fault)
    yield with_fault
    bedrock.meta.events.unregister("before-sign.bedrock-runtime.*", add_fault)


def streamed(client, **asked):
    events = list(client.converse_stream(**asked)["stream"])
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    return events, deltas


def test_an_answer_carries_text_usage_and_ids(bedrock, emulator: RunningEmulator):
    answer = bedrock.converse(modelId=NOVA, messages=HELLO, system=[{"text": "Be brief."}])
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    entry = next(row for row in emulator.settled() if row.request_id == headers["x-amzn-requestid"])
    assert headers["x-harness-emulated"] == "1"
    assert entry.call_id, "the SDK's own invocation id"
    assert answer["stopReason"] == "end_turn"
    assert answer["output"]["message"]["content"][0]["text"]
    told = answer["usage"]
    assert (told["inputTokens"], told["outputTokens"]) == (entry.input_tokens, entry.output_tokens)


def test_a_stream_ends_with_its_stop_reason_and_its_usage(bedrock):
    events, deltas = streamed(bedrock, modelId=HAIKU, messages=HELLO)
    assert len("".join(delta["text"] for delta in deltas)) > 40
    assert events[0] == {"messageStart": {"role": "assistant"}}
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}
    assert events[-1]["metadata"]["usage"]["outputTokens"] > 0


def test_reasoning_is_a_block_of_its_own(bedrock, emulator: RunningEmulator):
    asked = {"modelId": R1, "messages": [{"role": "user", "content": [{"text": BRIEF}]}]}
    content = bedrock.converse(**asked)["output"]["message"]["content"]
    assert [next(iter(block)) for block in content] == ["reasoningContent", "text"]
    _, deltas = streamed(bedrock, **asked)
    assert "reasoningContent" in deltas[0]
    assert '"nodes"' in "".join(delta.get("text", "") for delta in deltas)
    assert emulator.settled()[-1].reasoning_tokens > 0


def test_a_forced_tool_and_a_schema_hold_the_model(bedrock):
    whole = bedrock.converse(modelId=NOVA, messages=HELLO, toolConfig=FORCED)
    assert whole["stopReason"] == "tool_use"
    assert set(whole["output"]["message"]["content"][0]["toolUse"]["input"]) == {"score"}
    _, deltas = streamed(bedrock, modelId=NOVA, messages=HELLO, toolConfig=FORCED)
    assert set(orjson.loads("".join(delta["toolUse"]["input"] for delta in deltas))) == {"score"}
    schema = {"jsonSchema": {"name": "answer", "schema": orjson.dumps(SCHEMA).decode()}}
    form = {"textFormat": {"type": "json_schema", "structure": schema}}
    answer = bedrock.converse(modelId=HAIKU, messages=HELLO, outputConfig=form)
    assert set(orjson.loads(answer["output"]["message"]["content"][0]["text"])) == {"score"}


def test_a_cache_point_is_written_once_and_then_read(bedrock):
    system = [{"text": LONG}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    first, second = (
        bedrock.converse(modelId=HAIKU, messages=HELLO, system=system)["usage"] for _ in range(2)
    )
    assert first["cacheDetails"] == [{"ttl": "1h", "inputTokens": first["cacheWriteInputTokens"]}]
    assert second["cacheReadInputTokens"] == first["cacheWriteInputTokens"] > 4096
    assert first["inputTokens"] == second["inputTokens"] < 20


STATUSES = {
    "rate_limited": (429, "ThrottlingException", "1500"),
    "overloaded": (429, "ModelNotReadyException", "1500"),
    "server_error": (500, "InternalServerException", None),
    "unavailable": (503, "ServiceUnavailableException", "1500"),
    "gateway_timeout": (408, "ModelTimeoutException", None),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", STATUSES)
def test_a_status_fault_is_a_modelled_exception(struck, fault, stream):
    client = struck(f"{fault};retry_after_ms=1500")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        (client.converse_stream if stream else client.converse)(modelId=NOVA, messages=HELLO)
    told = caught.value.response
    status, code, wait = STATUSES[fault]
    assert (told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Code"]) == (status, code)
    assert told["ResponseMetadata"]["HTTPHeaders"].get("x-amz-retry-after") == wait


def test_a_stream_breaks_off_with_an_exception_or_without_a_word(struck):
    with pytest.raises(botocore.exceptions.EventStreamError, match="internalServerException"):
        streamed(struck("stream_error"), modelId=NOVA, messages=HELLO)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        streamed(struck("cut"), modelId=NOVA, messages=HELLO)
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        struck("reset").converse(modelId=NOVA, messages=HELLO)


def test_a_garbled_event_has_right_checksums_and_is_lost_to_the_sdk(struck):
    events = list(struck("malformed_body").converse_stream(modelId=NOVA, messages=HELLO)["stream"])
    assert events.count({"contentBlockDelta": {}}) == 1
    assert events[-1]["metadata"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refusal", "content_filtered"),
        ("content_filter", "guardrail_intervened"),
        ("truncated", "max_tokens"),
    ],
)
def test_an_answer_that_is_none_says_so(struck, fault, reason):
    events, _ = streamed(struck(fault), modelId=NOVA, messages=HELLO)
    assert events[-2] == {"messageStop": {"stopReason": reason}}
    assert bool(struck(fault).converse(modelId=NOVA, messages=HELLO)["output"]["message"]["content"]) == (
        fault != "refusal"
    )


REFUSED = {
    "unknown model": ({"modelId": "amazon.nova-0"}, "model identifier is invalid"),
    "other provider's model": ({"modelId": "gpt-4o"}, "model identifier is invalid"),
    "too many tokens": ({"inferenceConfig": {"maxTokens": 99999}}, "exceeds the model limit of 10000"),
    "no schemas on Nova": ({"outputConfig": {"textFormat": FORMAT}}, "textFormat"),
    "no tools": ({"modelId": R1, "toolConfig": FORCED}, "doesn't support tool use"),
    "a tool that is not there": (
        {"toolConfig": {**FORCED, "toolChoice": {"tool": {"name": "other"}}}}, "does not match any tool",
    ),
    "sampling refused": (
        {"modelId": "global.anthropic.claude-sonnet-5-5", "inferenceConfig": {"temperature": 0.5}}, "temperature",
    ),
    "no cache": (
        {"modelId": R1, "system": [{"text": "x"}, {"cachePoint": {"type": "default"}}]}, "prompt caching",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_real_api_refuses_is_refused(bedrock, case):
    asked, sentence = REFUSED[case]
    with pytest.raises(botocore.exceptions.ClientError, match=sentence):
        bedrock.converse(**{"modelId": NOVA, "messages": HELLO, **asked})
