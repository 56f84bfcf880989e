"""What is settled before an evaluation begins: its strategies, its budget, and what would end it early."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from harness.clock import SYSTEM_CLOCK
from harness.errors import UsageError
from harness.evaluation.admission import worst_case_usd
from harness.evaluation.early import EarlyStop
from harness.evaluation.forecast import EvaluationForecast
from harness.evaluation.models import strategy_of
from harness.evaluation.resume import Progress
from harness.evaluation.settings import EvalPlan
from harness.orchestration import Routing, Strategy, resolve_strategy
from harness.pricing import PriceBook
from harness.pricing.catalogue import STANDARD
from harness.records import Prompt
from harness.tasks.briefs import BriefCase


def resolved_strategies(plan: EvalPlan, routing: Routing) -> list[Strategy]:
    """The plan's strategies, those of models named on the command line last.

    Raises:
        ConfigError: one that cannot be resolved.
        UsageError: two of one name.
    """
    found = [resolve_strategy(routing, reference) for reference in plan.strategies]
    found += [strategy_of(choice, routing) for choice in plan.models]
    if not plan.live:  # a hedge's delay is the providers' time, which the emulator divides
        found = [replace(one, hedge_after_ms=one.hedge_after_ms / plan.embedded.speed) for one in found]
    names = [strategy.name for strategy in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two strategies are called '{name}': their figures could not be told apart")
    return found


def check_budget(plan: EvalPlan, progress: Progress, forecast: EvaluationForecast) -> None:
    """Refuse what is forecast to cost more than the budget, or real money without one.

    Raises:
        UsageError: says how to go on.
    """
    if plan.confirmed or (plan.budget_usd is None and plan.bills_nobody):
        return
    if plan.budget_usd is None:
        raise UsageError(
            "asking providers spends real money: say how much at most with --budget USD, or --yes"
            if plan.models
            else "--live spends real money: say how much at most with --budget USD, or --yes"
        )
    needed = Decimal(str(forecast.cost_usd)) + progress.committed_usd
    if needed > plan.budget_usd:
        raise UsageError(
            f"the forecast of ${needed:.4f} exceeds the budget of ${plan.budget_usd}: raise it, ask "
            "fewer cases, or go as far as it lasts with --yes"
        )


def early_stop(
    plan: EvalPlan,
    strategies: Sequence[Strategy],
    cases: Sequence[BriefCase],
    prompts: Sequence[Prompt],
    *,
    repairs: bool,
    book: PriceBook,
) -> EarlyStop:
    """What would settle the comparisons; a request's cost is bounded by the dearest case's worst.

    Args:
        plan: what was asked for.
        strategies: resolved, in order.
        cases: in the order in which they are asked.
        prompts: of the cases.
        repairs: whether the task has a repair call.
        book: prices.
    """
    now = SYSTEM_CLOCK.now()
    most_usd = {
        one.name: max(
            worst_case_usd(one, prompt, book, now, repairs=repairs, context=STANDARD) for prompt in prompts
        )
        for one in strategies
    }
    names = [one.name for one in strategies]
    return EarlyStop(names, [case.case_id for case in cases], plan.repeats, most_usd)
