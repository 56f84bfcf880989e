"""Prompt caches of both wires: what was written and read is recorded, and priced to the emulator's last digit."""

from decimal import Decimal

import pytest

from harness.emulator import EmulatorSettings, running_emulator
from harness.orchestration.retry import RetryPolicy
from harness.providers import ProviderSettings
from harness.records import Prompt, Role
from tests.campaigns.asking import ask_through

LONG = "You answer in one word, whatever the question is and whoever asks it. " * 400
MODELS = {
    "anthropic": ("claude-haiku-4-5", "claude-3-5-sonnet-20241022"),
    "openai": ("gpt-4o-mini", "gpt-4o"),
}


@pytest.mark.parametrize("which", [0, 1])
async def test_the_second_question_reads_what_the_first_one_wrote(kind: str, which: int) -> None:
    with running_emulator(EmulatorSettings(speed=200, defect_rate=0)) as emulator:
        base_url = emulator.base_url if kind == "anthropic" else emulator.openai_base_url
        settings = ProviderSettings(name=kind, kind=kind, base_url=base_url, api_key="sk-ant-emulated-000")
        calls = []
        for question in ("First?", "Second?"):
            prompt = Prompt(role=Role.DRAFT, system=LONG, user=question)
            asked = await ask_through(settings, MODELS[kind][which], prompt, policy=RetryPolicy())
            calls += asked.calls
        entries = {entry.call_id: entry for entry in emulator.app.engine.ledger.entries}
    first, second = calls
    assert first.cache_read_tokens == 0
    assert second.cache_read_tokens is not None
    assert second.cache_read_tokens > 1024
    if kind == "anthropic":
        assert first.cache_write_5m_tokens == second.cache_read_tokens
        assert second.cache_write_5m_tokens == 0
    for call in calls:
        entry = entries[call.call_id]
        assert (call.input_tokens, call.output_tokens) == (entry.input_tokens, entry.output_tokens)
        assert call.cache_read_tokens == entry.cache_read_tokens
        assert call.cache_write_5m_tokens == entry.cache_write_5m_tokens
        assert call.cost_usd == Decimal(entry.cost_usd or "NaN")
    assert second.cost_usd < first.cost_usd
