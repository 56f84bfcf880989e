"""One variant of one model call, made when told to: prints the CPU microseconds that each call took.

Run by `measure.py`, in a process of its own, so that two checkouts and two sets of packages can take turns:
Run by `measure.py`, in a process of its own, so that two checkouts and two sets of packages take turns:
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal

MODELS = {"anthropic": "claude-sonnet-4-6", "openai": "gpt-4o-mini"}
SYSTEM, USER = "You are brief. " * 40, "Say something. " * 20
MAX_TOKENS = 1000
Variant = Callable[[], Awaitable[object]]


def bare_anthropic(url: str) -> Variant:
    """The SDK alone, as its documentation streams."""
    import anthropic

    client = anthropic.AsyncAnthropic(api_key="none", base_url=url, max_retries=0)

    async def call() -> str:
        stream = await client.messages.create(
            model=MODELS["anthropic"],
            max_tokens=MAX_TOKENS,
            system=SYSTEM,
            messages=[{"role": "user", "content": USER}],
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
    import openai

    client = openai.AsyncOpenAI(api_key="none", base_url=f"{url}/v1", max_retries=0)

    async def call() -> str:
        parts = []
        stream = await client.chat.completions.create(
            model=MODELS["openai"],
            max_completion_tokens=MAX_TOKENS,
            messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            parts += [choice.delta.content or "" for choice in chunk.choices]
        return "".join(parts)

    return call


def litellm_sdk(kind: str, url: str) -> Variant:
    """LiteLLM's SDK, as its documentation streams."""
    import litellm

    litellm.telemetry = False

    async def call() -> str:
        parts = []
        stream = await litellm.acompletion(
            model=f"{kind}/{MODELS[kind]}",
            api_base=url if kind == "anthropic" else f"{url}/v1",
            api_key="none",
            max_tokens=MAX_TOKENS,
            messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}],
            stream=True,
            stream_options={"include_usage": True},
            num_retries=0,
        )
        async for chunk in stream:
            parts += [choice.delta.content or "" for choice in chunk.choices]
        return "".join(parts)

    return call


def _route(kind: str, url: str) -> object:
    from harness.orchestration.routing import Route
    from harness.providers import ProviderSettings

    base_url = url if kind == "anthropic" else f"{url}/v1"
    settings = ProviderSettings(name=kind, kind=kind, base_url=base_url, api_key="none")
    return Route(provider=kind, model=MODELS[kind], settings=settings)


def _prompt() -> object:
    from harness.records import Prompt, Role

    return Prompt(role=Role.DRAFT, system=SYSTEM, user=USER, max_tokens=MAX_TOKENS)


def adapter_alone(kind: str, url: str) -> Variant:
    """The adapter: the SDK, timed, classified, usage normalised."""
    from harness.orchestration.adapters import AdapterPool

    adapter, prompt = AdapterPool().get(_route(kind, url)), _prompt()

    async def call() -> str:
        return (await adapter.generate(prompt, call_id="call-0", timeout_s=30)).text

    return call


def orchestrated(kind: str, url: str) -> Variant:
    """One whole call: worst case reserved, attempt, priced, settled, recorded."""
    from harness.orchestration.adapters import AdapterPool
    from harness.orchestration.attempt import CallScope
    from harness.orchestration.caller import Caller
    from harness.orchestration.ledger import Ledger
    from harness.pricing import Budget, PriceBook

    caller = Caller(pool=AdapterPool(), book=PriceBook.load())
    route, prompt = _route(kind, url), _prompt()

    async def call() -> str:
        scope = CallScope(
            request_id="r-1",
            run_id=None,
            budget=Budget("request", Decimal(1)),
            deadline_ns=time.perf_counter_ns() + 30_000_000_000,
            ledger=Ledger(),
        )
        completion = await caller.ask(route, prompt, scope)
        if scope.ledger.calls[0].cost_usd is None:
            raise RuntimeError("the call was not priced")
        return completion.text

    return call


def made(variant: str, kind: str, url: str) -> Variant:
    """The variant of a name."""
    if variant == "bare":
        return bare_anthropic(url) if kind == "anthropic" else bare_openai(url)
    return {"adapter": adapter_alone, "orchestrated": orchestrated, "litellm": litellm_sdk}[variant](
        kind, url
    )


async def serve(call: Variant) -> None:
    """Call once for each line; between calls this process sleeps, and its CPU time stands still."""
    loop = asyncio.get_running_loop()
    expected = "word " * 16
    print("ready", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        started_ns = time.process_time_ns()
        text = await call()
        spent_ns = time.process_time_ns() - started_ns
        if text != expected:
            raise RuntimeError(f"a wrong answer: {text[:80]!r}")
        print(spent_ns / 1_000, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(made(*sys.argv[1:4])))
