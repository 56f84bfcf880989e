"""What a recorded run cost, ready to be taken apart: its calls by request, warm-up and refusals left out."""

from collections.abc import Sequence
from datetime import datetime

from harness.pricing.breakdown import (
    ModelRef,
    PricedCall,
    paid_call,
    recorded_call,
    told_usage,
)
from harness.records import Call, CallOutcome, Request, Role, Usage


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
    usage = column_usage(*(getattr(row, f"{side}_{name}") for name in _TOKENS))
    return paid_call(role, ModelRef(provider, model), usage, getattr(row, f"{side}_cost_usd"), at=at)


_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


def column_usage(
    total: int | None, output: int | None, cache_read: int | None, cache_write: int | None
) -> Usage | None:
    """A role's tokens by the request's own columns, None if they are unknown or contradict each other.

    Cache writes count as the usual five minutes.
    """
    try:
        return told_usage(total, output, cache_read, (cache_write, None), None)
    except ValueError:  # another service wrote them, and may have counted in its own way
        return None
