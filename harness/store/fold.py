# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""Staged rows folded onto the stored ones: what is new (`fresh`), and what that replaces (`gone`).

The one place that says who owns which row (design decision 5). Ingest writes its result into the database;
the reader shows it on top of the database. So a live view and a later ingest cannot disagree.

`db` is the attached database, `stage` holds the typed incoming rows. Rows meet in this order of trust: events
that name a run (`tied`) fill that run's request; the others (`loose`) fill the request of the same id nearest
in time; a loose event that finds none becomes a request of its service's own run, until one claims it.
"""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from harness.store.codec import columns_of
from harness.store.facts import facts_sql
from harness.store.fold_runs import Row, fold_runs
from harness.store.stage import Quarantined, Stage
from harness.store.staging import load_stage
from harness.store.tables import FACT_COLUMNS, column_list

FOLDED_TABLES = (
    "runs",
    "requests",
    "calls",
    "grades",
    "events",
    "gate_results",
    "alert_events",
    "contents",
    "quarantine",
    "waiting_ends",
    "waiting_facts",
)
"""Tables with a `fresh` and a `gone` part."""

NEAR_S = 3600
"""How far apart in time a request and an event of the same id may be and still be the same thing, seconds."""

_FACTS = ", ".join(FACT_COLUMNS)
_FACT_ROW = f"run_id, request_id, ts, status, error_kind, http_status, {_FACTS}"
_REQUEST = column_list("request")


def fold_stage(connection: duckdb.DuckDBPyConnection, stage: Stage) -> None:
    """Stage everything and fold it; see `fold`."""
    tables = stage.tables()
    rejected = load_stage(connection, tables)
    fold(connection)
    _quarantine(connection, [*stage.quarantine, *rejected, *_duplicates(connection, tables)])


def fold(connection: duckdb.DuckDBPyConnection) -> None:
    """Compute `fresh.*` and `gone.*` from `stage.*` and `db.*`; changes neither.

    Args:
        connection: holds `stage` (`load_stage`) and `db`.
    """
    connection.execute("CREATE SCHEMA fresh; CREATE SCHEMA gone; CREATE SCHEMA work")
    for table in FOLDED_TABLES:
        rows = "work.told_requests" if table == "requests" else f"fresh.{table}"
        connection.execute(
            f"CREATE TABLE {rows} AS FROM db.{table} LIMIT 0; CREATE TABLE gone.{table} (rid BIGINT)"
        )
    _fold_run_rows(connection)
    for statement in (*_NEW_ROWS, *_MATCHES, *_REQUESTS, *_CALLS, *_EVENTS, *_PLAIN):
        connection.execute(statement)


def _duplicates(connection: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table]) -> list[Quarantined]:
    """Second records of the same key: kept aside whole, so that none is lost and none counted twice."""
    found = []
    for type_name in ("request", "call"):
        orders = [n for (n,) in connection.execute(f"FROM work.duplicate_{type_name}s").fetchall()]
        if not orders:
            continue
        table = tables[type_name]
        rows = table.filter(pc.is_in(table["_n"], pa.array(orders, pa.int64()))).to_pylist()
        found += [
            Quarantined(
                source=row["_spool"],
                byte_offset=row["_offset"],
                type_name=type_name,
                problem=f"duplicate: there is a {type_name} of this id",
                body=row["body"],
            )
            for row in rows
        ]
    return found


def _fold_run_rows(connection: duckdb.DuckDBPyConnection) -> None:
    known = "SELECT run_id FROM stage.run UNION SELECT run_id FROM stage.run_end"
    ids = f"run_id IN ({known})"
    old = _dicts(connection, f"SELECT rowid AS rid, * FROM db.runs WHERE {ids}")
    starts = _dicts(connection, f"SELECT {column_list('run')} FROM stage.run ORDER BY _n")
    ends = _dicts(connection, f"SELECT {column_list('run_end')} FROM stage.run_end ORDER BY _n")
    waiting = _dicts(connection, f"SELECT rowid AS rid, * FROM db.waiting_ends WHERE {ids}")
    if not (starts or ends):
        return
    for table, rows in (("runs", old), ("waiting_ends", waiting)):
        for row in rows:
            connection.execute(f"INSERT INTO gone.{table} VALUES (?)", [row.pop("rid")])
    folded = fold_runs(old, starts, [*waiting, *ends])
    for table, rows in (("runs", folded.runs), ("waiting_ends", folded.waiting)):
        for row in rows:
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"INSERT INTO fresh.{table} ({', '.join(row)}) VALUES ({marks})",
                list(row.values()),
            )


def _dicts(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    cursor = connection.execute(sql)
    names = [item[0] for item in cursor.description or ()]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def _quarantine(connection: duckdb.DuckDBPyConnection, rejected: list[Quarantined]) -> None:
    for item in rejected:
        connection.execute(
            "INSERT INTO fresh.quarantine VALUES (?, ?, ?, ?, ?, ?)",
            [
                item.found_at.replace(tzinfo=None),
                item.source,
                item.byte_offset,
                item.type_name,
                item.problem,
                item.body,
            ],
        )


_AUTO = "(run_id IS NULL OR run_id IN (FROM work.auto_runs))"
"""Rows that no recorder owns: of a service's or an ingested file's run, or of none."""

_NEW_ROWS = (
    """CREATE TABLE work.auto_runs AS
    SELECT run_id FROM db.runs WHERE kind IN ('service', 'ingest')
    UNION SELECT run_id FROM fresh.runs WHERE kind IN ('service', 'ingest')""",
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
        UNION SELECT request_id FROM stage.call WHERE {_AUTO}
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

_MATCHES = (
    f"""CREATE TABLE work.sources AS
    SELECT row_number() OVER (ORDER BY rank, n) AS sid, * FROM (
        SELECT 0 AS rank, w.rowid AS n, 'waiting' AS origin, w.rowid AS rid, NULL AS home, {_FACT_ROW}
        FROM db.waiting_facts w SEMI JOIN work.new_requests USING (run_id, request_id)
        UNION ALL
        SELECT 1, rid, 'row', rid, run_id, run_id, request_id,
            started_at + to_milliseconds(coalesce(server_ms, 0)), status, error_kind, http_status, {_FACTS}
        FROM work.old_requests WHERE run_id IN (FROM work.auto_runs)
        UNION ALL
        SELECT 2, _n, CASE WHEN {_AUTO} THEN 'loose' ELSE 'tied' END, NULL,
            CASE WHEN run_id IN (FROM work.auto_runs) THEN run_id ELSE home END, {_FACT_ROW}
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
)

