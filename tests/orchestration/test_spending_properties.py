"""However calls end, what a run and a request commit stays within their budgets, over-billing named."""

import asyncio
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import PipelineFailedError, ProviderError
from harness.orchestration import StrategyType
from harness.pricing import Budget
from harness.records import CallOutcome, Usage
from tests.orchestration.scripted import (
    BROKEN,
    GOOD,
    MINI,
    SCRIPTS,
    UNREADABLE,
    Script,
    brief,
    pipeline,
    strategy,
)

OVER = Usage(input_tokens=2_000, output_tokens=90_000)
STEPS = st.sampled_from(
    [
        GOOD,
        BROKEN,
        UNREADABLE,
        ProviderError("timeout", "slow"),
        ProviderError("overloaded", "busy"),
        ProviderError("auth", "no"),
    ]
)
SCRIPT = st.builds(
    Script,
    steps=st.lists(STEPS, min_size=1, max_size=4),
    usage=st.sampled_from([Usage(input_tokens=2_000, output_tokens=1_200), OVER, None]),
    delay_s=st.sampled_from([0.0, 0.002]),
)


def policy(kind: StrategyType) -> Any:
    options: dict[StrategyType, dict[str, Any]] = {
        StrategyType.HEDGE: {"hedge": MINI, "hedge_after_ms": 1},
        StrategyType.CASCADE: {"escalate_to": MINI, "escalate_below_score": 0.99},
        StrategyType.FALLBACK: {"fallbacks": (MINI,)},
    }
    return strategy(type=kind, **options.get(kind, {}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    draft=SCRIPT,
    other=SCRIPT,
    kind=st.sampled_from(list(StrategyType)),
    cap=st.sampled_from(["0.05", "0.2", "1.0"]),
    leaving=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_spend_stays_within_its_budgets(
    draft: Script, other: Script, kind: StrategyType, cap: str, leaving: list[bool]
) -> None:
    async def requests() -> tuple[Budget, list[Any]]:
        draft.prompts.clear()
        other.prompts.clear()
        SCRIPTS.update(anthropic=draft, openai=other)
        budget = Budget("run", Decimal("0.5"))
        kept: list[Any] = []
        made = pipeline(
            policy(kind),
            cost_max_usd=cap,
            budget=budget,
            on_abandoned=lambda _event, calls: kept.append(calls),
        )
        tasks = [asyncio.create_task(made.run(brief(), request_id=f"r{n}")) for n in range(3)]
        await asyncio.sleep(0.001)
        for task, leaves in zip(tasks, leaving, strict=True):
            if leaves:
                task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, PipelineFailedError):
                kept.append(ended.calls)
            elif not isinstance(ended, asyncio.CancelledError):
                assert not isinstance(ended, BaseException), ended
                kept.append(ended.calls)
                over = ended.event.cost_usd is not None and ended.event.cost_usd > Decimal(cap)
                assert not over or any("billed" in text for text in ended.payload["issues"])
        return budget, kept

    budget, kept = asyncio.run(requests())
    overrun = Decimal(0)
    for calls in kept:
        sent = [call for call in calls if call.outcome is not CallOutcome.REFUSED]
        excess = sum(max(Decimal(0), (c.cost_usd or Decimal(0)) - c.cost_reserved_usd) for c in sent)
        booked = sum(c.cost_reserved_usd if c.cost_usd is None else c.cost_usd for c in sent)
        assert booked <= Decimal(cap) + excess
        overrun += Decimal(excess)
    assert budget.reserved_usd == 0
    assert budget.settled_usd <= Decimal("0.5") + overrun
