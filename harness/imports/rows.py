# ruff: noqa: S608 - names in SQL are constants, values are bound
"""Grouped and priced observations as rows of `requests` and `calls`, new ones and those that stood before."""

from dataclasses import dataclass
from decimal import Decimal

import duckdb

_DRAFT, _REPAIR = "role IN ('draft', 'suggest')", "role = 'repair'"
_ROLE_TOKENS = {
    "input": "input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_5m_tokens + cache_write_1h_tokens",
    "output": "output_tokens",
}


def _side(role: str, rows: str) -> str:
    """What one role's calls add up to: unknown where any part is."""

    def total(value: str) -> str:
        known = f"count(*) FILTER ({rows}) = count({value}) FILTER ({rows})"
        return f"CASE WHEN {known} THEN sum({value}) FILTER ({rows}) END"

    tokens = ", ".join(
        f"({total(value)})::BIGINT AS {role}_{part}_tokens" for part, value in _ROLE_TOKENS.items()
    )
    return f"""count(*) FILTER ({rows}) AS {role}_calls,
        arg_max(provider, (started_ns, n)) FILTER ({rows}) AS {role}_source,
        arg_max(model, (started_ns, n)) FILTER ({rows}) AS {role}_model,
        ({total("cost_usd")})::DECIMAL(18, 10) AS {role}_cost_usd, {tokens}"""


COSTED = """CREATE TABLE work.costed AS
SELECT c.*, TRY_CAST(told_usd AS DECIMAL(18, 10)) AS told, ours_usd, price_source, price_version, priced_as,
    coalesce(told, ours_usd) AS cost_usd
FROM work.calls c JOIN work.priced USING (n)"""

SUMS = f"""CREATE TABLE work.sums AS
SELECT trace, count(*) AS calls, {_side("draft", _DRAFT)}, {_side("repair", _REPAIR)},
    bool_or(cache_read_tokens > 0) AS prompt_cache_hit, bool_or(provider = 'fixtures') AS fixtures,
    arg_max(coalesce(status, 'ok'), (started_ns, n)) AS last_status,
    arg_max(error_kind, (started_ns, n)) FILTER (status = 'error') AS last_kind,
    arg_max(error_message, (started_ns, n)) FILTER (status = 'error') AS last_message,
    arg_max(http_status, (started_ns, n)) FILTER (status = 'error') AS last_http,
    coalesce(bool_or(told IS NOT NULL), FALSE) AS told_any, min(started_ns) AS first_call_ns,
    max(ttft_ms) AS ttft_ms
FROM work.costed WHERE role != 'judge' GROUP BY trace"""

_FAILED = """CASE WHEN h.failed THEN TRUE WHEN h.http_status >= 400 THEN TRUE WHEN h.fine THEN FALSE
    WHEN h.http_status < 400 THEN FALSE ELSE coalesce(s.last_status = 'error', FALSE) END"""

REQUESTS = f"""CREATE TABLE work.requests AS
SELECT trace, request_id,
    CASE WHEN NOT failed THEN 'ok' WHEN http = 429 THEN 'rejected'
        WHEN kind = 'timeout' THEN 'timeout' ELSE 'error' END AS status,
    started_at, server_ms,
    CASE WHEN server_ms IS NOT NULL THEN 'server' END AS latency_source, ttft_ms, http AS http_status,
    CASE WHEN failed THEN coalesce(kind, CASE WHEN http = 429 THEN 'rate_limited'
        WHEN http >= 500 THEN 'upstream_5xx' WHEN http >= 400 THEN 'bad_request' END) END AS error_kind,
    CASE WHEN failed THEN message END AS error_message, FALSE AS warmup,
    draft_source, draft_model, draft_cost_usd, repair_source, repair_model, repair_cost_usd, cost_usd,
    cost_usd IS NULL AS unpriced,
    CASE WHEN cost_usd IS NOT NULL THEN CASE WHEN told_any THEN 'told' ELSE 'usage' END END AS cost_source,
    CASE WHEN repair_source IS NOT NULL THEN repair_source != draft_source END AS mixed_providers,
    prompt_cache_hit, environment, CASE WHEN fixtures THEN 'fixtures' END AS provider_mode,
    draft_input_tokens, draft_cache_read_tokens, draft_cache_write_tokens, draft_output_tokens,
    repair_input_tokens, repair_cache_read_tokens, repair_cache_write_tokens, repair_output_tokens, tags
FROM (
    SELECT n.trace, n.request_id, n.environment, n.tags, {_FAILED} AS failed,
        coalesce(h.http_status, s.last_http) AS http, coalesce(h.error_kind, s.last_kind) AS kind,
        coalesce(h.error_message, s.last_message) AS message,
        make_timestamp(h.started_ns // 1000) AS started_at,
        (h.ended_ns - h.started_ns) / 1e6 AS server_ms,
        CASE WHEN s.calls = 1 THEN (s.first_call_ns - h.started_ns) / 1e6 + s.ttft_ms END AS ttft_ms,
        s.* EXCLUDE (trace, calls, ttft_ms, told_any), coalesce(s.told_any, TRUE) AS told_any,
        CASE WHEN s.calls IS NULL THEN TRY_CAST(h.told_usd AS DECIMAL(18, 10))
            WHEN draft_calls > 0 AND draft_cost_usd IS NULL THEN NULL
            WHEN repair_calls > 0 AND repair_cost_usd IS NULL THEN NULL
            ELSE coalesce(draft_cost_usd, 0) + coalesce(repair_cost_usd, 0) END AS cost_usd
    FROM work.names n JOIN work.heads h USING (trace) LEFT JOIN work.sums s USING (trace)
)"""

