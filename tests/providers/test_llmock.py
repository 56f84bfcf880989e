"""Both adapters against a provider mock that others wrote (`llmock`, PyPI), over HTTP, unmodified."""

import json
from typing import Any

import pytest

from harness.errors import ProviderError
from harness.orchestration.retry import RetryPolicy
from harness.providers import ProviderSettings
from harness.records import ErrorKind, Prompt, Role
from tests.campaigns.asking import ask_through
from tests.providers.asking import PLAIN, Build, ask

MODELS = {"anthropic": "claude-haiku-4-5", "openai": "gpt-4o-mini"}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
HELD = Prompt(role=Role.DRAFT, system="Be brief.", user="A city", output_schema=SCHEMA, schema_name="city")


@pytest.mark.parametrize("stream", [True, False])
async def test_create(kind: str, adapter_at: Build, llmock: Any, stream: bool) -> None:
    llmock.reply("hello there")
    answer = await ask(adapter_at(kind, llmock.base_url(kind), stream=stream))
    assert answer.text == "hello there"
    assert answer.usage is not None
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    assert answer.emulated is False, "only our own emulator says that it is one"
    assert (answer.ttft_ns is not None) is stream
    assert len(llmock.requests) == 1


async def test_structured_output(adapter_at: Build, llmock: Any) -> None:
    answer = await ask(adapter_at("openai", llmock.base_url("openai")), HELD)
    value = json.loads(answer.text)
    assert set(value) == {"city", "people"}
    assert isinstance(value["people"], int)


async def test_structured_output_by_tool(adapter_at: Build, llmock: Any) -> None:
    adapter = adapter_at("anthropic", llmock.base_url("anthropic"), model="claude-3-5-sonnet-20241022")
    answer = await ask(adapter, HELD)
    assert set(json.loads(answer.text)) == {"city", "people"}
    assert answer.stop_reason == "tool_use"


async def test_a_429_then_success_takes_exactly_two_attempts(kind: str, llmock: Any) -> None:
    llmock.rate_limit(times=1, retry_after=0.25)
    settings = ProviderSettings(name=kind, kind=kind, base_url=llmock.base_url(kind), api_key="sk-ant-mock")
    asked = await ask_through(settings, MODELS[kind], PLAIN, policy=RetryPolicy(base_ms=20))
    assert asked.kinds == ["rate_limited", "ok"]
    assert len(llmock.requests) == 2
    first, second = asked.calls
    assert first.retry_after_ms is not None
    assert 0 < first.retry_after_ms <= 1000
    assert first.cost_usd == 0
    assert second.cost_usd is not None
    assert second.cost_usd > 0
    llmock.assert_resilient()


async def test_what_cannot_be_cured_is_asked_once(kind: str, llmock: Any) -> None:
    llmock.fail(401, times=None)
    settings = ProviderSettings(name=kind, kind=kind, base_url=llmock.base_url(kind), api_key="sk-ant-mock")
    asked = await ask_through(settings, MODELS[kind], PLAIN, policy=RetryPolicy(base_ms=20))
    assert asked.kinds == ["auth"]
    assert len(llmock.requests) == 1
    llmock.assert_resilient(strict=True)


@pytest.mark.parametrize("fault", ["disconnect", "truncate"])
async def test_a_broken_stream_is_asked_again_and_the_first_bill_stays_unknown(
    kind: str, llmock: Any, fault: str
) -> None:
    getattr(llmock, fault)(after_chunks=3)
    settings = ProviderSettings(name=kind, kind=kind, base_url=llmock.base_url(kind), api_key="sk-ant-mock")
    asked = await ask_through(settings, MODELS[kind], PLAIN, policy=RetryPolicy(base_ms=20))
    assert asked.kinds == ["connection", "ok"]
    assert [call.cost_usd is None for call in asked.calls] == [True, False]
    llmock.assert_resilient()


async def test_rate_limit_headers_are_read(kind: str, adapter_at: Build, llmock: Any) -> None:
    llmock.limits(rpm=60, tpm=90_000)
    answer = await ask(adapter_at(kind, llmock.base_url(kind)))
    marks = {
        "anthropic": "anthropic-ratelimit-requests-remaining",
        "openai": "x-ratelimit-remaining-requests",
    }
    assert answer.rate_limits[marks[kind]] == "59"


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, ErrorKind.AUTH), (500, ErrorKind.UPSTREAM_5XX), (529, ErrorKind.OVERLOADED)],
)
async def test_refusals(kind: str, adapter_at: Build, llmock: Any, status: int, expected: ErrorKind) -> None:
    llmock.fail(status)
    with pytest.raises(ProviderError) as caught:
        await ask(adapter_at(kind, llmock.base_url(kind)))
    assert caught.value.kind == expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("disconnect", ErrorKind.CONNECTION),
        ("truncate", ErrorKind.CONNECTION),
        ("corrupt", ErrorKind.BAD_OUTPUT),
        ("stall", ErrorKind.TIMEOUT),
    ],
)
async def test_streams_that_break(
    kind: str, adapter_at: Build, llmock: Any, fault: str, expected: ErrorKind
) -> None:
    # The third piece: a corrupted `ping` (Anthropic's second) would rightly go unnoticed.
    getattr(llmock, fault)(after_chunks=3)
    with pytest.raises(ProviderError) as caught:
        await ask(adapter_at(kind, llmock.base_url(kind)), timeout_s=1 if fault == "stall" else 20)
    assert caught.value.kind == expected
    assert caught.value.usage is None, "the bill of a broken stream is unknown"