_FILLED = ", ".join(
    f"coalesce(t.{name}, s.{name}) AS {name}" if name in FACT_COLUMNS else f"t.{name}"
    for name in columns_of("request")
)
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

_REQUESTS = (
    "INSERT INTO gone.requests SELECT rid FROM work.matches WHERE origin = 'row'",
    """INSERT INTO gone.requests
    SELECT rid FROM work.targets WHERE rid IS NOT NULL AND tid IN (SELECT tid FROM work.matches)""",
    # A view, so that a million requests without events are not copied once more.
    f"""CREATE VIEW fresh.requests AS
    SELECT {_REQUEST} FROM work.new_requests WHERE _n NOT IN (SELECT tid FROM work.matches)
    UNION ALL FROM work.told_requests""",
    f"""INSERT INTO work.told_requests
    WITH told AS (SELECT tid, min(sid) AS sid FROM work.matches GROUP BY tid),
    whole AS (
        SELECT _n AS tid, {_REQUEST} FROM work.new_requests WHERE _n IN (SELECT tid FROM told)
        UNION ALL SELECT -1 - rid, {_REQUEST} FROM work.old_requests WHERE -1 - rid IN (SELECT tid FROM told)
    )
    SELECT {_FILLED} FROM whole t JOIN told USING (tid) JOIN work.sources s USING (sid)""",
    f"""INSERT INTO work.told_requests
    SELECT {_MADE} FROM (
        SELECT *, row_number() OVER (PARTITION BY home, request_id ORDER BY sid) AS nth FROM work.sources
        WHERE origin = 'loose' AND sid NOT IN (SELECT sid FROM work.matches)
    ) l
    WHERE nth = 1 AND NOT EXISTS (
        FROM work.old_requests o WHERE o.run_id = l.home AND o.request_id = l.request_id
    )""",
    f"""INSERT INTO fresh.waiting_facts BY NAME
    SELECT {_FACT_ROW} FROM work.sources
    WHERE origin = 'tied' AND sid NOT IN (SELECT sid FROM work.matches)""",
    "INSERT INTO gone.waiting_facts SELECT rid FROM work.matches WHERE origin = 'waiting'",
)

