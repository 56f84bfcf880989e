"""Records in memory as a snapshot: a report file answers the same queries as a store."""

from collections.abc import Iterable

import duckdb

from harness.store.database.live_view import lock_down
from harness.store.database.migrate import PLAIN_NAMES, apply
from harness.store.database.tables import PUBLIC_TABLES
from harness.store.fold.fold import fold_stage
from harness.store.fold.stage import Stage
from harness.store.snapshot import Snapshot
from harness.store.spool.codec import TYPE_NAMES, Record, encode_json, json_object


def records_snapshot(records: Iterable[Record], where: str) -> Snapshot:
    """A snapshot of records alone, folded as an ingest would.

    Args:
        records: runs first, then what belongs to them.
        where: what to call their source in errors.
    """
    stage = Stage()
    for offset, record in enumerate(records):
        body = encode_json(json_object(record))
        stage.add_body(TYPE_NAMES[type(record)], body, spool_id=where, offset=offset)
    connection = duckdb.connect(":memory:", config=dict(PLAIN_NAMES))
    connection.execute("ATTACH ':memory:' AS db; USE db")
    apply(connection, after=0)
    connection.execute("USE memory")
    fold_stage(connection, stage)
    for table in PUBLIC_TABLES:
        connection.execute(f"CREATE VIEW memory.main.{table} AS FROM fresh.{table}")
    lock_down(connection)
    return Snapshot(connection, where)
