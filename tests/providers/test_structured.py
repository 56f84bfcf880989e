"""Schemas, their fallbacks, and doing without what an endpoint refuses."""

import json

from harness.records import ErrorKind, Prompt, Role
from tests.providers.asking import HELD, SCHEMA, STREAMS, Build, ask, failure
from tests.providers.wire import Asked, Reply, anthropic_stream, openai_stream, wire_server


async def test_a_schema_is_sent_the_way_the_model_takes_it(kind: str, adapter_at: Build) -> None:
    async with wire_server([Reply(STREAMS[kind]())]) as server:
        answer = await ask(adapter_at(kind, server.url), HELD)
    assert json.loads(answer.text) == {"ok": True}
    body = server.asked[0].body
    if kind == "anthropic":
        assert body["output_config"]["format"]["schema"] == SCHEMA
        assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    else:
        assert body["response_format"]["json_schema"] == {"name": "answer", "schema": SCHEMA, "strict": True}
        assert body["prompt_cache_key"]
        assert body["stream_options"] == {"include_usage": True}


async def test_older_anthropic_models_answer_through_a_tool(adapter_at: Build) -> None:
    async with wire_server([Reply(anthropic_stream(tool=True, stop_reason="tool_use"))]) as server:
        answer = await ask(adapter_at("anthropic", server.url, model="claude-3-5-sonnet-20241022"), HELD)
    body = server.asked[0].body
    assert "output_config" not in body
    assert body["tools"][0]["input_schema"] == SCHEMA
    assert body["tool_choice"] == {"type": "tool", "name": "answer"}
    assert json.loads(answer.text) == {"ok": True}


async def test_models_without_any_schema_answer_in_a_fence(adapter_at: Build) -> None:
    fenced = 'Here it is:\n```json\n{"ok": true}\n```\nThat is all.'
    async with wire_server([Reply(openai_stream(fenced))]) as server:
        answer = await ask(adapter_at("openai", server.url, model="gpt-4"), HELD)
    body = server.asked[0].body
    assert "response_format" not in body
    assert '"additionalProperties":false' in body["messages"][0]["content"]
    assert json.loads(answer.text) == {"ok": True}


async def test_temperature_goes_only_to_models_that_accept_it(adapter_at: Build) -> None:
    warm = Prompt(role=Role.JUDGE, system="", user="Hello", temperature=0.0)
    for kind, model, expected in [
        ("anthropic", "claude-3-5-sonnet-20241022", True),
        ("anthropic", "claude-sonnet-5-5", False),
        ("openai", "gpt-4o", True),
        ("openai", "gpt-5.4", False),
    ]:
        async with wire_server([Reply(STREAMS[kind]())]) as server:
            await ask(adapter_at(kind, server.url, model=model), warm)
        assert ("temperature" in server.asked[0].body) is expected, model


async def test_reasoning_models_are_asked_for_little_effort_unless_they_refuse(adapter_at: Build) -> None:
    said = "Unsupported value: 'reasoning_effort' does not support 'low' with this model."
    refusal = Reply([json.dumps({"error": {"message": said}})], status=400, content_type="application/json")
    async with wire_server([Reply(openai_stream()), refusal, Reply(openai_stream())]) as server:
        await ask(adapter_at("openai", server.url, model="gpt-5.4"))
        await ask(adapter_at("openai", server.url, model="gpt-5.4"))
        await ask(adapter_at("openai", server.url, model="gpt-4o"))
    assert [asked.body.get("reasoning_effort") for asked in server.asked] == ["low", "low", None, None]


REFUSED_FIELDS = {
    "stream_options": "Unknown field: stream_options",
    "prompt_cache_key": "Unrecognized request argument supplied: prompt_cache_key",
    "max_completion_tokens": "Unsupported parameter: 'max_completion_tokens', use 'max_tokens' instead.",
}


