"""An evaluation's run record: as it begins, and what it says of its forecast, its routes and its doubts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.clock import SYSTEM_CLOCK
from harness.evaluation import EvaluationForecast, InDoubt
from harness.evaluation.judging.state import JudgementInDoubt
from harness.evaluation.settings import EvalPlan
from harness.orchestration import Routing, Strategy
from harness.processes.checkout import git_sha
from harness.records import Run, RunKind
from harness.version import __version__


def begin_record(
    plan: EvalPlan,
    routing: Routing,
    strategies: Sequence[Strategy],
    forecast: EvaluationForecast,
    *,
    run_id: str,
    planned: int,
    owner: str,
) -> Run:
    """The run's row as it starts.

    Args:
        plan: what was asked for.
        routing: where the environment and the limit per request come from.
        strategies: resolved, in order.
        forecast: made before the start.
        run_id: of the row.
        planned: how many requests there are to make.
        owner: the spool whose lock tells that the run lives.
    """
    now = SYSTEM_CLOCK.now()
    config = plan.config().model_copy(
        update={
            "strategies": [strategy.name for strategy in strategies],
            "routes": {strategy.name: routes_json(strategy) for strategy in strategies},
            "planned": planned,
            "cost_max_usd": routing.cost_max_usd,
            "forecast": forecast_json(forecast),
        }
    )
    return Run(
        run_id=run_id,
        kind=RunKind.EVAL,
        name=plan.name or f"eval-{now:%Y-%m-%d-%H%M%S}",
        started_at=now,
        environment=routing.environment,
        target=f"suite {plan.suite.name}",
        git_sha=git_sha(Path.cwd()),
        harness_version=__version__,
        owner=owner,
        config=config.as_json(),
    )


def forecast_json(forecast: EvaluationForecast) -> dict[str, Any]:
    """The forecast as stored and printed; USD."""
    return {
        "requests": forecast.requests,
        "cost_usd": forecast.cost_usd,
        "low_usd": forecast.low_usd,
        "high_usd": forecast.high_usd,
        "strategies": [asdict(part) for part in forecast.parts],
        "judging": [asdict(part) for part in forecast.judging],
    }


def routes_json(strategy: Strategy) -> Mapping[str, Any]:
    """The strategy's type and models."""
    return {
        "type": strategy.type,
        "models": [f"{route.provider}/{route.model}" for route in strategy.routes],
        "draft": f"{strategy.draft.provider}/{strategy.draft.model}",
        "repair": f"{strategy.repair.provider}/{strategy.repair.model}",
    }


def doubts_json(
    cases: Sequence[InDoubt], judgements: Sequence[JudgementInDoubt]
) -> dict[str, list[dict[str, Any]]]:
    """What may have been paid unseen; USD as digits."""
    return {
        "possibly_paid_twice": [{**asdict(case), "reserved_usd": str(case.reserved_usd)} for case in cases],
        "judgements_possibly_paid_twice": [
            {**asdict(asked), "reserved_usd": str(asked.reserved_usd)} for asked in judgements
        ],
    }
