"""The gate on a clock of its own: windows, pauses, pace and priorities."""

import asyncio
from datetime import UTC, datetime

import pytest

from harness.evaluation.pacing.gatekeeper import AdaptiveGate
from harness.evaluation.pacing.headers import allowances
from harness.orchestration import Route
from harness.providers import ProviderSettings
from harness.records import Call, CallOutcome, ErrorKind, Role

AT = datetime(2026, 11, 1, tzinfo=UTC)


def route(provider="openai", model="gpt-4o-mini"):
    return Route(provider=provider, model=model, settings=ProviderSettings(name=provider, kind=provider))


def call(outcome=CallOutcome.OK, **changes):
    fields = {"input_tokens": 10, "output_tokens": 10, **changes}
    return Call(
        run_id="r",
        request_id="q",
        call_id="c",
        role=Role.DRAFT,
        attempt=1,
        provider="openai",
        model="gpt-4o-mini",
        started_at=AT,
        latency_ms=1.0,
        outcome=outcome,
        **fields,
    )


REFUSED = call(CallOutcome.ERROR, error_kind=ErrorKind.RATE_LIMITED, retry_after_ms=60.0)


async def attempt(gate, where, ended, *, seen=None, headers=None):
    async with gate.admit(where):
        await asyncio.sleep(0)
        if seen is not None:
            gate.seen(where, seen, headers or {})
        await ended.wait()


async def under_way(gate, where, many, **how):
    """So many attempts at once; how many the gate lets run."""
    ended = asyncio.Event()
    tasks = [asyncio.create_task(attempt(gate, where, ended, **how)) for _ in range(many)]
    await asyncio.sleep(0.02)
    running = gate.lane(where).in_flight
    return running, tasks, ended


async def test_the_window_starts_small_grows_with_answers_and_stops_at_the_cap():
    gate, where, ended = AdaptiveGate(6), route(), asyncio.Event()
    running, tasks, hold = await under_way(gate, where, 20)
    assert running == 4
    hold.set()
    await asyncio.gather(*tasks)
    ended.set()
    await asyncio.gather(*(attempt(gate, where, ended, seen=call()) for _ in range(40)))
    running, tasks, hold = await under_way(gate, where, 20)
    assert running == 6
    hold.set()
    await asyncio.gather(*tasks)


async def test_a_round_of_429_halves_the_window_once_and_pauses_the_whole_provider():
    gate, where, other = AdaptiveGate(16), route(), route(model="gpt-4o")
    gate.lane(other)
    running, tasks, hold = await under_way(gate, where, 4, seen=REFUSED)
    assert running == 4
    assert gate.lane(where).window == 2.0
    hold.set()
    await asyncio.gather(*tasks)
    began = asyncio.get_running_loop().time()
    done = asyncio.Event()
    done.set()
    await asyncio.gather(attempt(gate, where, done), attempt(gate, other, done))
    assert asyncio.get_running_loop().time() - began > 0.02
    elsewhere = route("anthropic", "claude")
    began = asyncio.get_running_loop().time()
    await attempt(gate, elsewhere, done)
    assert asyncio.get_running_loop().time() - began < 0.5


async def test_the_pace_follows_the_remainder_that_the_headers_tell():
    gate, where, done = AdaptiveGate(16), route(), asyncio.Event()
    done.set()
    told = {"x-ratelimit-limit-requests": "600", "x-ratelimit-remaining-requests": "2"}
    await attempt(gate, where, done, seen=call(), headers=told)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(attempt(gate, where, done) for _ in range(6)))
    spent = asyncio.get_running_loop().time() - began
    assert spent > 0.25  # two at once, four more at ten a second
    assert gate.lane(where).sent == 7


async def test_a_repair_goes_before_new_cases_and_its_wait_is_measured():
    gate, where = AdaptiveGate(1), route()
    order, wait_ms = [], []

    async def case(name):
        async with gate.case(where) as wait:
            async with gate.admit(where):
                await asyncio.sleep(0.01)
            order.append(f"{name} draft")
            async with gate.admit(where):
                gate.seen(where, call(), {})
                order.append(f"{name} repair")
            wait_ms.append(wait.total_ms)

    await asyncio.gather(*(case(name) for name in "abc"))
    assert order.index("c draft") > max(order.index("a repair"), order.index("b repair"))
    assert gate.lane(where).in_flight == 0
    assert wait_ms[0] > 5


async def test_a_cancelled_waiter_leaves_no_hole():
    gate, where = AdaptiveGate(1), route()
    _, tasks, hold = await under_way(gate, where, 5)
    for task in tasks[1:3]:
        task.cancel()
    hold.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gate.lane(where).in_flight == 0


async def test_an_end_releases_the_cases_that_wait_to_begin():
    gate, where, begun = AdaptiveGate(1), route(), []

    async def waiting(name):
        async with gate.case(where):
            begun.append(name)

    async with gate.admit(where):
        tasks = [asyncio.create_task(waiting(name)) for name in "abc"]
        await asyncio.sleep(0)
        gate.let_go()
        await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert begun == ["a", "b", "c"]
    assert gate.lane(where).in_flight == 0


@pytest.mark.parametrize(
    ("headers", "kind", "limit", "remaining", "reset_s"),
    [
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "7",
                "anthropic-ratelimit-requests-reset": "2026-11-01T00:00:30Z",
            },
            "requests", 50, 7, 30,
        ),
        (
            {
                "x-ratelimit-limit-tokens": "90000",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            "tokens", 90000, 0, 360,
        ),
        (
            {
                "x-ratelimit-limit-requests": "10",
                "x-ratelimit-remaining-requests": "9",
                "x-ratelimit-reset-requests": "120ms",
            },
            "requests", 10, 9, 0.12,
        ),
        (
            {
                "x-ratelimit-limit-requests": "10",
                "x-ratelimit-remaining-requests": "9",
                "x-ratelimit-reset-requests": "soon",
            },
            "requests", 10, 9, None,
        ),
    ],
)  # fmt: skip
def test_rate_limit_headers_of_both_providers(headers, kind, limit, remaining, reset_s):
    (found,) = allowances(headers, AT)
    assert (found.kind, found.limit, found.remaining) == (kind, limit, remaining)
    assert found.reset_s == pytest.approx(reset_s)


def test_unreadable_headers_tell_nothing():
    assert (
        allowances({"x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-requests": "-1"}, AT) == []
    )
