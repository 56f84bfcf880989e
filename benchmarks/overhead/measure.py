"""CPU that harness adds to one model call: bare SDK, our adapter, one orchestrated call, side by side.

Every variant streams the same bytes from the same upstream process over a kept-alive connection, one call of
each in turn, so that a change of the machine's speed hits all alike. Only this process's CPU time counts.

Run: python benchmarks/overhead/measure.py [--rounds 1000]
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import anthropic
import openai

from harness.orchestration.adapters import AdapterPool
from harness.orchestration.attempt import CallScope
from harness.orchestration.caller import Caller
from harness.orchestration.ledger import Ledger
from harness.orchestration.routing import Route
from harness.pricing import Budget, PriceBook
from harness.providers import ProviderSettings
from harness.records import Prompt, Role

MODELS = {"anthropic": "claude-sonnet-4-6", "openai": "gpt-4o-mini"}
PROMPT = Prompt(role=Role.DRAFT, system="You are brief. " * 40, user="Say something. " * 20, max_tokens=1000)
WARM_UP = 30
GOAL_US = 1_000
Variant = Callable[[], Awaitable[object]]


def bare_anthropic(url: str) -> Variant:
    """The SDK alone, as its documentation streams."""
    client = anthropic.AsyncAnthropic(api_key="none", base_url=url, max_retries=0)

    async def call() -> str:
        stream = await client.messages.create(
            model=MODELS["anthropic"],
            max_tokens=PROMPT.max_tokens,
            system=PROMPT.system,
            messages=[{"role": "user", "content": PROMPT.user}],
            stream=True,
        )
        parts = [
            event.delta.text
            async for event in stream
            if event.type == "content_block_delta" and event.delta.type == "text_delta"
        ]
        return "".join(parts)

    return call


def bare_openai(url: str) -> Variant:
    """The SDK alone, as its documentation streams."""
    client = openai.AsyncOpenAI(api_key="none", base_url=f"{url}/v1", max_retries=0)

    async def call() -> str:
        parts = []
        stream = await client.chat.completions.create(
            model=MODELS["openai"],
            max_completion_tokens=PROMPT.max_tokens,
            messages=[
                {"role": "system", "content": PROMPT.system},
                {"role": "user", "content": PROMPT.user},
            ],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            parts += [choice.delta.content or "" for choice in chunk.choices]
        return "".join(parts)

    return call


def route_to(kind: str, url: str) -> Route:
    """A route at the upstream."""
    base_url = url if kind == "anthropic" else f"{url}/v1"
    settings = ProviderSettings(name=kind, kind=kind, base_url=base_url, api_key="none")
    return Route(provider=kind, model=MODELS[kind], settings=settings)


def adapter_alone(kind: str, url: str) -> Variant:
    """Our adapter: the SDK, timed, classified, usage normalised."""
    adapter = AdapterPool().get(route_to(kind, url))
    return lambda: adapter.generate(PROMPT, call_id="call-0", timeout_s=30)


def orchestrated(kind: str, url: str) -> Variant:
    """One whole call: worst case reserved, attempt, priced, settled, recorded."""
    caller = Caller(pool=AdapterPool(), book=PriceBook.load())
    route = route_to(kind, url)

    async def call() -> object:
        scope = CallScope(
            request_id="r-1",
            run_id=None,
            budget=Budget("request", Decimal(1)),
            deadline_ns=time.perf_counter_ns() + 30_000_000_000,
            ledger=Ledger(),
        )
        return await caller.ask(route, PROMPT, scope)

    return call


async def cpu_us(variant: Variant) -> float:
    """CPU microseconds of one call."""
    started_ns = time.process_time_ns()
    await variant()
    return (time.process_time_ns() - started_ns) / 1_000


def quartiles(figures: list[float]) -> tuple[float, float, float]:
    """The quartiles of a sample."""
    low, middle, high = statistics.quantiles(figures, n=4)
    return low, middle, high


async def measure(url: str, rounds: int) -> float:
    """Print the table; returns the largest median that an orchestrated call adds, CPU microseconds."""
    print("| provider | variant | CPU us/call: median (quartiles) | added over the bare SDK (quartiles) |")
    print("|---|---|---|---|")
    worst_us = 0.0
    for kind, bare in (("anthropic", bare_anthropic), ("openai", bare_openai)):
        variants = {
            "bare SDK": bare(url),
            "adapter": adapter_alone(kind, url),
            "orchestrated call": orchestrated(kind, url),
        }
        seen: dict[str, list[float]] = {name: [] for name in variants}
        for number in range(WARM_UP + rounds):
            for name, variant in variants.items():
                figure = await cpu_us(variant)
                if number >= WARM_UP:
                    seen[name].append(figure)
        for name, figures in seen.items():
            low, middle, high = quartiles(figures)
            row = f"| {kind} | {name} | {middle:,.0f} ({low:,.0f} to {high:,.0f}) |"
            if name == "bare SDK":
                print(f"{row} |")
                continue
            added = [figure - own for figure, own in zip(figures, seen["bare SDK"], strict=True)]
            low, middle, high = quartiles(added)
            worst_us = max(worst_us, middle)
            print(f"{row} {middle:+,.0f} ({low:+,.0f} to {high:+,.0f}) |")
    return worst_us


def main() -> int:
    """Start the upstream, measure, stop it; exit 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1_000, help="calls of each variant")
    rounds = parser.parse_args().rounds
    print(f"# Overhead of one orchestrated call\n\nn = {rounds} calls of each variant, in turns.\n")
    upstream = [sys.executable, str(Path(__file__).with_name("upstream.py"))]
    with subprocess.Popen(upstream, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        worst_us = asyncio.run(measure(f"http://127.0.0.1:{port}", rounds))
        process.stdin.close()
    print(
        f"\nAn orchestrated call adds at most {worst_us:,.0f} us of CPU (median); goal: under {GOAL_US:,} us."
    )
    return 0 if worst_us < GOAL_US else 1


if __name__ == "__main__":
    sys.exit(main())
