"""What the real APIs refuse is refused, with their status, their sentence and their body's shape."""

import anthropic
import httpx2
import openai
import pytest

from harness.emulator import RunningEmulator

SONNET, CURRENT, MINI = "claude-3-5-sonnet-20241022", "claude-sonnet-5-5", "gpt-4o-mini"
HELLO = [{"role": "user", "content": "Hi"}]
OPEN_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED_SCHEMA = {**OPEN_SCHEMA, "additionalProperties": False}


def claude_body(**extra):
    return {"model": SONNET, "max_tokens": 10, "messages": HELLO} | extra


def claude_format(schema, model=CURRENT):
    return claude_body(model=model, output_config={"format": {"type": "json_schema", "schema": schema}})


def gpt_format(schema, model=MINI):
    named = {"name": "x", "schema": schema, "strict": True}
    return {
        "model": model,
        "messages": HELLO,
        "response_format": {"type": "json_schema", "json_schema": named},
    }


CLAUDE_REFUSES = {
    "unknown field": (claude_body(max_token=3), 400, "max_token: Extra inputs are not permitted"),
    "no max_tokens": ({"model": SONNET, "messages": HELLO}, 400, "max_tokens: Field required"),
    "no messages": (claude_body(messages=[]), 400, "messages: List should have at least 1 item"),
    "wrong role": (claude_body(messages=[{"role": "robot", "content": "x"}]), 400, "messages.0.role"),
    "assistant first": (claude_body(messages=[{"role": "assistant", "content": "x"}]), 400, "first message"),
    "unknown model": (claude_body(model="claude-0"), 404, "model: claude-0"),
    "other provider's model": (claude_body(model=MINI), 404, f"model: {MINI}"),
    "sampling refused": (claude_body(model=CURRENT, temperature=0.5), 400, "`temperature` is deprecated"),
    "too hot": (claude_body(temperature=1.5), 400, "temperature: Input should be less than"),
    "too many tokens": (claude_body(max_tokens=9000), 400, "max_tokens: 9000 > 8192"),
    "open schema": (claude_format(OPEN_SCHEMA), 400, "'additionalProperties' must be explicitly set to false"),
    "bounded number": (
        claude_format({**CLOSED_SCHEMA, "properties": {"n": {"type": "number", "minimum": 0}}}), 400, "minimum",
    ),
    "no structured output": (claude_format(CLOSED_SCHEMA, SONNET), 400, "does not support output format"),
    "unknown tool": (
        claude_body(tools=[{"name": "a", "input_schema": OPEN_SCHEMA}], tool_choice={"type": "tool", "name": "b"}),
        400, "Tool 'b' not found",
    ),
    "bad tool name": (claude_body(tools=[{"name": "a b", "input_schema": OPEN_SCHEMA}]), 400, "tools.0.name"),
    "five breakpoints": (
        claude_body(system=[{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}] * 5),
        400, "A maximum of 4 blocks",
    ),
    "empty text": (claude_body(messages=[{"role": "user", "content": [{"type": "text", "text": ""}]}]), 400, "text"),
}  # fmt: skip
GPT_REFUSES = {
    "unknown field": ({"model": MINI, "messages": HELLO, "max_token": 3}, 400, "unknown_parameter", "max_token"),
    "no messages": ({"model": MINI}, 400, "missing_required_parameter", "messages"),
    "wrong role": ({"model": MINI, "messages": [{"role": "robot", "content": "x"}]}, 400, "invalid_value", "messages[0].role"),
    "unknown model": ({"model": "gpt-0", "messages": HELLO}, 404, "model_not_found", None),
    "sampling refused": ({"model": "o3", "messages": HELLO, "temperature": 0.2}, 400, "unsupported_value", "temperature"),
    "old max_tokens": ({"model": "o3", "messages": HELLO, "max_tokens": 9}, 400, "unsupported_parameter", "max_tokens"),
    "too many tokens": ({"model": MINI, "messages": HELLO, "max_tokens": 99_999}, 400, "invalid_value", "max_tokens"),
    "open schema": (gpt_format(OPEN_SCHEMA), 400, None, "response_format"),
    "optional property": (gpt_format(CLOSED_SCHEMA), 400, None, "response_format"),
    "array at the root": (gpt_format({"type": "array", "items": {}}), 400, None, "response_format"),
    "no structured output": (gpt_format(CLOSED_SCHEMA, "gpt-4"), 400, None, "response_format"),
    "json mode unsaid": ({"model": MINI, "messages": HELLO, "response_format": {"type": "json_object"}}, 400, None, "messages"),
    "usage without stream": ({"model": MINI, "messages": HELLO, "stream_options": {"include_usage": True}}, 400, None, "stream_options"),
}  # fmt: skip


def post(emulator: RunningEmulator, path: str, **request) -> httpx2.Response:
    headers = {"x-api-key": "k", "authorization": "Bearer k", "anthropic-version": "2023-06-01"}
    return httpx2.post(f"{emulator.base_url}{path}", headers=headers | request.pop("headers", {}), **request)


@pytest.mark.parametrize("case", CLAUDE_REFUSES)
def test_anthropic_refuses(emulator, case):
    body, status, sentence = CLAUDE_REFUSES[case]
    answer = post(emulator, "/v1/messages", json=body)
    value = answer.json()
    assert answer.status_code == status
    assert value["type"] == "error"
    assert value["request_id"] == answer.headers["request-id"]
    assert value["error"]["type"] == {400: "invalid_request_error", 404: "not_found_error"}[status]
    assert sentence in value["error"]["message"]
    assert answer.headers["x-harness-emulated"] == "1"


@pytest.mark.parametrize("case", GPT_REFUSES)
def test_openai_refuses(emulator, case):
    body, status, code, param = GPT_REFUSES[case]
    answer = post(emulator, "/v1/chat/completions", json=body)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert error["message"]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions", "/v1/responses"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_body_that_is_no_object_is_a_400(emulator, path, content):
    answer = post(emulator, path, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_missing_or_wrong_key_is_a_401(emulator: RunningEmulator):
    for key in ("invalid",):
        with pytest.raises(anthropic.AuthenticationError):
            anthropic.Anthropic(api_key=key, base_url=emulator.base_url, max_retries=0).messages.create(
                **claude_body()
            )
        with pytest.raises(openai.AuthenticationError):
            openai.OpenAI(api_key=key, base_url=emulator.openai_base_url, max_retries=0).models.list()
    bare = httpx2.post(
        f"{emulator.base_url}/v1/messages", json=claude_body(), headers={"anthropic-version": "1"}
    )
    assert bare.status_code == 401
    assert httpx2.post(f"{emulator.openai_base_url}/chat/completions", json={}).status_code == 401


def test_a_refused_request_is_in_the_ledger_without_tokens(emulator: RunningEmulator):
    headers = {"x-client-request-id": "refused-1"}
    post(emulator, "/v1/messages", json=claude_body(model="claude-0"), headers=headers)
    entry = next(e for e in emulator.settled() if e.call_id == "refused-1")
    assert (entry.status, entry.outcome, entry.finish) == (404, "error", "not_found_error")
    assert entry.input_tokens is None
    assert entry.cost_usd is None


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/messages"), ("POST", "/v1/embeddings"), ("GET", "/")]
)
def test_what_is_not_emulated_says_so(emulator, method, path):
    answer = httpx2.request(method, f"{emulator.base_url}{path}")
    assert answer.status_code in (404, 405)
    assert answer.headers["x-harness-emulated"] == "1"
    assert "is not emulated" in answer.json()["error"]["message"]
