"""Circuits: what opens one, what closes it, and what an open one does to a request."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from harness.errors import PipelineFailedError, ProviderError
from harness.orchestration import RetryPolicy, StrategyType
from harness.orchestration.breaker import Breakers, BreakerSettings, CircuitState
from harness.records import Call, CallOutcome, ErrorKind, Role
from tests.orchestration.scripted import GOOD, MINI, SCRIPTS, SONNET, Script, brief, pipeline, strategy

SETTINGS = BreakerSettings(failed_share=0.5, least_attempts=4, window_s=10.0, open_s=5.0)
S = 1_000_000_000


def attempt(kind: ErrorKind | None = None) -> Call:
    return Call(
        run_id=None,
        request_id="r",
        call_id="c",
        role=Role.DRAFT,
        attempt=1,
        provider="p",
        model="m",
        started_at=datetime(2026, 11, 1, tzinfo=UTC),
        latency_ms=1.0,
        outcome=CallOutcome.OK if kind is None else CallOutcome.ERROR,
        error_kind=kind,
        cost_usd=Decimal(0),
    )


def fed(*kinds: ErrorKind | None, every_s: float = 0.0) -> Breakers:
    breakers = Breakers(SETTINGS)
    for place, kind in enumerate(kinds):
        breakers.seen("p", attempt(kind), int(place * every_s * S))
    return breakers


BAD = ErrorKind.UPSTREAM_5XX


@pytest.mark.parametrize(
    ("breakers", "state"),
    [
        (fed(BAD, BAD, BAD), CircuitState.CLOSED),  # too few to tell
        (fed(BAD, BAD, None, None), CircuitState.CLOSED),  # judged when one fails: 2 of 2, 2 of 4
        (fed(None, None, BAD, BAD), CircuitState.OPEN),
        (fed(None, None, None, BAD, BAD), CircuitState.CLOSED),
        (fed(*[ErrorKind.RATE_LIMITED] * 9), CircuitState.CLOSED),
        (fed(*[ErrorKind.AUTH] * 9), CircuitState.CLOSED),
        (fed(*[ErrorKind.CANCELLED] * 9), CircuitState.CLOSED),
        (fed(*[BAD] * 9, every_s=4.0), CircuitState.CLOSED),  # never four within ten seconds
        (fed(*[ErrorKind.TIMEOUT] * 4), CircuitState.OPEN),
    ],
)
def test_a_circuit_opens_where_a_provider_keeps_failing(breakers: Breakers, state: CircuitState) -> None:
    assert breakers.state("p") is state
    assert breakers.state("other") is CircuitState.CLOSED


def test_an_open_circuit_lets_one_try_when_its_time_is_over() -> None:
    breakers = fed(*[BAD] * 4)
    assert breakers.wait_ms("p", 1 * S) == pytest.approx(4000)
    assert breakers.refused["p",] == 1
    assert breakers.wait_ms("p", 5 * S) is None  # the one that tries
    assert breakers.state("p") is CircuitState.HALF_OPEN
    assert breakers.wait_ms("p", 5 * S) is not None
    breakers.seen("p", attempt(BAD), 6 * S)
    assert breakers.state("p") is CircuitState.OPEN
    assert breakers.wait_ms("p", 11 * S) is None
    breakers.seen("p", attempt(), 12 * S)
    assert (breakers.state("p"), breakers.not_closed) == (CircuitState.CLOSED, 0)
    assert breakers.wait_ms("p", 12 * S) is None
    assert breakers.transitions == {("p", "open"): 2, ("p", "half_open"): 2, ("p", "closed"): 1}


def test_a_try_that_never_tells_blocks_nobody_for_ever() -> None:
    breakers = fed(*[BAD] * 4)
    assert breakers.wait_ms("p", 5 * S) is None
    assert breakers.wait_ms("p", 9 * S) is not None
    assert breakers.wait_ms("p", 10 * S) is None


async def test_a_request_goes_to_the_next_provider_at_once_and_the_refusal_is_recorded() -> None:
    down = ProviderError("upstream_5xx", "down", http_status=500)
    SCRIPTS.update(anthropic=Script([down]), openai=Script([GOOD]))
    fallback = strategy(fallbacks=(MINI,), type=StrategyType.FALLBACK)
    made = pipeline(fallback, policy=RetryPolicy(max_attempts=2, base_ms=1.0))
    made.caller = replace(made.caller, breakers=Breakers(SETTINGS))
    results: list[Any] = [await made.run(brief(), request_id=f"r{n}") for n in range(3)]
    assert [call.error_kind for call in results[1].calls] == [BAD, BAD, None]
    refused, answered = results[2].calls
    assert (refused.outcome, refused.error_kind, refused.cost_usd) == (
        CallOutcome.REFUSED,
        ErrorKind.CIRCUIT_OPEN,
        0,
    )
    assert refused.retry_after_ms > 0
    assert (answered.provider, results[2].event.draft_source) == ("openai", "openai")
    assert results[2].event.cost_usd == answered.cost_usd
    assert len(SCRIPTS["anthropic"].prompts) == 4


async def test_without_another_provider_the_request_fails_fast_and_is_not_retried() -> None:
    SCRIPTS.update(anthropic=Script([GOOD]), openai=Script([GOOD]))
    made = pipeline(strategy(draft=SONNET, repair=SONNET))
    breakers = Breakers(SETTINGS)
    for _ in range(4):
        breakers.seen("anthropic", attempt(BAD), made.caller.clock.monotonic_ns())
    made.caller = replace(made.caller, breakers=breakers)
    with pytest.raises(PipelineFailedError) as caught:
        await made.run(brief(), request_id="r")
    assert caught.value.kind is ErrorKind.CIRCUIT_OPEN
    assert len(caught.value.calls) == 1
    assert SCRIPTS["anthropic"].prompts == []
