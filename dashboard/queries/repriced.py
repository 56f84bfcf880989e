# ruff: noqa: S608 - constant SQL
"""The latest requests' calls, ready to be priced again: what the Overview's saving rests on."""

from typing import Any

from dashboard.frame.scope import Scope
from dashboard.queries.records import Latest, latest
from harness.pricing.book import DECLARED
from harness.pricing.breakdown import ModelRef, PricedCall, paid_call, told_usage
from harness.records import NO_TERMS, Role, load_json_exact, terms_from
from harness.report.run_cost import column_usage
from harness.store import Snapshot

_ROLES = {role.value: role for role in Role}
_ATTEMPTS = """
SELECT run_id, request_id, role, provider, model, cost_usd, started_at, price_context, price_source,
    served_model, served_terms, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, reasoning_tokens
FROM {} WHERE outcome != 'refused' AND role != 'judge'
"""
_SIDE = """
SELECT run_id, request_id, '{0}', {0}_source, {0}_model, {0}_cost_usd,
    coalesce(started_at, scheduled_at) AS moment,
    {0}_input_tokens, {0}_output_tokens, {0}_cache_read_tokens, {0}_cache_write_tokens
FROM chosen WHERE {0}_source IS NOT NULL AND {0}_model IS NOT NULL AND moment IS NOT NULL
"""


def latest_priced(view: Snapshot, scope: Scope, limit: int) -> tuple[list[list[PricedCall]], int]:
    """The calls of each of the latest requests, as `report.run_cost.run_requests` takes them from records.

    Returns:
        The requests' calls, and how many requests were beyond the limit.
    """
    found = latest(view, scope, limit)
    ((calls,),) = view.rows(f"SELECT count(*) FROM {found.calls}")
    by_request: dict[tuple[str, str], list[PricedCall]] = {}
    for key, call in _attempts(view, found) if calls else _columns(view, found):
        by_request.setdefault(key, []).append(call)
    return list(by_request.values()), found.left_out


def _attempts(view: Snapshot, found: Latest) -> list[tuple[tuple[str, str], PricedCall]]:
    calls = []
    for (
        run_id,
        request_id,
        role,
        provider,
        model,
        cost_usd,
        at,
        context,
        source,
        served,
        told,
        *tokens,
    ) in view.rows(_ATTEMPTS.format(found.calls)):
        total, output, read, write_5m, write_1h, reasoning = tokens
        usage = told_usage(total, output, read, (write_5m, write_1h), reasoning)
        ref = ModelRef(provider, model, local=source == DECLARED)
        terms = terms_from(load_json_exact(told)) if told else NO_TERMS
        call = paid_call(
            _ROLES[role], ref, usage, cost_usd, at=at, context=context, served_model=served, terms=terms
        )
        calls.append(((run_id, request_id), call))
    return calls


def _columns(view: Snapshot, found: Latest) -> list[tuple[tuple[str, str], PricedCall]]:
    rows: list[tuple[Any, ...]] = view.rows(
        f"WITH chosen AS ({found.requests}) {_SIDE.format('draft')} UNION ALL {_SIDE.format('repair')}"
    )
    return [
        (
            (run_id, request_id),
            paid_call(_ROLES[role], ModelRef(provider, model), column_usage(*tokens), cost_usd, at=at),
        )
        for run_id, request_id, role, provider, model, cost_usd, at, *tokens in rows
    ]
