# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""The statements of `fold`, in the order they run; each table of `work` is made by the one that names it."""

from harness.store.database.tables import FACT_COLUMNS, TABLE_OF, column_list
from harness.store.fold.facts import facts_sql
from harness.store.spool.codec import columns_of

NEAR_S = 3600
"""How far apart in time a request and an event of the same id may be and still be the same thing, seconds."""

_REQUEST = column_list("request")
_FACT_ROW = f"run_id, request_id, ts, status, error_kind, http_status, {', '.join(FACT_COLUMNS)}"
AUTO = """(run_id IS NULL OR run_id IN (FROM work.auto_runs) OR run_id NOT IN (FROM work.known_runs))"""
"""Rows that no recorder owns: of a service's or an ingested file's run, of none, or of a run that this store
does not have, as when a load generator elsewhere names its own."""

PREPARE = (
    """CREATE TABLE work.auto_runs AS
    SELECT run_id FROM db.runs WHERE kind IN ('service', 'ingest')
    UNION SELECT run_id FROM fresh.runs WHERE kind IN ('service', 'ingest')""",
    """CREATE TABLE work.known_runs AS SELECT run_id FROM db.runs UNION SELECT run_id FROM fresh.runs""",
    # A spool's own run is the service run it owns; one is made up for traffic without any.
    """CREATE TABLE work.homes AS
    WITH spools AS (SELECT _spool FROM stage.event UNION SELECT _spool FROM stage.call),
    owned AS (
        SELECT owner, run_id FROM db.runs WHERE kind = 'service'
        UNION SELECT owner, run_id FROM fresh.runs WHERE kind = 'service'
        UNION SELECT run_id, run_id FROM work.auto_runs  -- an ingested file stands under its run's id
    )
    SELECT _spool, coalesce(min(run_id), 'service-' || _spool) AS home, min(run_id) IS NOT NULL AS known
    FROM spools LEFT JOIN owned ON owner = _spool GROUP BY _spool""",
    f"CREATE TABLE work.facts AS {facts_sql()}",
    """CREATE TABLE work.duplicate_requests AS
    SELECT _n FROM (
        SELECT _n, row_number() OVER (PARTITION BY run_id, request_id ORDER BY _n) AS nth FROM stage.request
    ) WHERE nth > 1
    UNION
    SELECT s._n FROM stage.request s SEMI JOIN db.requests d USING (run_id, request_id)""",
    """CREATE VIEW work.new_requests AS
    SELECT * FROM stage.request WHERE _n NOT IN (FROM work.duplicate_requests)""",
    # First which, by one column, then the whole rows: of millions, only a few are wanted.
    f"""CREATE TABLE work.old_rids AS
    SELECT rowid AS rid FROM db.requests WHERE request_id IN (
        SELECT request_id FROM work.facts UNION SELECT request_id FROM work.new_requests
        UNION SELECT request_id FROM stage.call WHERE {AUTO}
    )""",
    """CREATE TABLE work.old_requests AS
    SELECT rowid AS rid, * FROM db.requests WHERE rowid IN (FROM work.old_rids)""",
    # Narrow on purpose: a million new requests pass here. A new one is known by _n, a stored one by rid.
    """CREATE TABLE work.targets AS
    SELECT _n AS tid, NULL::BIGINT AS rid, run_id, request_id, started_at, server_ms IS NOT NULL AS told
    FROM work.new_requests
    UNION ALL
    SELECT -1 - rid, rid, run_id, request_id, started_at, server_ms IS NOT NULL
    FROM work.old_requests WHERE run_id NOT IN (FROM work.auto_runs)""",
)

