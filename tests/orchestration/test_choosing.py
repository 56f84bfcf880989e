"""Strategies that choose: by the answer's own confidence, the best of several, by rules over the request."""

from dataclasses import replace

from harness.errors import ProviderError
from harness.orchestration import StrategyType
from harness.orchestration.strategy import RouteRule
from harness.records import ErrorKind
from tests.orchestration.asking import DRAFT_USD, MINI_USD, failure, run
from tests.orchestration.scripted import (
    BROKEN,
    GOOD,
    MINI,
    SCRIPTS,
    SONNET,
    Script,
    brief,
    pipeline,
    strategy,
)


async def test_a_cascade_escalates_an_answer_that_is_not_sure_of_itself() -> None:
    cascade = strategy(
        draft=MINI,
        escalate_to=SONNET,
        type=StrategyType.CASCADE,
        escalate_below_score=0.0,
        escalate_below_confidence=0.81,
    )
    SCRIPTS.update(openai=Script([GOOD]), anthropic=Script([GOOD]))  # sure by 0.8
    assert (await run(cascade)).event.draft_source == "anthropic"
    surer = replace(cascade, escalate_below_confidence=0.8)
    SCRIPTS.update(openai=Script([GOOD]), anthropic=Script([GOOD]))
    assert (await run(surer)).event.draft_source == "openai"


async def test_the_best_of_two_is_paid_twice_and_a_failure_loses() -> None:
    both = strategy(draft=MINI, others=(SONNET,), type=StrategyType.BEST_OF)
    SCRIPTS.update(openai=Script([BROKEN]), anthropic=Script([GOOD]))
    event = (await run(both)).event
    assert event.draft_source == "anthropic"
    assert event.draft_cost_usd == DRAFT_USD + MINI_USD
    SCRIPTS.update(openai=Script([GOOD]), anthropic=Script([ProviderError("auth", "no")]))
    assert (await run(both)).event.draft_source == "openai"
    SCRIPTS.update(
        openai=Script([ProviderError("auth", "no")]), anthropic=Script([ProviderError("auth", "no")])
    )
    assert (await failure(both)).kind is ErrorKind.AUTH


async def test_a_routed_request_is_recorded_under_the_strategy_and_repaired_by_its_own_model() -> None:
    rule = RouteRule(draft=SONNET, when={"plan": "enterprise"})
    routed = strategy(draft=MINI, rules=(rule,), repairs_itself=True, type=StrategyType.ROUTED)
    SCRIPTS.update(openai=Script([GOOD]), anthropic=Script([BROKEN, GOOD]))
    made = pipeline(routed)
    first = await made.run(brief(), request_id="r1", tags={"plan": "enterprise"})
    assert (first.event.draft_source, first.event.repair_source) == ("anthropic", "anthropic")
    assert first.event.strategy == "routed"
    second = await made.run(brief(), request_id="r2", tags={"plan": "free"})
    assert second.event.draft_source == "openai"