async def test_an_endpoint_that_lacks_fields_is_asked_without_them_and_remembered(adapter_at: Build) -> None:
    def endpoint(asked: Asked) -> Reply:
        for field, complaint in REFUSED_FIELDS.items():
            if field in asked.body:
                return Reply([json.dumps({"detail": complaint})], status=400, content_type="application/json")
        form = asked.body.get("response_format", {}).get("type")
        if form is not None:
            complaint = f"response_format of type '{form}' is not supported"
            return Reply([json.dumps({"error": complaint})], status=422, content_type="application/json")
        return Reply(openai_stream())

    async with wire_server(endpoint) as server:
        adapter = adapter_at("openai", server.url)
        first = await adapter.generate(HELD, call_id="c1", timeout_s=20)
        probes = len(server.asked)
        await adapter.generate(HELD, call_id="c2", timeout_s=20)
        await adapter.aclose()
    assert json.loads(first.text) == {"ok": True}
    assert probes == 6, "five fields given up, one at a time"
    assert len(server.asked) == 7, "the second question goes straight through"
    assert server.asked[-1].body["max_tokens"] == HELD.max_tokens


async def test_an_anthropic_gateway_without_structured_output_gets_a_tool_then_a_fence(
    adapter_at: Build,
) -> None:
    def gateway(asked: Asked) -> Reply:
        for field in ("output_config", "tools"):
            if field in asked.body:
                said = {"error": {"message": f"{field}: Extra inputs are not permitted"}}
                return Reply([json.dumps(said)], status=400, content_type="application/json")
        return Reply(anthropic_stream('```json\n{"ok": true}\n```'))

    async with wire_server(gateway) as server:
        answer = await ask(adapter_at("anthropic", server.url), HELD)
    assert json.loads(answer.text) == {"ok": True}
    assert len(server.asked) == 3


async def test_a_complaint_about_our_own_schema_is_not_papered_over(kind: str, adapter_at: Build) -> None:
    said = {
        "anthropic": "output_config.format.schema: additionalProperties must be false",
        "openai": "Invalid schema for response_format 'answer'",
    }[kind]
    reply = Reply([json.dumps({"error": {"message": said}})], status=400, content_type="application/json")
    async with wire_server([reply]) as server:
        error = await failure(adapter_at(kind, server.url), HELD)
    assert error.kind == ErrorKind.BAD_REQUEST
    assert len(server.asked) == 1


async def test_a_refusal_that_stays_is_not_asked_again_and_again(kind: str, adapter_at: Build) -> None:
    said = "cache_control, output_config, tools, stream_options, response_format, max_tokens: not supported, extra"
    reply = Reply([json.dumps({"error": {"message": said}})], status=400, content_type="application/json")
    async with wire_server([reply]) as server:
        adapter = adapter_at(kind, server.url)
        error = await failure(adapter, HELD)
        given_up = len(server.asked) - 1
        await failure(adapter, HELD)
    assert error.kind == ErrorKind.BAD_REQUEST
    assert given_up <= 4
    assert len(server.asked) == given_up + 2, "nothing is left to give up"


async def test_a_limit_that_is_too_large_is_not_sent_under_another_name(adapter_at: Build) -> None:
    said = "max_tokens is too large: 4096. This model supports at most 1024 completion tokens."
    reply = Reply([json.dumps({"error": {"message": said}})], status=400, content_type="application/json")
    async with wire_server([reply]) as server:
        await failure(adapter_at("openai", server.url))
    assert len(server.asked) == 1


async def test_a_json_object_is_asked_for_without_a_fence(adapter_at: Build) -> None:
    async with wire_server([Reply(openai_stream())]) as server:
        await ask(adapter_at("openai", server.url, model="gpt-3.5-turbo"), HELD)
    body = server.asked[0].body
    assert body["response_format"] == {"type": "json_object"}
    assert "JSON schema" in body["messages"][0]["content"]
    assert "fence" not in body["messages"][0]["content"]