MATCH = (
    # Narrow too: what they tell is looked up at the end, by `n` in the place that `origin` names.
    f"""CREATE TABLE work.sources AS
    SELECT row_number() OVER (ORDER BY rank, n) AS sid, * FROM (
        SELECT 0 AS rank, w.rowid AS n, 'waiting' AS origin, w.rowid AS rid, NULL AS home,
            run_id, request_id, ts, server_ms
        FROM db.waiting_facts w SEMI JOIN work.new_requests USING (run_id, request_id)
        UNION ALL
        SELECT 1, rid, 'row', rid, run_id, run_id, request_id,
            started_at + to_milliseconds(coalesce(server_ms, 0)), server_ms
        FROM work.old_requests WHERE run_id IN (FROM work.auto_runs)
        UNION ALL
        SELECT 2, _n, CASE WHEN {AUTO} THEN 'loose' ELSE 'tied' END, NULL,
            CASE WHEN run_id IN (FROM work.auto_runs) THEN run_id ELSE home END,
            run_id, request_id, ts, server_ms
        FROM work.facts JOIN work.homes USING (_spool)
    )""",
    """CREATE TABLE work.matches AS
    SELECT t.tid, s.sid, s.origin, s.rid FROM work.sources s
    JOIN work.targets t USING (run_id, request_id) WHERE s.origin IN ('tied', 'waiting')""",
    # Loose ones: best pair first, on both sides; a request whose run has told its own facts comes last.
    f"""INSERT INTO work.matches
    WITH pairs AS (
        SELECT t.tid, s.sid, s.origin, s.rid, t.told,
            abs(epoch_ms(s.ts) - coalesce(s.server_ms, 0) - epoch_ms(t.started_at)) AS apart_ms
        FROM work.sources s JOIN work.targets t USING (request_id)
        WHERE s.origin IN ('loose', 'row') AND t.tid NOT IN (SELECT tid FROM work.matches)
    ),
    near AS (FROM pairs WHERE coalesce(apart_ms, 0) <= {NEAR_S * 1000}),
    ranked AS (
        SELECT *,
            row_number() OVER (PARTITION BY sid ORDER BY told, apart_ms NULLS LAST, tid) AS of_source,
            row_number() OVER (PARTITION BY tid ORDER BY apart_ms NULLS LAST, sid) AS of_target
        FROM near
    )
    SELECT tid, sid, origin, rid FROM ranked WHERE of_source = 1 AND of_target = 1""",
    """CREATE TABLE work.told AS
    SELECT tid, min(sid) AS sid, arg_min(origin, sid) AS origin, arg_min(n, sid) AS n
    FROM work.matches JOIN (SELECT sid, n FROM work.sources) USING (sid) GROUP BY tid""",
)

OUTCOME = """
SELECT origin, count(*), count(m.sid) FROM work.sources s
LEFT JOIN (SELECT DISTINCT sid FROM work.matches) m USING (sid) GROUP BY origin
"""
"""How many sources of each origin there are, and how many of them found their request."""

_STILL_UNPRICED = (
    "CASE WHEN coalesce(t.cost_usd, s.cost_usd) IS NULL THEN t.unpriced_because END AS unpriced_because"
)
_TAGS = """CASE WHEN t.tags IS NULL OR s.tags IS NULL THEN coalesce(t.tags, s.tags)
    ELSE json_merge_patch(s.tags, t.tags) END AS tags"""
"""Its recorder names some, its service others; of one name, the recorder's stands."""


def _filled(name: str) -> str:
    if name == "unpriced_because":
        return _STILL_UNPRICED
    if name == "tags":
        return _TAGS
    return f"coalesce(t.{name}, s.{name}) AS {name}" if name in FACT_COLUMNS else f"t.{name}"


_FILLED = ", ".join(map(_filled, columns_of("request")))
_FROM_EVENT = {
    "run_id": "home",
    "request_id": "request_id",
    "status": "status",
    "started_at": "ts - to_milliseconds(coalesce(server_ms, 0))",
    "latency_source": "'server'",
    "error_kind": "error_kind",
    "http_status": "http_status",
    "warmup": "FALSE",
    **{name: name for name in FACT_COLUMNS},
}
_MADE = ", ".join(f"{_FROM_EVENT.get(name, 'NULL')} AS {name}" for name in columns_of("request"))


