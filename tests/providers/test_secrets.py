"""A canary key appears nowhere that a log, a traceback or a representation could carry it."""

import asyncio
import json
import logging
import traceback

import pytest

from harness.errors import ProviderError
from tests.providers.asking import PLAIN, STREAMS, Build, ask
from tests.providers.conftest import CANARY
from tests.providers.wire import STALL, Reply, wire_server


async def test_not_in_any_log_even_at_debug_level(
    kind: str, adapter_at: Build, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = Reply([json.dumps({"error": {"message": f"bad key {CANARY}"}})], status=401)
    with caplog.at_level(logging.DEBUG):
        async with wire_server([Reply(STREAMS[kind]("hello")), refusal]) as server:
            adapter = adapter_at(kind, server.url)
            await adapter.generate(PLAIN, call_id="c", timeout_s=20)
            with pytest.raises(ProviderError) as caught:
                await ask(adapter)
            logging.getLogger("elsewhere").error("failed", exc_info=caught.value)
    assert server.asked[0].headers["authorization"] == f"Bearer {CANARY}"
    assert "canary" not in caplog.text
    assert "canary" not in "".join(traceback.format_exception(caught.value))


async def test_fifty_abandoned_calls_leave_nothing_behind(kind: str, adapter_at: Build) -> None:
    replies = [Reply([*STREAMS[kind]("hello")[:3], STALL])] * 50 + [Reply(STREAMS[kind]("hello"))]
    async with wire_server(replies) as server:
        adapter = adapter_at(kind, server.url)
        calls = [
            asyncio.create_task(adapter.generate(PLAIN, call_id=f"c{number}", timeout_s=20))
            for number in range(50)
        ]
        async with asyncio.timeout(20):
            while len(server.asked) < 50:  # noqa: ASYNC110 - counts requests, not one event
                await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        assert (await ask(adapter)).text == "hello", "the pool is not exhausted"
    assert [task for task in asyncio.all_tasks() if "generate" in repr(task)] == []
