# ruff: noqa: S608 - names in SQL are constants, values are bound
"""Observations become requests and calls, a few set-wise statements for a hundred thousand of them.

One trace is one request. Its calls are the innermost ones: a call within a call is the same call seen by two
instrumentations. The outermost observations give its time and its end.
"""

import duckdb
import pyarrow as pa

from harness.imports.observed import TOKEN_FIELDS, Observed

_FLOATS = ("ttft_ms",)
_WHOLE = ("started_ns", "ended_ns", "http_status", *TOKEN_FIELDS)
SCHEMA = pa.schema(
    [
        (name, pa.float64() if name in _FLOATS else pa.int64() if name in _WHOLE else pa.string())
        for name in Observed._fields
    ]
)
"""Of a batch of observations."""

_MOST_LEVELS = 32
"""How far up a call's parents are asked for its role."""
_OUTER = ", ".join(f"arg_max(o.{name}, o.started_ns) AS {name}" for name in TOKEN_FIELDS)
_OWN = ", ".join(
    f"CASE WHEN c.input_tokens IS NULL THEN w.{name} ELSE c.{name} END AS {name}" for name in TOKEN_FIELDS
)

_ONCE = """CREATE TABLE work.obs AS
SELECT row_number() OVER () AS n, * FROM (
    SELECT * FROM {seen}
    QUALIFY row_number() OVER (PARTITION BY trace, span ORDER BY ended_ns DESC NULLS LAST, started_ns) = 1
)"""
_ALL = "CREATE TABLE work.obs AS SELECT row_number() OVER () AS n, * FROM {seen}"

_CLIMB = """CREATE OR REPLACE TABLE work.met AS
SELECT u.n, u.trace, o.n AS above, o.kind, o.parent AS above_span, coalesce(u.role, o.role) AS role
FROM work.climbing u JOIN work.obs o ON o.trace = u.trace AND o.span = u.above_span"""

CALLS = """CREATE TABLE work.calls AS
SELECT n, trace, span, kind, name, started_ns, ended_ns, status, error_kind, error_message, http_status,
    provider, model, served_model, provider_request_id, finish_reason, ttft_ms, context, told_usd, remark,
    {tokens},
    coalesce(c.role, r.role, 'draft') AS role,
    CASE WHEN trace = span THEN trace ELSE trace || '-' || span END AS call_id,
    row_number() OVER (
        PARTITION BY trace, coalesce(c.role, r.role, 'draft') ORDER BY started_ns, n
    ) AS attempt
FROM work.obs c LEFT JOIN work.inherited r USING (n) {outer}
WHERE kind = 'call' AND n NOT IN (FROM work.wrappers)"""

HEADS = """CREATE TABLE work.heads AS
SELECT trace, min(started_ns) AS started_ns,
    max(CASE WHEN kind = 'call' AND context = 'cached' THEN NULL ELSE ended_ns END) AS ended_ns,
    bool_or(status = 'error') AS failed, bool_or(status = 'ok') AS fine, max(http_status) AS http_status,
    arg_min(error_kind, started_ns) FILTER (status = 'error') AS error_kind,
    arg_min(error_message, started_ns) FILTER (status = 'error') AS error_message,
    count(*) AS tops, bool_and(kind = 'call') AS bare, max(told_usd) FILTER (kind != 'call') AS told_usd
FROM (
    SELECT o.* FROM work.obs o WHERE parent IS NULL
    UNION ALL
    SELECT o.* FROM work.obs o ANTI JOIN work.obs p ON p.trace = o.trace AND p.span = o.parent
    WHERE o.parent IS NOT NULL
) GROUP BY trace"""

NAMES = """CREATE TABLE work.names AS
SELECT trace, coalesce(min(request_id), trace) AS request_id,
    arg_min(environment, started_ns) AS environment, arg_min(tags, started_ns) AS tags,
    count(*) FILTER (kind IN ('call', 'agent')) AS about_models
FROM work.obs GROUP BY trace"""


def group(connection: duckdb.DuckDBPyConnection, seen: str) -> None:
    """Make `work.calls`, `work.heads` (a request's time and end) and `work.names` of observations.

    Args:
        connection: has the schema `work`.
        seen: a table of `SCHEMA`; all that is known of each of its traces.
    """
    ((rows, distinct),) = connection.execute(
        f"SELECT count(*), count(DISTINCT hash(trace, span)) FROM {seen}"
    ).fetchall()
    connection.execute((_ALL if rows == distinct else _ONCE).format(seen=seen))
    _climb(connection)
    ((wrapped,),) = connection.execute("SELECT count(*) FROM work.wrappers").fetchall()
    outer, tokens = "", ", ".join(f"c.{name}" for name in TOKEN_FIELDS)
    if wrapped:
        connection.execute(f"""CREATE TABLE work.alone AS
            SELECT i.n AS inner_n, {_OUTER} FROM work.pairs i JOIN work.obs o ON o.n = i.above
            WHERE i.above IN (SELECT above FROM work.pairs GROUP BY above HAVING count(*) = 1)
            GROUP BY i.n""")
        outer, tokens = "LEFT JOIN work.alone w ON w.inner_n = c.n", _OWN
    connection.execute(CALLS.format(tokens=tokens, outer=outer))
    connection.execute(HEADS)
    connection.execute(NAMES)


def _climb(connection: duckdb.DuckDBPyConnection) -> None:
    """Ask each call's parents, level by level: for a role, and whether they are calls themselves."""
    connection.execute("""
        CREATE TABLE work.wrappers (n BIGINT);
        CREATE TABLE work.pairs (n BIGINT, above BIGINT);
        CREATE TABLE work.inherited (n BIGINT, role VARCHAR);
        CREATE OR REPLACE TABLE work.climbing AS
        SELECT n, trace, parent AS above_span, role FROM work.obs
        WHERE kind = 'call' AND parent IS NOT NULL""")
    for _ in range(_MOST_LEVELS):
        connection.execute(_CLIMB)
        ((met,),) = connection.execute("SELECT count(*) FROM work.met").fetchall()
        if not met:
            break
        connection.execute("""
            INSERT INTO work.pairs SELECT n, above FROM work.met WHERE kind = 'call';
            INSERT INTO work.wrappers SELECT DISTINCT above FROM work.met WHERE kind = 'call';
            INSERT INTO work.inherited SELECT m.n, m.role FROM work.met m JOIN work.climbing u USING (n)
            WHERE u.role IS NULL AND m.role IS NOT NULL;
            CREATE OR REPLACE TABLE work.climbing AS
            SELECT n, trace, above_span, role FROM work.met WHERE above_span IS NOT NULL""")
