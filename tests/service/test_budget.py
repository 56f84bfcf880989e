"""Two hundred requests at once against a run budget of ten cents, with cut streams and retries."""

import asyncio
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from harness.emulator import EmulatorSettings, FaultRule, running_emulator
from harness.errors import ConfigError
from harness.orchestration import resolve_routing, resolve_strategy
from harness.service.engine import Engine
from harness.service.settings import ServiceSettings
from tests.service.running import emulated_env, rows, service

LIMIT = Decimal("0.10")


async def burst(url: str, count: int) -> list[httpx2.Response]:
    async with httpx2.AsyncClient(
        base_url=url, timeout=60, limits=httpx2.Limits(max_connections=count)
    ) as client:
        return await asyncio.gather(
            *(
                client.post("/assist/draft-graph", json={"brief": f"Should we hire {n} people or outsource?"})
                for n in range(count)
            )
        )


def test_a_budget_cannot_bound_a_model_without_a_price(caplog: pytest.LogCaptureFixture) -> None:
    env = {"LLM_PROVIDER": "openai", "LLM_MODEL": "nobody-1", "OPENAI_API_KEY": "sk-no-one-asked"}
    routing = resolve_routing(env)
    settings = ServiceSettings(routing=routing, strategy=resolve_strategy(routing), allow_unpriced=True)
    with pytest.raises(ConfigError, match="cannot bound openai/nobody-1"):
        Engine(replace(settings, run_budget_usd=LIMIT))
    Engine(settings)
    assert (
        caplog.text.count("openai/nobody-1 has no price: its cost stays unknown and no limit bounds it") == 1
    )


def test_the_run_budget_holds_for_200_requests_at_once(tmp_path: Path) -> None:
    faults = (
        FaultRule(kind="cut", rate=0.3, first=1, after_share=0.6),
        FaultRule(kind="rate_limited", rate=0.3, first=1, retry_after_ms=5),
    )
    with running_emulator(EmulatorSettings(speed=400, defect_rate=0.5, faults=faults)) as emulator:
        env = emulated_env(emulator)
        strategy = resolve_strategy(resolve_routing(env), "hybrid")
        with service(env, strategy=strategy, store_dir=tmp_path, run_budget_usd=LIMIT) as client:
            answers = asyncio.run(burst(str(client.base_url), 200))
            metrics = client.get("/metrics").text
        truth = list(emulator.app.engine.ledger.entries)
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 429, 502}
    assert statuses[429] > 100
    refusals = [answer.json() for answer in answers if answer.status_code == 429]
    assert all(body["details"]["reason"] == "cost_guard" for body in refusals)
    committed = next(
        float(line.split()[1])
        for line in metrics.splitlines()
        if line.startswith("harness_run_budget_committed_usd ")
    )
    assert committed <= LIMIT
    assert sum(Decimal(entry.cost_usd) for entry in truth if entry.cost_usd) <= LIMIT
    calls = rows(tmp_path, "SELECT * FROM calls")
    sent = [call for call in calls if call["outcome"] != "refused"]
    assert {call["call_id"] for call in sent} == {entry.call_id for entry in truth}
    assert any(call["unpriced_reason"] == "usage_unknown" for call in sent) or not any(
        e.fault == "cut" for e in truth
    )
    held = sum(call["cost_reserved_usd"] if call["cost_usd"] is None else call["cost_usd"] for call in sent)
    assert float(held) == committed
    stored = Counter(row["status"] for row in rows(tmp_path, "SELECT status FROM requests"))
    assert stored["ok"] == statuses[200]
    assert stored["rejected"] == statuses[429]
