"""The pipeline on real prices, the real task, and providers that answer as told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from harness.errors import PipelineFailedError, ProviderError
from harness.orchestration import PipelineResult, Route, StrategyType
from harness.pricing import Budget
from harness.records import (
    NO_USAGE,
    Call,
    CallOutcome,
    ErrorKind,
    FailedEvent,
    FallbackReason,
    Prompt,
    ProviderMode,
    RequestStatus,
    Role,
    UnpricedReason,
    Usage,
)
from tests.orchestration.asking import DRAFT_USD, MINI_USD, failure, run
from tests.orchestration.scripted import (
    BROKEN,
    GOOD,
    MINI,
    SCRIPTS,
    SONNET,
    UNREADABLE,
    USAGE,
    Script,
    brief,
    pipeline,
    route,
    strategy,
)


async def test_a_good_draft_is_answered_as_it_is() -> None:
    SCRIPTS.update(anthropic=Script([GOOD]), openai=Script([GOOD]))
    result = await run()
    event = result.event
    assert (event.draft_source, event.draft_model) == ("anthropic", "claude-3-5-sonnet-20241022")
    assert event.cost_usd == event.draft_cost_usd == DRAFT_USD
    assert event.mixed_providers is None
    assert not event.repaired
    assert "mixed_providers" not in event.payload()
    assert event.provider_mode is ProviderMode.EMULATED
    assert event.fallback_reason is None
    assert set(event.stages_ms) == {"draft", "validate"}
    assert [call.role for call in result.calls] == [Role.DRAFT]
    assert result.payload["quality_score"] == result.quality.score
    assert SCRIPTS["openai"].prompts == []


async def test_a_broken_draft_is_repaired_by_the_other_provider() -> None:
    SCRIPTS.update(anthropic=Script([BROKEN]), openai=Script([GOOD]))
    result = await run()
    event = result.event
    assert (event.draft_cost_usd, event.repair_cost_usd) == (DRAFT_USD, MINI_USD)
    assert event.cost_usd == DRAFT_USD + MINI_USD
    assert (event.repair_source, event.repair_model) == ("openai", "gpt-4o-mini")
    assert event.mixed_providers is True
    assert event.repair_input_tokens == 2000
    assert set(event.stages_ms) == {"draft", "validate", "repair"}
    assert result.violations


@pytest.mark.parametrize(
    ("draft", "repair", "mixed"),
    [(SONNET, SONNET, False), (SONNET, MINI, True), (MINI, SONNET, True), (MINI, MINI, False)],
)
async def test_mixed_providers_compares_the_two_answers(draft: Any, repair: Any, mixed: bool) -> None:
    SCRIPTS.update({draft.provider: Script([BROKEN, GOOD])})
    if repair.provider != draft.provider:
        SCRIPTS.update({repair.provider: Script([GOOD])})
    result = await run(strategy(draft, repair))
    assert result.event.mixed_providers is mixed
    assert result.event.payload()["mixed_providers"] is mixed


async def test_a_repair_that_fails_leaves_the_answer_to_the_rules() -> None:
    refused = ProviderError("auth", "no", http_status=401, usage=NO_USAGE, emulated=True)
    SCRIPTS.update(anthropic=Script([BROKEN]), openai=Script([refused]))
    event = (await run()).event
    assert event.fallback_reason is FallbackReason.LLM_API_ERROR
    assert event.repair_source == "openai"
    assert event.repair_cost_usd == 0
    assert event.mixed_providers is None  # no repair answer was used


async def test_a_repair_that_is_too_slow_is_named_so_and_its_cost_is_unknown() -> None:
    SCRIPTS.update(anthropic=Script([BROKEN]), openai=Script([ProviderError("timeout", "slow")]))
    result = await run()
    assert result.event.fallback_reason is FallbackReason.LLM_TIMEOUT
    assert result.event.repair_cost_usd is None
    assert result.event.cost_usd is None
    assert result.event.repair_input_tokens is None
    assert {c.unpriced_reason for c in result.calls if c.role is Role.REPAIR} == {
        UnpricedReason.USAGE_UNKNOWN
    }


async def test_a_repair_that_leaves_violations_is_finished_by_rule() -> None:
    SCRIPTS.update(anthropic=Script([BROKEN]), openai=Script([BROKEN]))
    event = (await run()).event
    assert event.fallback_reason is FallbackReason.PARTIAL_FIX
    assert event.mixed_providers is True


async def test_an_unreadable_repair_leaves_the_draft_to_the_rules() -> None:
    SCRIPTS.update(anthropic=Script([BROKEN]), openai=Script([UNREADABLE]))
    assert (await run()).event.fallback_reason is FallbackReason.DAG_TRANSFORM_FAILED


async def test_an_unreadable_draft_goes_to_the_repair_route() -> None:
    SCRIPTS.update(anthropic=Script([UNREADABLE]), openai=Script([GOOD]))
    result = await run()
    assert result.event.fallback_reason is None
    assert result.event.repair_source == "openai"


async def test_nothing_readable_at_all_is_a_failure() -> None:
    SCRIPTS.update(anthropic=Script([UNREADABLE]), openai=Script([UNREADABLE]))
    error = await failure()
    assert error.kind == ErrorKind.BAD_OUTPUT
    assert isinstance(error.failed_event, FailedEvent)
    assert error.failed_event.cost_usd == DRAFT_USD + MINI_USD


async def test_every_attempt_is_a_call_and_a_cost() -> None:
    limited = ProviderError("rate_limited", "slow down", http_status=429, retry_after_ms=0.0, usage=NO_USAGE)
    cut = ProviderError("connection", "cut", usage=Usage(input_tokens=2000, output_tokens=100))
    SCRIPTS.update(anthropic=Script([limited, cut, GOOD]))
    result = await run()
    assert [(c.attempt, c.outcome, c.error_kind) for c in result.calls] == [
        (1, CallOutcome.ERROR, ErrorKind.RATE_LIMITED),
        (2, CallOutcome.ERROR, ErrorKind.CONNECTION),
        (3, CallOutcome.OK, None),
    ]
    assert [c.cost_usd for c in result.calls] == [0, Decimal("0.0075"), DRAFT_USD]
    assert result.event.draft_cost_usd == DRAFT_USD + Decimal("0.0075")
    assert result.event.draft_input_tokens == 4000
    assert len({c.call_id for c in result.calls}) == 3


async def test_a_draft_that_fails_entirely_carries_its_calls_and_event() -> None:
    SCRIPTS.update(anthropic=Script([ProviderError("overloaded", "busy", http_status=529, usage=NO_USAGE)]))
    error = await failure()
    assert error.kind == ErrorKind.OVERLOADED
    assert len(error.calls) == 3
    event = error.failed_event
    assert isinstance(event, FailedEvent)
    assert (event.status, event.cost_usd, event.draft_source) == (RequestStatus.ERROR, 0, "anthropic")


async def test_the_guard_refuses_before_the_call() -> None:
    SCRIPTS.update(anthropic=Script([GOOD]))
    error = await failure(cost_max_usd="0.001")
    assert error.kind == ErrorKind.COST_GUARD
    assert SCRIPTS["anthropic"].prompts == []
    (call,) = error.calls
    assert isinstance(call, Call)
    assert (call.outcome, call.error_kind, call.cost_usd) == (CallOutcome.REFUSED, ErrorKind.COST_GUARD, 0)
    assert call.cost_reserved_usd is not None
    assert call.cost_reserved_usd > Decimal("0.001")
    assert isinstance(error.failed_event, FailedEvent)
    assert error.failed_event.status is RequestStatus.REJECTED


async def test_a_repair_the_guard_refuses_is_done_by_rule() -> None:
    SCRIPTS.update(anthropic=Script([BROKEN]), openai=Script([GOOD]))
    roomy = await run()
    reserved = roomy.calls[0].cost_reserved_usd
    assert reserved is not None
    tight = await run(cost_max_usd=str(reserved), chosen=strategy(SONNET, SONNET))
    assert tight.event.fallback_reason is FallbackReason.LLM_API_ERROR
    assert tight.event.repair_source is None  # no repair call left this process
    assert tight.event.cost_usd == DRAFT_USD


async def test_an_unpriced_model_is_refused_unless_allowed_and_never_costs_zero() -> None:
    unknown = route("openai", "gpt-4o-minny")
    SCRIPTS.update(openai=Script([GOOD]))
    error = await failure(strategy(unknown, unknown))
    assert error.kind == ErrorKind.COST_GUARD
    assert [getattr(call, "unpriced_reason", None) for call in error.calls] == [UnpricedReason.UNPRICED]
    allowed = await run(strategy(unknown, unknown), allow_unpriced=True)
    assert allowed.event.cost_usd is None
    assert allowed.calls[0].unpriced_reason is UnpricedReason.UNPRICED


async def test_a_call_served_on_another_tier_is_priced_there() -> None:
    truncated = ProviderError("truncated", "cut off", usage=USAGE, price_context="priority")
    SCRIPTS.update(openai=Script([truncated, GOOD]))
    mini = route("openai", "gpt-4o-mini")
    answered = await run(strategy(mini, mini))
    assert [call.price_context for call in answered.calls] == ["priority", "standard"]
    # 2,000 in at 0.25 and 1,200 out at 1.00 a million; then 0.15 and 0.60
    assert [call.cost_usd for call in answered.calls] == [Decimal("0.0017"), Decimal("0.00102")]


async def test_a_tier_without_a_known_price_is_unpriced_and_not_standard() -> None:
    unpriced = ProviderError("truncated", "cut off", usage=USAGE, price_context="scale")
    SCRIPTS.update(openai=Script([unpriced, GOOD]))
    mini = route("openai", "gpt-4o-mini")
    call = (await run(strategy(mini, mini))).calls[0]
    assert (call.price_context, call.cost_usd, call.unpriced_reason) == (
        "scale",
        None,
        UnpricedReason.UNPRICED,
    )


async def test_a_cancelled_request_is_told_and_holds_its_reservation() -> None:
    SCRIPTS.update(anthropic=Script([GOOD], delay_s=30))
    told: list[tuple[FailedEvent, list[Call]]] = []
    budget = Budget("run", Decimal(1))
    work = asyncio.create_task(
        pipeline(budget=budget, on_abandoned=lambda event, calls: told.append((event, calls))).run(
            brief(), request_id="r1"
        )
    )
    await SCRIPTS["anthropic"].asked.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    ((event, (call,)),) = told
    assert event.error_kind is ErrorKind.CANCELLED
    assert call.cost_usd is None
    assert budget.reserved_usd == 0
    assert budget.settled_usd == call.cost_reserved_usd


async def test_a_defect_propagates_after_its_cost_is_recorded() -> None:
    def broken(_prompt: Prompt) -> str:
        raise ZeroDivisionError

    SCRIPTS.update(anthropic=Script([BROKEN]), openai=Script([broken]))
    told: list[list[Call]] = []
    with pytest.raises(ZeroDivisionError):
        await run(on_abandoned=lambda _event, calls: told.append(calls))
    assert [call.cost_usd for call in told[0]] == [DRAFT_USD, None]


async def test_the_run_budget_holds_under_concurrency_cuts_and_retries() -> None:
    cut = ProviderError("connection", "cut in mid-stream", usage=None)
    SCRIPTS.update(
        anthropic=Script([cut, GOOD, BROKEN, cut, BROKEN, GOOD] * 200, delay_s=0.001),
        openai=Script([cut, GOOD, BROKEN] * 200),
    )
    budget = Budget("run", Decimal("0.10"))
    shared = pipeline(budget=budget)
    outcomes = await asyncio.gather(
        *(shared.run(brief(), request_id=f"r{n}") for n in range(200)), return_exceptions=True
    )
    assert budget.committed_usd <= Decimal("0.10")
    assert budget.reserved_usd == 0
    refused = [o for o in outcomes if isinstance(o, PipelineFailedError) and o.kind == ErrorKind.COST_GUARD]
    assert len(refused) > 150
    assert all(isinstance(o, PipelineResult | PipelineFailedError) for o in outcomes)


async def test_fallback_asks_the_next_provider_and_pays_both() -> None:
    failed = ProviderError("content_filter", "no", usage=Usage(input_tokens=2000, output_tokens=0))
    SCRIPTS.update(anthropic=Script([failed]), openai=Script([GOOD]))
    result = await run(strategy(type=StrategyType.FALLBACK, fallbacks=(MINI,)))
    assert result.event.draft_source == "openai"
    assert result.event.draft_cost_usd == Decimal("0.006") + MINI_USD
    assert result.event.mixed_providers is None


async def test_cascade_escalates_on_violations_and_pays_both() -> None:
    SCRIPTS.update(openai=Script([BROKEN]), anthropic=Script([GOOD]))
    result = await run(
        strategy(MINI, MINI, type=StrategyType.CASCADE, escalate_to=SONNET, escalate_below_score=0.0)
    )
    assert result.event.draft_source == "anthropic"
    assert result.event.draft_cost_usd == MINI_USD + DRAFT_USD
    kept = await run(
        strategy(SONNET, MINI, type=StrategyType.CASCADE, escalate_to=MINI, escalate_below_score=0.0)
    )
    assert kept.event.draft_source == "anthropic"
    assert len(kept.calls) == 1


async def test_cascade_escalates_on_a_low_score_and_keeps_the_cheap_draft_when_that_fails() -> None:
    SCRIPTS.update(openai=Script([GOOD]), anthropic=Script([ProviderError("auth", "no", usage=NO_USAGE)]))
    chosen = strategy(MINI, MINI, type=StrategyType.CASCADE, escalate_to=SONNET, escalate_below_score=1.0)
    result = await run(chosen)
    assert len(result.calls) == 2
    assert result.event.draft_source == "openai"


async def test_cascade_keeps_the_cheap_draft_when_the_guard_refuses_the_better_one() -> None:
    SCRIPTS.update(openai=Script([GOOD]), anthropic=Script([GOOD]))
    chosen = strategy(MINI, MINI, type=StrategyType.CASCADE, escalate_to=SONNET, escalate_below_score=1.0)
    result = await run(chosen, cost_max_usd="0.01")
    assert result.event.draft_source == "openai"
    assert [call.outcome for call in result.calls] == [CallOutcome.OK, CallOutcome.REFUSED]
    assert result.event.cost_usd == MINI_USD


async def test_hedge_takes_the_first_good_answer_and_records_the_loser() -> None:
    SCRIPTS.update(anthropic=Script([GOOD], delay_s=30), openai=Script([GOOD]))
    result = await run(strategy(type=StrategyType.HEDGE, hedge=MINI, hedge_after_ms=1.0))
    assert result.event.draft_source == "openai"
    assert {(c.provider, c.error_kind) for c in result.calls} == {
        ("anthropic", ErrorKind.CANCELLED),
        ("openai", None),
    }
    assert result.event.cost_usd is None  # what the cancelled call was billed, nobody told


async def test_an_evaluator_waits_for_the_loser_and_knows_both_costs() -> None:
    SCRIPTS.update(anthropic=Script([GOOD], delay_s=0.2), openai=Script([GOOD]))
    chosen = strategy(type=StrategyType.HEDGE, hedge=MINI, hedge_after_ms=1.0)
    result = await run(chosen, finish_losers=True)
    assert result.event.draft_source == "openai"
    assert result.event.cost_usd == DRAFT_USD + MINI_USD
    assert result.event.latency_ms < 190  # taken when the winner answered


async def test_a_cancelled_hedge_ends_both_calls() -> None:
    SCRIPTS.update(anthropic=Script([GOOD], delay_s=30), openai=Script([GOOD], delay_s=30))
    told: list[list[Call]] = []
    work = asyncio.create_task(
        pipeline(
            strategy(type=StrategyType.HEDGE, hedge=MINI, hedge_after_ms=1.0),
            on_abandoned=lambda _event, calls: told.append(calls),
        ).run(brief(), request_id="r1")
    )
    await SCRIPTS["openai"].asked.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert {call.error_kind for call in told[0]} == {ErrorKind.CANCELLED}
    assert len(told[0]) == 2


async def test_a_hedge_whose_calls_both_fail_is_the_first_one_s_failure() -> None:
    slow_failure = ProviderError("auth", "no", usage=NO_USAGE)
    SCRIPTS.update(
        anthropic=Script([slow_failure], delay_s=0.01), openai=Script([ProviderError("bad_request", "x")])
    )
    error = await failure(strategy(type=StrategyType.HEDGE, hedge=MINI, hedge_after_ms=1.0))
    assert error.kind == ErrorKind.AUTH
    assert len(error.calls) == 2


async def test_hedge_stays_alone_when_the_first_is_quick() -> None:
    SCRIPTS.update(anthropic=Script([GOOD]), openai=Script([GOOD]))
    result = await run(strategy(type=StrategyType.HEDGE, hedge=MINI, hedge_after_ms=60_000))
    assert [c.provider for c in result.calls] == ["anthropic"]
    assert result.event.cost_usd == DRAFT_USD


async def test_a_gatekeeper_admits_and_sees_every_attempt() -> None:
    class OneAtATime:
        def __init__(self) -> None:
            self.lock = asyncio.Lock()
            self.outcomes: list[tuple[str, CallOutcome]] = []

        @asynccontextmanager
        async def admit(self, route: Route) -> AsyncIterator[None]:
            async with self.lock:
                yield

        def seen(self, route: Route, call: Call, rate_limits: Mapping[str, str]) -> None:
            assert self.lock.locked()
            self.outcomes.append((route.provider, call.outcome))

    gatekeeper = OneAtATime()
    limited = ProviderError("rate_limited", "slow down", usage=NO_USAGE, retry_after_ms=0.0)
    SCRIPTS.update(anthropic=Script([limited, GOOD, GOOD], delay_s=0.001))
    shared = pipeline(gatekeeper=gatekeeper)
    await asyncio.gather(*(shared.run(brief(), request_id=f"r{n}") for n in range(2)))
    assert sorted(gatekeeper.outcomes) == [("anthropic", "error"), ("anthropic", "ok"), ("anthropic", "ok")]


async def test_stages_are_told_in_order() -> None:
    SCRIPTS.update(anthropic=Script([BROKEN]), openai=Script([BROKEN]))
    stages: list[str] = []
    await pipeline().run(brief(), request_id="r1", on_stage=lambda stage, _detail: stages.append(stage))
    assert stages == ["DRAFTING", "VALIDATING", "REPAIRING", "SIMPLE_REPAIR"]
