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

from harness.store.database.tables import column_list
from harness.store.fold import sql
from harness.store.fold.runs import Row, fold_runs
from harness.store.fold.stage import Quarantined, Stage
from harness.store.fold.staging import load_stage
from harness.store.spool.arrays import integers
from harness.store.spool.codec import RECORD_TYPES

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
    staged = _staged(connection)
    if staged["run"] or staged["run_end"]:
        _fold_run_rows(connection)
    _run(connection, *sql.PREPARE, *sql.MATCH)
    _fold_requests(connection)
    _fold_calls(connection)
    if staged["event"]:
        _run(connection, *sql.EVENTS)
    _run(connection, *(statement for name, statement in sql.PLAIN.items() if staged[name]))
    ((unknown_homes,),) = connection.execute("SELECT count(*) FROM work.homes WHERE NOT known").fetchall()
    if unknown_homes:
        _run(connection, sql.MAKE_UP_RUNS)


def _run(connection: duckdb.DuckDBPyConnection, *statements: str) -> None:
    for statement in statements:
        connection.execute(statement)


def _staged(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM stage.{name}" for name in RECORD_TYPES)
    return dict(connection.execute(counts).fetchall())


def _fold_requests(connection: duckdb.DuckDBPyConnection) -> None:
    """What was told about requests reaches them; statements cost milliseconds: only those needed run."""
    outcome = {origin: (all_, found) for origin, all_, found in connection.execute(sql.OUTCOME).fetchall()}

    def found(*origins: str) -> bool:
        return any(outcome.get(origin, (0, 0))[1] for origin in origins)

    def left(origin: str) -> bool:
        count, matched = outcome.get(origin, (0, 0))
        return bool(count > matched)

    _run(connection, sql.FRESH_REQUESTS, sql.REPLACE_FILLED)
    if found("tied", "loose"):
        _run(connection, sql.FILL_FROM_EVENTS)
    if found("waiting"):
        _run(connection, *sql.FILL_FROM_WAITING)
    if found("row"):
        _run(connection, *sql.CLAIM_ROWS)
    if left("loose"):
        _run(connection, sql.MAKE_ROWS)
    if left("tied"):
        _run(connection, sql.LET_WAIT)


def _fold_calls(connection: duckdb.DuckDBPyConnection) -> None:
    _run(connection, sql.DUPLICATE_CALLS, sql.TIED_CALLS)
    ((homeless,),) = connection.execute(sql.HOMELESS).fetchall()
    if homeless:
        _run(connection, *sql.HOUSE_CALLS)


def _duplicates(connection: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table]) -> list[Quarantined]:
    """Second records of the same key: kept aside whole, so that none is lost and none counted twice."""
    found = []
    for type_name in ("request", "call"):
        orders = [n for (n,) in connection.execute(f"FROM work.duplicate_{type_name}s").fetchall()]
        if not orders:
            continue
        import pyarrow.compute as pc  # noqa: PLC0415 - 0.03 s of every command, for what seldom happens

        table = tables[type_name]
        rows = table.filter(pc.is_in(table["_n"], integers(orders))).to_pylist()
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


def _dicts(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    cursor = connection.execute(query)
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
