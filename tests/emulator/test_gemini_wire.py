"""The official Gemini SDK, unmodified, against the emulator."""

import httpx2
import orjson
import pydantic
import pytest
from google.genai import errors

from harness.emulator import RunningEmulator

FLASH, PRO = "gemini-2.5-flash", "gemini-2.5-pro"
SCHEMA = {"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]}
BRIEF = "<brief>We have $40,000. Should we hire two people, or buy the tool for $9,000?</brief>"
LONG = "stable words " * 400


def faulty(fault, call_id="call-g"):
    return {"http_options": {"headers": {"X-Emulate-Fault": fault, "X-Client-Request-Id": call_id}}}


def answered(gemini, config, *, stream):
    if stream:
        return list(gemini.models.generate_content_stream(model=FLASH, contents="Hi", config=config))
    return gemini.models.generate_content(model=FLASH, contents="Hi", config=config)


def recorded(emulator: RunningEmulator, call_id: str):
    return next(entry for entry in emulator.settled() if entry.call_id == call_id)


def test_an_answer_carries_text_usage_and_ids(gemini, emulator: RunningEmulator):
    answer = gemini.models.generate_content(
        model=PRO, contents=BRIEF, config=faulty("stall;delay_ms=0", "g-1")
    )
    told, entry = answer.usage_metadata, recorded(emulator, "g-1")
    assert answer.sdk_http_response.headers["x-harness-emulated"] == "1"
    assert (answer.candidates[0].finish_reason, answer.model_version) == ("STOP", PRO)
    assert answer.response_id == entry.response_id
    assert told.total_token_count == (
        told.prompt_token_count + told.candidates_token_count + told.thoughts_token_count
    )
    assert told.thoughts_token_count == entry.reasoning_tokens > 0
    assert told.candidates_token_count == entry.output_tokens - entry.reasoning_tokens


@pytest.mark.parametrize("wanted", [True, False])
def test_thoughts_are_told_only_when_asked_for_and_are_no_text(gemini, wanted):
    config = {"thinking_config": {"include_thoughts": wanted}, "response_mime_type": "application/json"}
    chunks = list(gemini.models.generate_content_stream(model=PRO, contents=BRIEF, config=config))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or []]
    assert any(part.thought for part in parts) == wanted
    assert orjson.loads("".join(part.text for part in parts if not part.thought))
    assert [chunk.candidates[0].finish_reason for chunk in chunks][-1] == "STOP"
    totals = [chunk.usage_metadata.total_token_count for chunk in chunks]
    assert totals == sorted(totals)
    assert totals[-1] > totals[0]


async def test_the_asynchronous_client_streams_a_schema(gemini):
    class Verdict(pydantic.BaseModel):
        score: float
        reason: str

    for form in ({"response_schema": Verdict}, {"response_json_schema": SCHEMA}):
        config = {"response_mime_type": "application/json", **form}
        stream = await gemini.aio.models.generate_content_stream(model=FLASH, contents="Hi", config=config)
        text = "".join([chunk.text or "" async for chunk in stream])
        assert "score" in orjson.loads(text)
    assert Verdict.model_validate_json(
        gemini.models.generate_content(
            model=FLASH,
            contents="Hi",
            config={"response_mime_type": "application/json", "response_schema": Verdict},
        ).text
    )


def test_a_repeated_prefix_is_cached_inside_the_prompt_count(gemini):
    config = {"system_instruction": LONG, "thinking_config": {"thinking_budget": 0}}
    first, second = (
        gemini.models.generate_content(model=FLASH, contents=text, config=config).usage_metadata
        for text in ("One?", "Two?")
    )
    assert first.cached_content_token_count is None
    assert 1024 <= second.cached_content_token_count < second.prompt_token_count == first.prompt_token_count
    assert second.thoughts_token_count is None


STATUSES = {
    "rate_limited": (429, "RESOURCE_EXHAUSTED"),
    "overloaded": (503, "UNAVAILABLE"),
    "server_error": (500, "INTERNAL"),
    "unavailable": (503, "UNAVAILABLE"),
    "gateway_timeout": (504, "DEADLINE_EXCEEDED"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", STATUSES)
def test_a_status_fault_has_googles_shape_and_its_wait_in_the_body(gemini, emulator, fault, stream):
    config = faulty(f"{fault};retry_after_ms=1500", f"{fault}-{stream}")
    with pytest.raises(errors.APIError) as caught:
        answered(gemini, config, stream=stream)
    status, word = STATUSES[fault]
    assert (caught.value.code, caught.value.status) == (status, word)
    details = caught.value.details["error"].get("details", [])
    waits = [detail["retryDelay"] for detail in details if detail["@type"].endswith("RetryInfo")]
    assert waits == (["1.5s"] if status in (429, 503) else [])
    assert "retry-after" not in caught.value.response.headers
    assert recorded(emulator, f"{fault}-{stream}").cost_usd is None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["reset", "cut", "malformed_body", "stream_error"])
def test_a_broken_answer_never_looks_whole(gemini, fault, stream):
    failures = (errors.APIError, errors.UnknownApiResponseError, httpx2.TransportError, ValueError)
    with pytest.raises(failures):
        answered(gemini, faulty(fault), stream=stream)


def test_declining_has_two_forms(gemini):
    refused = gemini.models.generate_content(model=FLASH, contents="Hi", config=faulty("refusal"))
    assert refused.candidates[0].finish_reason == "SAFETY"
    assert refused.candidates[0].content.parts is None
    blocked = gemini.models.generate_content(model=FLASH, contents="Hi", config=faulty("content_filter"))
    assert (blocked.candidates, blocked.prompt_feedback.block_reason) == (None, "PROHIBITED_CONTENT")
    assert blocked.usage_metadata.candidates_token_count is None
    cut = gemini.models.generate_content(model=FLASH, contents="Hi", config={"max_output_tokens": 9})
    assert cut.candidates[0].finish_reason == "MAX_TOKENS"


REFUSED = {
    "unknown field": ({"contents": [{"parts": [{"text": "x"}]}], "nonsense": 1}, 400, 'Unknown name "nonsense"'),
    "no contents": ({}, 400, "contents"),
    "schema without JSON": (
        {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"responseJsonSchema": SCHEMA}},
        400, "application/json",
    ),
    "too many tokens": (
        {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"maxOutputTokens": 99999}}, 400, "65537",
    ),
    "a level for a model with budgets": (
        {
            "contents": [{"parts": [{"text": "x"}]}],
            "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}},
        },
        400, "Thinking level",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_real_api_refuses_is_refused(emulator, case):
    body, status, sentence = REFUSED[case]
    url = f"{emulator.base_url}/v1beta/models/{FLASH}:generateContent"
    answer = httpx2.post(url, json=body, headers={"x-goog-api-key": "k"})
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (status, "INVALID_ARGUMENT")
    assert sentence in error["message"]


def test_keys_and_models_are_checked(gemini, emulator):
    url = f"{emulator.base_url}/v1beta/models/{FLASH}:generateContent"
    assert httpx2.post(url, json={}).status_code == 403
    wrong = httpx2.post(url, json={}, headers={"x-goog-api-key": "invalid"})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    with pytest.raises(errors.ClientError, match="not found"):
        gemini.models.generate_content(model="gemini-0", contents="Hi")
    assert f"models/{FLASH}" in {model.name for model in gemini.models.list()}
    assert gemini.models.get(model=FLASH).input_token_limit == 1_048_576
    assert gemini.models.count_tokens(model=FLASH, contents="Hello there").total_tokens == 7
