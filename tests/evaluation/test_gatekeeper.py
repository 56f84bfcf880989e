"""The gate on a clock of its own: windows, pauses, pace and priorities."""

import asyncio
from datetime import UTC, datetime

import pytest

from harness.evaluation.pacing.gatekeeper import AdaptiveGate
from harness.orchestration import Route
from harness.providers import ProviderSettings
from harness.providers.limits import allowances
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


def requests_told(limit, remaining, reset=None, kind="requests"):
    told = {f"x-ratelimit-limit-{kind}": limit, f"x-ratelimit-remaining-{kind}": remaining}
    return told if reset is None else {**told, f"x-ratelimit-reset-{kind}": reset}


@pytest.mark.parametrize(
    ("headers", "kind", "window_s", "reset_s"),
    [
        (requests_told("14400", "14370", "2m59.56s"), "requests", 86_400, 179.56),  # Groq
        (requests_told("10000", "9999", "8.64s"), "requests", 86_400, 8.64),  # OpenAI, a day
        (requests_told("500", "499", "120ms"), "requests", 60, 0.12),  # OpenAI, a minute
        (requests_told("200", "150", "6h0m0s"), "requests", 86_400, 21_600),
        (requests_told("30000", "29999", "2ms"), "requests", 60, 0.002),
        (requests_told("100", "99", "10"), "requests", 60, 10),  # Azure: no unit
        (requests_told("100", "0", "60"), "requests", 60, 60),
        (requests_told("1000", "999", "33011.38"), "requests", 86_400, 33_011.38),
        (requests_told("60", "59"), "requests", 60, None),  # Fireworks, x-ai
        (requests_told("60", "60", "0s"), "requests", 60, 0),
        (requests_told("50", "49", kind="req-minute"), "requests", 60, None),  # Mistral
        (requests_told("5", "4", kind="req-10-second"), "requests", 10, None),
        (requests_told("5", "4", kind="req-second"), "requests", 1, None),
        (requests_told("1000000", "9", kind="tokens-minute"), "tokens", 60, None),
        (requests_told("1000000", "9", kind="tokens-month"), "tokens", 2_592_000, None),
        (
            requests_told("900", "899", "33011.4", kind="requests-day"),
            "requests",
            86_400,
            33_011.4,
        ),  # Cerebras
        (
            {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "19", "x-ratelimit-reset": "1793491260000"},
            "requests",
            60,
            60,
        ),  # OpenRouter: a moment, milliseconds since 1970
        ({"ratelimit-limit": "20", "ratelimit-remaining": "19", "ratelimit-reset": "7"}, "requests", 60, 7),
        (
            {
                "anthropic-ratelimit-requests-limit": "4000",
                "anthropic-ratelimit-requests-remaining": "3999",
                "anthropic-ratelimit-requests-reset": "2026-11-01T00:00:01Z",
            },
            "requests",
            60,
            1,
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-limit": "4000",
                "anthropic-ratelimit-input-tokens-remaining": "3999",
            },
            "input-tokens",
            60,
            None,
        ),
    ],
)
def test_the_window_is_told_by_name_or_by_limit_remainder_and_reset(headers, kind, window_s, reset_s):
    (found,) = allowances(headers, AT)
    assert (found.kind, found.window_s) == (kind, window_s)
    assert found.reset_s == (None if reset_s is None else pytest.approx(reset_s))


async def test_each_window_keeps_its_own_pace():
    gate, where, done = AdaptiveGate(16), route(), asyncio.Event()
    done.set()
    told = {
        **requests_told("600", "500", kind="req-minute"),
        **requests_told("100", "2", kind="req-10-second"),
    }
    await attempt(gate, where, done, seen=call(), headers=told)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(attempt(gate, where, done) for _ in range(5)))
    assert asyncio.get_running_loop().time() - began > 0.25  # two at once, three more at ten a second


async def test_a_day_is_not_taken_for_a_minute():
    gate, where, done = AdaptiveGate(16), route(), asyncio.Event()
    done.set()
    await attempt(gate, where, done, seen=call(), headers=requests_told("14400", "1", "23h59m54s"))
    await attempt(gate, where, done)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(attempt(gate, where, done), 0.2)  # one in six seconds comes back
