"""A provider that echoes the question in a batched item's error: nothing of it reaches the failure."""

from types import SimpleNamespace

import pytest

from harness.clock import SYSTEM_CLOCK
from harness.errors import ProviderError
from harness.evaluation.batches.calls import BatchAdapter
from harness.pricing import PriceBook
from harness.providers import ProviderSettings, build_adapter
from harness.providers.openai_batch import OpenAIBatches
from harness.records import Prompt, Role

PROMPT = Prompt(role=Role.DRAFT, system="Be brief.", user="Should Zebra Ltd open a second shop in Ghent?")


async def test_nothing_of_a_batched_question_shows_in_its_error() -> None:
    settings = ProviderSettings(name="openai", kind="openai", api_key="sk-test-000000", stream=False)
    api = OpenAIBatches.of(build_adapter(settings, "gpt-4o-mini"))
    echo = {"error": {"code": "invalid_prompt", "message": f"Cannot answer '{PROMPT.user}' today"}}

    async def asked(waiting):
        row = {"custom_id": waiting.call.call_id, "response": {"status_code": 400, "body": echo}}
        raise api._outcome(row, emulated=False)

    owner = SimpleNamespace(batcher=SimpleNamespace(ask=asked), book=PriceBook.load(), clock=SYSTEM_CLOCK)
    adapter = BatchAdapter(api, owner, SimpleNamespace(key="k", seq=1), "r-1")
    with pytest.raises(ProviderError, match="Cannot answer") as caught:
        await adapter.generate(PROMPT, call_id="call-1", timeout_s=1)
    assert "Zebra" not in str(caught.value)
    assert "Ghent" not in str(caught.value)
    await adapter.aclose()