_CALL = column_list("call")
_CALL_REST = ", ".join(f"c.{name}" for name in columns_of("call") if name != "run_id")

_CALLS = (
    """CREATE TABLE work.duplicate_calls AS
    SELECT _n FROM (
        SELECT _n, row_number() OVER (PARTITION BY call_id ORDER BY _n) AS nth FROM stage.call
    ) WHERE nth > 1
    UNION
    SELECT s._n FROM stage.call s SEMI JOIN db.calls d USING (call_id)""",
    f"""CREATE TABLE work.homeless_calls AS
    SELECT NULL::BIGINT AS rid, _n, CASE WHEN run_id IS NULL THEN home ELSE run_id END AS home, {_CALL}
    FROM stage.call JOIN work.homes USING (_spool)
    WHERE {_AUTO} AND _n NOT IN (FROM work.duplicate_calls)
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
    f"""INSERT INTO fresh.calls
    SELECT {_CALL} FROM stage.call WHERE NOT {_AUTO} AND _n NOT IN (FROM work.duplicate_calls)""",
)

_EVENTS = (
    """CREATE TABLE work.told_runs AS
    SELECT s.n AS _n, t.run_id AS found FROM work.matches m
    JOIN work.sources s USING (sid) JOIN work.targets t USING (tid) WHERE s.origin = 'loose'""",
    """INSERT INTO fresh.events
    SELECT ts, name, request_id,
        coalesce(found, run_id, CASE WHEN known OR f._n IS NOT NULL THEN home END), environment, payload
    FROM stage.event e JOIN work.homes USING (_spool)
    LEFT JOIN work.told_runs r ON r._n = e._n
    LEFT JOIN (SELECT _n FROM work.facts) f ON f._n = e._n""",
    """CREATE TABLE work.claimed AS
    SELECT o.run_id, o.request_id, t.run_id AS found FROM work.matches m
    JOIN work.old_requests o USING (rid) JOIN work.targets t USING (tid) WHERE m.origin = 'row'""",
    """INSERT INTO gone.events
    SELECT e.rowid FROM db.events e SEMI JOIN work.claimed USING (run_id, request_id)""",
    """INSERT INTO fresh.events
    SELECT e.ts, e.name, e.request_id, c.found, e.environment, e.payload
    FROM db.events e JOIN work.claimed c USING (run_id, request_id)""",
    # The run made up for traffic whose spool owns none.
    """INSERT INTO fresh.runs (run_id, kind, name, started_at, status, owner, owner_since, config)
    SELECT home, 'service', 'service', coalesce(min(ts), make_timestamp(epoch_us(now()))) AS began,
        'running', min(_spool), began, '{}'
    FROM (
        SELECT home, _spool, started_at AS ts
        FROM work.homes JOIN fresh.calls ON run_id = home WHERE NOT known
        UNION ALL
        SELECT home, _spool, ts FROM work.homes JOIN fresh.events ON run_id = home WHERE NOT known
    )
    GROUP BY home HAVING home NOT IN (SELECT run_id FROM db.runs)""",
)

_PLAIN = (
    f"INSERT INTO fresh.grades SELECT {column_list('grade')} FROM stage.grade",
    f"INSERT INTO fresh.gate_results SELECT {column_list('gate_result')} FROM stage.gate_result",
    f"INSERT INTO fresh.alert_events SELECT {column_list('alert_event')} FROM stage.alert_event",
    f"INSERT INTO fresh.contents SELECT {column_list('content')} FROM stage.content",
)