def _fill(origins: str, told_by: str, key: str) -> str:
    """Requests, new and stored, with what was told about them; only unknown columns are filled."""
    return f"""INSERT INTO work.told_requests
    WITH whole AS (
        SELECT _n AS tid, {_REQUEST} FROM work.new_requests WHERE _n IN (SELECT tid FROM work.told)
        UNION ALL
        SELECT -1 - rid, {_REQUEST} FROM work.old_requests WHERE -1 - rid IN (SELECT tid FROM work.told)
    )
    SELECT {_FILLED} FROM whole t JOIN work.told w USING (tid) JOIN {told_by} s ON s.{key} = w.n
    WHERE w.origin IN ({origins})"""


# A view, so that a million requests without events are not copied once more.
FRESH_REQUESTS = f"""CREATE VIEW fresh.requests AS
SELECT {_REQUEST} FROM work.new_requests WHERE _n NOT IN (SELECT tid FROM work.matches)
UNION ALL FROM work.told_requests"""

FILL_FROM_EVENTS = _fill("'tied', 'loose'", "work.facts", "_n")
FILL_FROM_WAITING = (
    _fill("'waiting'", "(SELECT rowid AS n, * FROM db.waiting_facts)", "n"),
    "INSERT INTO gone.waiting_facts SELECT rid FROM work.matches WHERE origin = 'waiting'",
)
CLAIM_ROWS = (
    _fill("'row'", "work.old_requests", "rid"),
    "INSERT INTO gone.requests SELECT rid FROM work.matches WHERE origin = 'row'",
    """CREATE TABLE work.claimed AS
    SELECT o.run_id, o.request_id, t.run_id AS found FROM work.matches m
    JOIN work.old_requests o USING (rid) JOIN work.targets t USING (tid) WHERE m.origin = 'row'""",
    """INSERT INTO gone.events
    SELECT e.rowid FROM db.events e SEMI JOIN work.claimed USING (run_id, request_id)""",
    """INSERT INTO fresh.events
    SELECT e.ts, e.name, e.request_id, c.found, e.environment, e.payload
    FROM db.events e JOIN work.claimed c USING (run_id, request_id)""",
)
REPLACE_FILLED = """INSERT INTO gone.requests
SELECT rid FROM work.targets WHERE rid IS NOT NULL AND tid IN (SELECT tid FROM work.matches)"""

MAKE_ROWS = f"""INSERT INTO work.told_requests
SELECT {_MADE} FROM (
    SELECT f.*, s.home, row_number() OVER (PARTITION BY s.home, f.request_id ORDER BY s.sid) AS nth
    FROM work.sources s JOIN work.facts f ON f._n = s.n
    WHERE s.origin = 'loose' AND s.sid NOT IN (SELECT sid FROM work.matches)
) l
WHERE nth = 1 AND NOT EXISTS (
    FROM work.old_requests o WHERE o.run_id = l.home AND o.request_id = l.request_id
)"""
LET_WAIT = f"""INSERT INTO fresh.waiting_facts BY NAME
SELECT {_FACT_ROW} FROM work.facts WHERE _n IN (
    SELECT n FROM work.sources WHERE origin = 'tied' AND sid NOT IN (SELECT sid FROM work.matches)
)"""

_CALL = column_list("call")
_CALL_REST = ", ".join(f"c.{name}" for name in columns_of("call") if name != "run_id")

DUPLICATE_CALLS = """CREATE TABLE work.duplicate_calls AS
SELECT _n FROM (
    SELECT _n, row_number() OVER (PARTITION BY call_id ORDER BY _n) AS nth FROM stage.call
) WHERE nth > 1
UNION
SELECT s._n FROM stage.call s SEMI JOIN db.calls d USING (call_id)"""

