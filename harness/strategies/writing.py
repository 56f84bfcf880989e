"""A mix that nobody ran, as the strategy file that runs it."""

import re
from typing import Any

import yaml

from harness.errors import UsageError
from harness.pricing.breakdown import ModelRef
from harness.strategies.checkers import ConfidenceChecker, PerfectChecker, ScoreChecker, ValidatorChecker
from harness.strategies.policies import (
    BestOf,
    Cascade,
    Fallback,
    Hedge,
    Policy,
    RandomMix,
    Routed,
    Single,
)


def strategy_yaml(policy: Policy, *, name: str | None = None, router: str | None = None) -> str:
    """The policy as YAML that `--strategy` takes.

    Args:
        policy: what to run.
        name: the strategy's; None makes one of the policy's own.
        router: name of the file, beside the strategy's, that holds the learned router.

    Raises:
        UsageError: no strategy file can say it.
    """
    fields: dict[str, Any] = {"name": name or _slug(policy.name), "description": f"{policy.name}."[:500]}
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
        case BestOf(refs=(draft, *others)):
            fields |= {
                "type": "best_of",
                "draft": _route(draft),
                "others": [_route(ref) for ref in others],
                "pick_by": policy.pick_by,
                "repair": _route(policy.repair or draft),
            }
        case RandomMix():
            fields |= _routed(policy.first, policy.second, {"share": policy.share})
        case Routed(score_at_least=float(least)) if router is not None:
            fields |= _routed(policy.weak, policy.strong, {"score_at_least": least}) | {"router": router}
        case _:
            raise UsageError(f"no strategy file can say '{policy.name}'")
    order = ("name", "type", "description")
    ordered = {key: fields[key] for key in (*order, *(key for key in fields if key not in order))}
    return yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=110)


def _routed(weak: ModelRef, strong: ModelRef, rule: dict[str, Any]) -> dict[str, Any]:
    return {"type": "routed", "draft": _route(weak), "rules": [rule | {"draft": _route(strong)}]}


def _cascade(policy: Cascade) -> dict[str, Any]:
    checked: dict[str, float] = {"escalate_below_score": 0.0}
    match policy.checker:
        case PerfectChecker(below_score=score) | ScoreChecker(below_score=score):
            checked["escalate_below_score"] = score  # the task's own grader is the nearest there is
        case ConfidenceChecker(threshold=least):
            checked["escalate_below_confidence"] = least
        case ValidatorChecker():
            pass
        case other:
            raise UsageError(
                f"no strategy file can say '{other.name}': a cascade's checker is the task's validator, "
                "its score, or the answer's confidence"
            )
    return {
        "type": "cascade",
        "draft": _route(policy.first),
        "escalate_to": _route(policy.then),
        **checked,
        "repair": _route(policy.repair or policy.then),
    }


def _route(ref: ModelRef) -> dict[str, str]:
    return {"provider": ref.provider, "model": ref.model}


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-")[:64].rstrip("-")
