"""A provider for tests that answers as told: a real plug-in of kind `scripted`, in the same registry."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from harness.errors import ProviderError
from harness.orchestration import AdapterPool, Caller, Pipeline, RetryPolicy, Route, Strategy, StrategyType
from harness.pricing import PriceBook
from harness.providers import ProviderSettings, register_provider
from harness.records import Completion, Prompt, Usage, dump_json
from harness.tasks.registry import get_task

USAGE = Usage(input_tokens=2000, output_tokens=1200)

GOOD_GRAPH: dict[str, Any] = {
    "graph": {
        "nodes": [
            {"id": "goal", "kind": "goal", "label": "Grow"},
            {"id": "decision", "kind": "decision", "label": "Which way"},
            {"id": "option_1", "kind": "option", "label": "Hire"},
            {"id": "option_2", "kind": "option", "label": "Outsource"},
            {"id": "outcome_1", "kind": "outcome", "label": "More capacity"},
            {"id": "outcome_2", "kind": "outcome", "label": "Less control"},
        ],
        "edges": [
            {"from": "goal", "to": "decision"},
            {"from": "decision", "to": "option_1"},
            {"from": "decision", "to": "option_2"},
            {"from": "option_1", "to": "outcome_1"},
            {"from": "option_2", "to": "outcome_2"},
        ],
    },
    "rationales": [],
    "confidence": 0.8,
}
BROKEN_GRAPH: dict[str, Any] = {
    **GOOD_GRAPH,
    "graph": {
        "nodes": GOOD_GRAPH["graph"]["nodes"],
        "edges": [*GOOD_GRAPH["graph"]["edges"], {"from": "option_1", "to": "nowhere"}],
    },
}
GOOD, BROKEN, UNREADABLE = (
    dump_json(GOOD_GRAPH).decode(),
    dump_json(BROKEN_GRAPH).decode(),
    "I would rather not.",
)

Step = str | ProviderError | Callable[[Prompt], Any]


@dataclass
class Script:
    """What one provider will say, in order; the last step repeats."""

    steps: list[Step]
    usage: Usage | None = USAGE
    delay_s: float = 0.0
    prompts: list[Prompt] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)


SCRIPTS: dict[str, Script] = {}


class ScriptedAdapter:
    def __init__(self, settings: ProviderSettings, model: str) -> None:
        self.name, self.model, self.local = settings.name, model, settings.local

    async def generate(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> Completion:
        script = SCRIPTS[self.name]
        step = script.steps[min(len(script.prompts), len(script.steps) - 1)]
        script.prompts.append(prompt)
        script.asked.set()
        if script.delay_s:
            await asyncio.sleep(script.delay_s)
        if isinstance(step, ProviderError):
            raise step
        if callable(step):
            step = step(prompt)
        return Completion(text=step, usage=script.usage, model=self.model, stop_reason="stop", emulated=True)

    async def aclose(self) -> None:
        return None


register_provider("scripted", ScriptedAdapter)


def route(provider: str = "anthropic", model: str = "claude-3-5-sonnet-20241022") -> Route:
    return Route(provider=provider, model=model, settings=ProviderSettings(name=provider, kind="scripted"))


SONNET, MINI = route(), route("openai", "gpt-4o-mini")


async def no_sleep(_seconds: float) -> None:
    await asyncio.sleep(0)


def strategy(draft: Route = SONNET, repair: Route = MINI, **policy: Any) -> Strategy:
    kind = policy.pop("type", StrategyType.HYBRID)
    return Strategy(name=kind.value, type=kind, draft=draft, repair=repair, **policy)


def pipeline(
    chosen: Strategy | None = None, *, cost_max_usd: str = "1.0", **options: Any
) -> Pipeline[Any, Any]:
    caller_options = {
        k: options.pop(k) for k in ("allow_unpriced", "sleep", "policy", "gatekeeper") if k in options
    }
    caller = Caller(
        pool=AdapterPool(),
        book=PriceBook.load(),
        **{"sleep": no_sleep, "policy": RetryPolicy(base_ms=1.0), **caller_options},
    )
    return Pipeline(
        get_task("draft_graph"),
        chosen or strategy(),
        caller,
        cost_max_usd=Decimal(cost_max_usd),
        environment="test",
        **options,
    )


def brief(text: str = "Should we hire or outsource to grow?") -> Any:
    return get_task("draft_graph").parse_input({"brief": text})
