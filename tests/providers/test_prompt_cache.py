"""Prompt caches of all wires: what was written and read is recorded, and priced to the emulator's last digit."""

from decimal import Decimal

import pytest

from harness.emulator import EmulatorSettings, running_emulator
from harness.orchestration.retry import RetryPolicy
from harness.providers import ProviderSettings
from harness.records import Prompt, Role
from tests.campaigns.asking import ask_through

LONG = "You answer in one word, whatever the question is and whoever asks it. " * 400
WAYS = [
    ("anthropic", "anthropic", None, "claude-haiku-4-5"),
    ("anthropic", "anthropic", None, "claude-3-5-sonnet-20241022"),
    ("openai", "openai", None, "gpt-4o-mini"),
    ("openai", "openai", None, "gpt-4o"),
    ("openai", "openai", "responses", "gpt-5-mini"),
    ("gemini", "gemini", None, "gemini-2.5-flash"),
    ("gemini", "gemini", None, "gemini-2.5-pro"),
    ("bedrock", "bedrock", None, "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ("bedrock", "bedrock", None, "amazon.nova-lite-v1:0"),
]
MARKED = ("anthropic", "bedrock")
"""Where the caller marks what is to be cached, and its writing is told and charged."""


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("name", "kind", "api", "model"), WAYS)
async def test_the_second_question_reads_what_the_first_one_wrote(
    name: str, kind: str, api: str | None, model: str, *, stream: bool
) -> None:
    with running_emulator(EmulatorSettings(speed=1000, defect_rate=0)) as emulator:
        settings = ProviderSettings(
            name=name,
            kind=kind,
            base_url=emulator.openai_base_url if kind == "openai" else emulator.base_url,
            api_key="sk-ant-emulated-000",
            api=api,
            stream=stream,
        )
        calls = []
        for question in ("First?", "Second?"):
            prompt = Prompt(role=Role.DRAFT, system=LONG, user=question)
            asked = await ask_through(settings, model, prompt, policy=RetryPolicy())
            calls += asked.calls
        entries = {entry.call_id: entry for entry in emulator.settled()}
    first, second = calls
    assert first.cache_read_tokens == 0
    assert second.cache_read_tokens is not None
    assert second.cache_read_tokens > 1024
    if kind in MARKED:
        assert first.cache_write_5m_tokens == second.cache_read_tokens
        assert second.cache_write_5m_tokens == 0
    for call in calls:
        entry = entries[call.call_id]
        assert (call.input_tokens, call.output_tokens) == (entry.input_tokens, entry.output_tokens)
        assert call.cache_read_tokens == entry.cache_read_tokens
        assert call.cache_write_5m_tokens == entry.cache_write_5m_tokens
        assert call.cost_usd == Decimal(entry.cost_usd or "NaN")
    assert second.cost_usd < first.cost_usd or model == "gpt-5-mini", "thinking differs, and costs more"