CALL_ROWS = """CREATE TABLE work.call_rows AS
SELECT w.run_id, w.request_id, call_id, role, attempt, provider, model,
    make_timestamp(c.started_ns // 1000) AS started_at,
    CASE WHEN context NOT IN ('batch', 'cached') THEN (c.ended_ns - c.started_ns) / 1e6 END AS latency_ms,
    CASE WHEN c.status = 'error' THEN 'error' ELSE 'ok' END AS outcome, provider_request_id,
    c.ttft_ms, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens,
    reasoning_tokens, context AS price_context, c.error_kind, c.http_status, cost_usd,
    CASE WHEN cost_usd IS NULL THEN CASE WHEN input_tokens IS NULL OR output_tokens IS NULL
        THEN 'usage_unknown' ELSE 'unpriced' END END AS unpriced_reason,
    CASE WHEN told IS NOT NULL THEN 'told' ELSE price_source END AS price_source,
    CASE WHEN told IS NULL THEN price_version END AS price_version, priced_as, served_model,
    finish_reason, told AS provider_cost_usd, remark AS usage_remark
FROM work.costed c JOIN work.placed w USING (trace)
WHERE call_id NOT IN (FROM work.stored_calls)"""
"""`work.placed` says where each trace's request stands; calls that are stored already are left out."""


@dataclass(slots=True, kw_only=True)
class Compared:
    """Told costs beside ours, over the new calls that have both; a hundredth of ours apart disagrees."""

    calls: int = 0
    apart: int = 0
    told_usd: Decimal = Decimal(0)
    ours_usd: Decimal = Decimal(0)


COMPARED = """SELECT count(*), count(*) FILTER (abs(told - ours_usd) > greatest(ours_usd, told) * 0.01),
    coalesce(sum(told), 0), coalesce(sum(ours_usd), 0)
FROM work.costed WHERE told IS NOT NULL AND ours_usd IS NOT NULL
    AND call_id NOT IN (FROM work.stored_calls)"""


def make_requests(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `work.requests`, a row a trace, of what `group` and `price_calls` made."""
    for statement in (COSTED, SUMS, REQUESTS):
        connection.execute(statement)


def add_stored(connection: duckdb.DuckDBPyConnection, seen: str) -> None:
    """What the store knows already of the traces: their requests as outermost steps, their calls as calls.

    Makes `work.known` (trace, rid, run_id) and `work.stored_calls`, and adds to the relation of observations.

    Args:
        connection: has the store as `db`.
        seen: a table of observations.
    """
    connection.execute(f"""
        CREATE TABLE work.known AS
        SELECT t.trace, r.rowid AS rid, r.run_id, r.request_id FROM (
            SELECT trace, coalesce(min(request_id), trace) AS request_id FROM {seen} GROUP BY trace
        ) t JOIN db.requests r USING (request_id)
        WHERE r.run_id IN (SELECT run_id FROM db.runs WHERE kind = 'ingest')
        QUALIFY row_number() OVER (PARTITION BY trace ORDER BY r.started_at) = 1;
        CREATE TABLE work.stored_calls AS
        SELECT call_id FROM db.calls SEMI JOIN work.known USING (run_id, request_id)""")
    ((known,),) = connection.execute("SELECT count(*) FROM work.known").fetchall()
    if not known:
        return
    connection.execute(f"""
        INSERT INTO {seen} BY NAME
        SELECT k.trace, 'stored' AS span, 'step' AS kind, 'request' AS name,
            epoch_us(r.started_at) * 1000 AS started_ns,
            epoch_us(r.started_at) * 1000 + (server_ms * 1e6)::BIGINT AS ended_ns,
            CASE WHEN r.request_id != k.trace THEN r.request_id END AS request_id,
            CASE WHEN status = 'ok' THEN 'ok' ELSE 'error' END AS status, error_kind, error_message,
            http_status, 'standard' AS context, environment
        FROM db.requests r JOIN work.known k ON r.rowid = k.rid
        WHERE r.started_at IS NOT NULL;
        INSERT INTO {seen} BY NAME
        SELECT k.trace, CASE WHEN c.call_id = k.trace THEN k.trace
                WHEN starts_with(c.call_id, k.trace || '-') THEN substr(c.call_id, len(k.trace) + 2)
                ELSE c.call_id END AS span,
            'stored' AS parent, 'call' AS kind, 'call' AS name, epoch_us(c.started_at) * 1000 AS started_ns,
            epoch_us(c.started_at) * 1000 + (latency_ms * 1e6)::BIGINT AS ended_ns, role,
            CASE WHEN outcome = 'ok' THEN NULL ELSE 'error' END AS status, c.error_kind, c.http_status,
            provider, model, served_model, provider_request_id, finish_reason, c.ttft_ms, input_tokens,
            cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
            price_context AS context, provider_cost_usd::VARCHAR AS told_usd, usage_remark AS remark
        FROM db.calls c JOIN work.known k USING (run_id, request_id)""")
