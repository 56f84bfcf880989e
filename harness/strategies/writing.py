"""A mix that nobody ran, as the strategy file that runs it."""

import re
from typing import Any

import yaml

from harness.errors import UsageError
from harness.pricing.breakdown import ModelRef
from harness.strategies.checkers import PerfectChecker, ValidatorChecker
from harness.strategies.policies import Cascade, Fallback, Hedge, Policy, Single


def strategy_yaml(policy: Policy) -> str:
    """The policy as YAML that `--strategy` takes.

    Raises:
        UsageError: no strategy file can say it.
    """
    fields: dict[str, Any] = {"name": _slug(policy.name), "description": f"{policy.name}."[:500]}
    match policy:
        case Single(draft=draft, repair=repair) if repair in (None, draft):
            fields |= {"type": "single", "draft": _route(draft)}
        case Single(draft=draft, repair=repair):
            fields |= {"type": "hybrid", "draft": _route(draft), "repair": _route(repair or draft)}
        case Cascade():
            fields |= _cascade(policy)
        case Fallback():
            fields |= {
                "type": "fallback",
                "draft": _route(policy.first),
                "fallbacks": [_route(policy.then)],
                "repair": _route(policy.repair or policy.first),
            }
        case Hedge():
            fields |= {
                "type": "hedge",
                "draft": _route(policy.first),
                "hedge": _route(policy.second),
                "hedge_after_ms": policy.after_ms,
                "repair": _route(policy.repair or policy.first),
            }
        case _:
            raise UsageError(f"no strategy file can say '{policy.name}'")
    order = ("name", "type", "description")
    ordered = {key: fields[key] for key in (*order, *(key for key in fields if key not in order))}
    return yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=110)


def _cascade(policy: Cascade) -> dict[str, Any]:
    match policy.checker:
        case PerfectChecker(below_score=score):
            below = score  # the task's own grader is the nearest there is
        case ValidatorChecker():
            below = 0.0
        case other:
            raise UsageError(
                f"no strategy file can say '{other.name}': a cascade's checker is the task's validator and "
                "its score"
            )
    return {
        "type": "cascade",
        "draft": _route(policy.first),
        "escalate_to": _route(policy.then),
        "escalate_below_score": below,
        "repair": _route(policy.repair or policy.then),
    }


def _route(ref: ModelRef) -> dict[str, str]:
    return {"provider": ref.provider, "model": ref.model}


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-")[:64].rstrip("-")
