"""One question through the whole chain: budget, adapter, retry policy, price book, ledger."""

import time
from dataclasses import dataclass
from decimal import Decimal

from harness.errors import ProviderError
from harness.orchestration.adapters import AdapterPool
from harness.orchestration.attempt import CallScope
from harness.orchestration.caller import Caller
from harness.orchestration.ledger import Ledger
from harness.orchestration.retry import RetryPolicy
from harness.orchestration.routing import Route
from harness.pricing import Budget, PriceBook
from harness.providers import ProviderSettings
from harness.records import Call, Completion, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of one question: the answer or the last error, every attempt, the budget afterwards."""

    completion: Completion | None
    error: ProviderError | None
    calls: list[Call]
    budget: Budget

    @property
    def kinds(self) -> list[str]:
        """The outcome of every attempt, in order."""
        return [str(call.error_kind or call.outcome) for call in self.calls]


async def ask_through(
    settings: ProviderSettings,
    model: str,
    prompt: Prompt,
    *,
    policy: RetryPolicy,
    attempt_timeout_s: float = 20.0,
    request_id: str = "r-1",
) -> Asked:
    """Ask, with as many attempts as the policy allows, under a budget of $5."""
    budget, ledger, pool = Budget("request", Decimal(5)), Ledger(), AdapterPool()
    caller = Caller(pool=pool, book=PriceBook.load(), policy=policy, attempt_timeout_s=attempt_timeout_s)
    scope = CallScope(
        request_id=request_id,
        run_id=None,
        budget=budget,
        deadline_ns=time.perf_counter_ns() + 60_000_000_000,
        ledger=ledger,
    )
    route = Route(provider=settings.name, model=model, settings=settings)
    completion = error = None
    try:
        completion = await caller.ask(route, prompt, scope)
    except ProviderError as caught:
        error = caught
    finally:
        await pool.aclose()
    return Asked(completion=completion, error=error, calls=ledger.calls, budget=budget)