HOMELESS = f"""
SELECT (SELECT count(*) FROM stage.call WHERE {AUTO}) + (
    SELECT count(*) FROM db.calls SEMI JOIN work.auto_runs USING (run_id)
    SEMI JOIN work.new_requests USING (request_id)
)
"""
"""How many calls have no recorded run yet, among the new and those that a new request may claim."""

HOUSE_CALLS = (
    f"""CREATE TABLE work.homeless_calls AS
    SELECT NULL::BIGINT AS rid, _n,
        CASE WHEN run_id IN (FROM work.auto_runs) THEN run_id ELSE home END AS home, {_CALL}
    FROM stage.call JOIN work.homes USING (_spool)
    WHERE {AUTO} AND _n NOT IN (FROM work.duplicate_calls)
    UNION ALL
    SELECT rowid, -1, run_id, {_CALL} FROM db.calls
    WHERE run_id IN (FROM work.auto_runs) AND request_id IN (SELECT request_id FROM work.new_requests)""",
    f"""CREATE TABLE work.housed_calls AS
    SELECT c.call_id, t.run_id AS found FROM work.homeless_calls c JOIN work.targets t USING (request_id)
    WHERE coalesce(abs(epoch_ms(c.started_at) - epoch_ms(t.started_at)), 0) <= {NEAR_S * 1000}
    QUALIFY row_number() OVER (
        PARTITION BY c.call_id ORDER BY abs(epoch_ms(c.started_at) - epoch_ms(t.started_at)) NULLS LAST, tid
    ) = 1""",
    """INSERT INTO gone.calls
    SELECT rid FROM work.homeless_calls JOIN work.housed_calls USING (call_id) WHERE rid IS NOT NULL""",
    f"""INSERT INTO fresh.calls
    SELECT coalesce(found, home), {_CALL_REST}
    FROM work.homeless_calls c LEFT JOIN work.housed_calls USING (call_id)
    WHERE rid IS NULL OR found IS NOT NULL""",
)
TIED_CALLS = f"""INSERT INTO fresh.calls
SELECT {_CALL} FROM stage.call WHERE NOT {AUTO} AND _n NOT IN (FROM work.duplicate_calls)"""

EVENTS = (
    """CREATE TABLE work.told_runs AS
    SELECT s.n AS _n, t.run_id AS found FROM work.matches m
    JOIN work.sources s USING (sid) JOIN work.targets t USING (tid) WHERE s.origin = 'loose'""",
    """INSERT INTO fresh.events
    SELECT ts, name, request_id,
        coalesce(
            found,
            CASE WHEN run_id IN (FROM work.known_runs) THEN run_id END,
            CASE WHEN known OR f._n IS NOT NULL THEN home END,
            run_id
        ), environment, payload
    FROM stage.event e JOIN work.homes USING (_spool)
    LEFT JOIN work.told_runs r ON r._n = e._n
    LEFT JOIN (SELECT _n FROM work.facts) f ON f._n = e._n""",
)

# The run made up for traffic whose spool owns none.
MAKE_UP_RUNS = """INSERT INTO fresh.runs (run_id, kind, name, started_at, status, owner, owner_since, config)
SELECT home, 'service', 'service', coalesce(min(ts), make_timestamp(epoch_us(now()))) AS began,
    'running', min(_spool), began, '{}'
FROM (
    SELECT home, _spool, started_at AS ts
    FROM work.homes JOIN fresh.calls ON run_id = home WHERE NOT known
    UNION ALL
    SELECT home, _spool, ts FROM work.homes JOIN fresh.events ON run_id = home WHERE NOT known
)
GROUP BY home HAVING home NOT IN (SELECT run_id FROM db.runs)"""

PLAIN = {
    name: f"INSERT INTO fresh.{table} SELECT {column_list(name)} FROM stage.{name}"
    for name, table in TABLE_OF.items()
    if name in ("grade", "gate_result", "alert_event", "content")
}
"""Types whose rows stand as they are."""
