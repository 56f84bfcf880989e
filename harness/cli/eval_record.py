"""What an evaluation's run record says of its forecast, its routes and its doubts, as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.evaluation import EvaluationForecast, InDoubt
from harness.evaluation.judging.state import JudgementInDoubt
from harness.orchestration import Strategy


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
