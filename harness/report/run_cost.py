"""What a recorded run cost, ready to be taken apart: its calls by request, warm-up and refusals left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from harness.pricing import Priced, money_usd
from harness.pricing.breakdown import CostBreakdown, ModelRef, PricedCall, recorded_call
from harness.records import Call, CallOutcome, Request, Role, UnpricedReason, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCost:
    """The calls of one role at one model. Cost and tokens are over the known ones; None when none is."""

    role: Role
    ref: ModelRef
    calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    unpriced_calls: int


def run_requests(requests: Sequence[Request], calls: Sequence[Call]) -> list[list[PricedCall]]:
    """Each request's calls, as `cost_breakdown` takes them.

    Args:
        requests: the run's, warm-up included; a warm-up's calls are left out.
        calls: the run's attempts. Refused ones never left the process and judges are no part of a request's
            cost: both are left out. Where a run has no calls (ingested logs), each request's own columns
            stand for one draft and one repair.
    """
    warm = {row.request_id for row in requests if row.warmup}
    by_request: dict[str, list[PricedCall]] = {}
    for call in calls:
        if call.request_id in warm or call.outcome is CallOutcome.REFUSED or call.role is Role.JUDGE:
            continue
        by_request.setdefault(call.request_id, []).append(recorded_call(call))
    if not calls:
        for row in requests:
            found = _from_columns(row)
            if found and not row.warmup:
                by_request[row.request_id] = found
    return list(by_request.values())


def model_costs(breakdown: CostBreakdown) -> list[ModelCost]:
    """The breakdown's calls summed by role and model."""
    groups: dict[tuple[Role, ModelRef], list[PricedCall]] = {}
    for call in breakdown.calls:
        groups.setdefault((call.role, call.ref), []).append(call)
    return [
        _model_cost(role, ref, group)
        for (role, ref), group in sorted(groups.items(), key=lambda item: str(item[0]))
    ]


def run_payload(breakdown: CostBreakdown) -> dict[str, Any]:
    """The rows of `model_costs` as JSON."""
    rows = [
        {
            "role": row.role,
            "provider": row.ref.provider,
            "model": row.ref.model,
            "calls": row.calls,
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "cost_usd": row.cost_usd,
            "unpriced_calls": row.unpriced_calls,
        }
        for row in model_costs(breakdown)
    ]
    return {"by_model": rows}


def _model_cost(role: Role, ref: ModelRef, group: Sequence[PricedCall]) -> ModelCost:
    known = [c.priced.cost_usd for c in group if c.priced.cost_usd is not None]
    told = [c.usage for c in group if c.usage is not None]
    return ModelCost(
        role=role,
        ref=ref,
        calls=len(group),
        input_tokens=sum(u.input_tokens for u in told) if told else None,
        output_tokens=sum(u.output_tokens for u in told) if told else None,
        cost_usd=money_usd(sum(known, Decimal(0))) if known else None,
        unpriced_calls=len(group) - len(known),
    )


def _from_columns(row: Request) -> list[PricedCall]:
    at = row.started_at or row.scheduled_at
    if at is None:
        return []
    sides = [(Role.DRAFT, "draft"), (Role.REPAIR, "repair")]
    found = [_side(row, role, side, at) for role, side in sides]
    return [call for call in found if call is not None]


def _side(row: Request, role: Role, side: str, at: datetime) -> PricedCall | None:
    provider, model = getattr(row, f"{side}_source"), getattr(row, f"{side}_model")
    if provider is None or model is None:
        return None
    cost_usd: Decimal | None = getattr(row, f"{side}_cost_usd")
    priced = Priced(
        cost_usd=cost_usd if cost_usd is None else money_usd(cost_usd),
        unpriced_reason=None if cost_usd is not None else UnpricedReason.USAGE_UNKNOWN,
    )
    return PricedCall(
        role=role, ref=ModelRef(provider, model), usage=_side_usage(row, side), priced=priced, at=at
    )


def _side_usage(row: Request, side: str) -> Usage | None:
    """The role's tokens, None if they contradict each other; cache writes count as the usual five minutes."""
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    total, output, read, write = (getattr(row, f"{side}_{name}") for name in names)
    if total is None or output is None:
        return None
    try:
        return Usage(
            input_tokens=total,
            output_tokens=output,
            cache_read_tokens=read or 0,
            cache_write_5m_tokens=write or 0,
        )
    except ValueError:  # another service wrote them, and may have counted in its own way
        return None
