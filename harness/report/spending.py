"""Money of a run: by role, provider and model, and what one provider alone would have cost."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.analysis.cluster import clustered_mean
from harness.analysis.sample import counted, request_costs
from harness.pricing import PriceBook
from harness.pricing.breakdown import PricedCall, against_draft_model
from harness.records import Call, CallOutcome, Request, Role
from harness.report.figures import CostFigures, CostRow, SavingFigures
from harness.report.run_cost import run_requests

ZERO = Decimal(0)

_ROLE_ORDER = {role: place for place, role in enumerate(Role)}


def cost_figures(requests: Sequence[Request], calls: Sequence[Call]) -> CostFigures:
    """Sums over the attempts; where no attempt was recorded, over the requests' own columns.

    Refused attempts never left the process and cost nothing; judges are shown, but are no part of a
    request's cost.
    """
    warm = {row.request_id for row in requests if row.warmup}
    sent = [call for call in calls if call.outcome is not CallOutcome.REFUSED]
    counted_calls = [call for call in sent if call.request_id not in warm]
    if counted_calls:
        rows = _cost_rows(_spent_by_call(call) for call in counted_calls)
    else:
        rows = _cost_rows(entry for row in counted(requests) for entry in _spent_by_request(row))
    answering = [row for row in rows if row.role is not Role.JUDGE]
    exact = [cost for cost in request_costs(requests, calls) if cost is not None]
    return CostFigures(
        total_usd=_known_sum(row.cost_usd for row in answering),
        per_request_usd=sum(exact, ZERO) / len(exact) if exact else None,
        per_request_interval=clustered_mean([float(cost) for cost in exact]) if exact else None,
        priced_requests=len(exact),
        draft_usd=_known_sum(row.cost_usd for row in answering if row.role is not Role.REPAIR),
        repair_usd=_known_sum(row.cost_usd for row in answering if row.role is Role.REPAIR),
        judge_usd=_known_sum(row.cost_usd for row in rows if row.role is Role.JUDGE),
        rows=rows,
        unpriced_calls=sum(row.unpriced_calls for row in answering),
        from_calls=bool(counted_calls),
        warmup_usd=_known_sum(call.cost_usd for call in sent if call.request_id in warm),
    )


def _known_sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known, ZERO) if known else None


def _known_count(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """Tokens and money of one attempt, or of one role of a request whose attempts were not recorded."""

    role: Role
    provider: str
    model: str
    request_id: str
    ok: bool
    input_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None


def _spent_by_call(call: Call) -> _Spent:
    return _Spent(
        role=call.role,
        provider=call.provider,
        model=call.model,
        request_id=call.request_id,
        ok=call.outcome is CallOutcome.OK,
        input_tokens=call.input_tokens,
        cache_read_tokens=call.cache_read_tokens,
        output_tokens=call.output_tokens,
        cost_usd=call.cost_usd,
    )


def _spent_by_request(row: Request) -> Iterator[_Spent]:
    """One entry a role, from the telemetry columns; how many attempts it took is not known there."""
    if row.draft_source is not None:
        yield _Spent(
            role=Role.DRAFT,
            provider=row.draft_source,
            model=row.draft_model or "unknown",
            request_id=row.request_id,
            ok=True,
            input_tokens=row.draft_input_tokens,
            cache_read_tokens=row.draft_cache_read_tokens,
            output_tokens=row.draft_output_tokens,
            cost_usd=row.draft_cost_usd,
        )
    if row.repair_source is not None:
        yield _Spent(
            role=Role.REPAIR,
            provider=row.repair_source,
            model=row.repair_model or "unknown",
            request_id=row.request_id,
            ok=True,
            input_tokens=row.repair_input_tokens,
            cache_read_tokens=row.repair_cache_read_tokens,
            output_tokens=row.repair_output_tokens,
            cost_usd=row.repair_cost_usd,
        )


def _cost_rows(spent: Iterable[_Spent]) -> tuple[CostRow, ...]:
    groups: dict[tuple[Role, str, str], list[_Spent]] = {}
    for entry in spent:
        groups.setdefault((entry.role, entry.provider, entry.model), []).append(entry)
    rows = [_cost_row(*key, group) for key, group in groups.items()]
    return tuple(sorted(rows, key=lambda row: (_ROLE_ORDER[row.role], row.provider, row.model)))


def _cost_row(role: Role, provider: str, model: str, group: Sequence[_Spent]) -> CostRow:
    return CostRow(
        role=role,
        provider=provider,
        model=model,
        calls=len(group),
        requests=len({entry.request_id for entry in group}),
        failed_calls=sum(not entry.ok for entry in group),
        unpriced_calls=sum(entry.cost_usd is None for entry in group),
        input_tokens=_known_count(entry.input_tokens for entry in group),
        cache_read_tokens=_known_count(entry.cache_read_tokens for entry in group),
        output_tokens=_known_count(entry.output_tokens for entry in group),
        cost_usd=_known_sum(entry.cost_usd for entry in group),
    )


def saving_figures(requests: Sequence[Request], calls: Sequence[Call], book: PriceBook) -> SavingFigures:
    """What the run cost against the same recorded tokens with the repairs done by the draft model too.

    The arithmetic is `harness cost --run`'s own (`pricing.breakdown`), so that the two never disagree.
    """
    return saving_of(run_requests(requests, calls), book)


def saving_of(requests: Sequence[Sequence[PricedCall]], book: PriceBook) -> SavingFigures:
    """As `saving_figures`, of requests' calls as `run_requests` gives them."""
    found = against_draft_model(requests, book)
    if not found.n_compared:
        return _no_saving("no request has a known cost and known tokens")
    if len(found.refs) == 1:
        return _no_saving("one model did all the drafts and repairs")
    single = found.single
    if single is None or single.cost_usd is None or single.saving_ratio is None:
        return _no_saving("the drafts came from several models, or the draft model has no price")
    return SavingFigures(
        requests=found.n_compared,
        actual_usd=found.compared_cost_usd,
        single_provider_usd=single.cost_usd,
        saving_ratio=float(single.saving_ratio),
    )


def _no_saving(reason: str) -> SavingFigures:
    return SavingFigures(
        requests=0, actual_usd=None, single_provider_usd=None, saving_ratio=None, reason=reason
    )
