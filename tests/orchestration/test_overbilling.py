"""A provider that bills above what was asked of it: the paid answer is given, the overrun named, no more is spent."""

from decimal import Decimal

from harness.pricing import Budget
from harness.records import CallOutcome, Usage
from tests.orchestration.scripted import BROKEN, GOOD, SCRIPTS, Script, brief, pipeline

TOO_MUCH = Usage(input_tokens=2_000, output_tokens=2_000_000)


async def test_the_answer_is_kept_and_the_overrun_named() -> None:
    SCRIPTS.update(anthropic=Script([GOOD], usage=TOO_MUCH), openai=Script([GOOD]))
    run_budget = Budget("run", Decimal(100))
    result = await pipeline(cost_max_usd="1.0", budget=run_budget).run(brief(), request_id="r1")
    assert result.event.cost_usd == Decimal("30.006")
    (issue,) = [text for text in result.payload["issues"] if "billed" in text]
    assert issue.startswith(
        "anthropic/claude-3-5-sonnet-20241022 billed $30.006 for a call that could cost at most $"
    )
    assert run_budget.committed_usd == Decimal("30.006")


async def test_nothing_more_is_spent_after_an_overrun() -> None:
    SCRIPTS.update(anthropic=Script([BROKEN], usage=TOO_MUCH), openai=Script([GOOD]))
    result = await pipeline(cost_max_usd="1.0").run(brief(), request_id="r1")
    assert SCRIPTS["openai"].prompts == []
    assert [call.outcome for call in result.calls] == [CallOutcome.OK, CallOutcome.REFUSED]
    assert result.event.fallback_reason == "llm_api_error"
    assert result.event.cost_usd == Decimal("30.006")


async def test_an_ordinary_bill_names_nothing() -> None:
    SCRIPTS.update(anthropic=Script([GOOD]), openai=Script([GOOD]))
    result = await pipeline().run(brief(), request_id="r1")
    assert not [text for text in result.payload.get("issues", ()) if "billed" in text]
