# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""Staged JSON as typed DuckDB tables; a row that its columns cannot hold is set aside.

Records leave None out, so a row is whole exactly when it has as many values as its JSON has keys: anything
unreadable, unknown or of the wrong type shows as a difference.
"""

import json
import types
from dataclasses import MISSING, fields
from functools import cache
from typing import get_args, get_type_hints

import duckdb
import pyarrow as pa

from harness.store.database.tables import SQL_TYPES, environment_sql
from harness.store.fold.stage import Quarantined
from harness.store.spool.codec import RECORD_TYPES, columns_of

_PROBLEM = "not what its columns hold: broken, incomplete, or written by a later harness"


def load_stage(connection: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table]) -> list[Quarantined]:
    """Make one table `stage.<type>` a record type, empty where nothing came.

    Returns:
        What no table can hold.
    """
    connection.execute("CREATE SCHEMA stage")
    rejected: list[Quarantined] = []
    for type_name in RECORD_TYPES:
        table = tables.get(type_name)
        if table is None:
            connection.execute(_empty(type_name))
            continue
        connection.register("incoming", table)
        try:
            if not _load_whole(connection, type_name):
                rejected += _load_good(connection, type_name)
        finally:
            connection.unregister("incoming")
    return rejected


def _load_whole(connection: duckdb.DuckDBPyConnection, type_name: str) -> bool:
    """Load all rows; False when any of them is not whole, and then nothing is loaded."""
    try:
        connection.execute(_create(type_name, "incoming"))
    except (duckdb.InvalidInputException, duckdb.ConversionException):  # malformed JSON somewhere
        return False
    values = " + ".join(f"count({name})" for name in columns_of(type_name))
    ((keys, held, incomplete),) = connection.execute(
        f"SELECT sum(_keys), {values}, count(*) FILTER (WHERE {_incomplete(type_name)}) "
        f"FROM stage.{type_name}"
    ).fetchall()
    if keys == held and not incomplete:
        return True
    connection.execute(f"DROP TABLE stage.{type_name}")
    return False


def _load_good(connection: duckdb.DuckDBPyConnection, type_name: str) -> list[Quarantined]:
    """The careful way: judge each row, load the whole ones, return the others."""
    held = " + ".join(f"({name} IS NOT NULL)::INT" for name in columns_of(type_name))
    connection.execute(
        """CREATE TEMP TABLE judged AS
        SELECT * FROM incoming WHERE CASE WHEN NOT json_valid(body) THEN FALSE
            ELSE json_type(body) = 'OBJECT' END"""
    )
    connection.execute(_create(type_name, "judged"))
    connection.execute(f"DELETE FROM stage.{type_name} WHERE {_incomplete(type_name)} OR _keys <> {held}")
    connection.execute("DROP TABLE judged")
    found = connection.execute(
        f"SELECT _spool, _offset, body FROM incoming ANTI JOIN stage.{type_name} USING (_n)"
    ).fetchall()
    return [
        Quarantined(source=spool, byte_offset=offset, type_name=type_name, problem=_PROBLEM, body=body)
        for spool, offset, body in found
    ]


@cache
def required_columns(type_name: str) -> tuple[str, ...]:
    """Columns without which the record means nothing: no default, and None not allowed."""
    record_type = RECORD_TYPES[type_name]
    hints = get_type_hints(record_type)
    return tuple(
        item.name
        for item in fields(record_type)
        if item.default is MISSING
        and item.default_factory is MISSING
        and types.NoneType not in get_args(hints[item.name])
    )


@cache
def _incomplete(type_name: str) -> str:
    return "(" + " OR ".join(f"{name} IS NULL" for name in required_columns(type_name)) + ")"


@cache
def _empty(type_name: str) -> str:
    columns = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in columns_of(type_name).items())
    return (
        f"CREATE TABLE stage.{type_name} ({columns}, _keys BIGINT, _n BIGINT, _spool VARCHAR, _offset BIGINT)"
    )


def _one_spelling(column: str) -> str:
    return environment_sql(f"r.{column}") if column == "environment" else f"r.{column}"


def _create(type_name: str, source: str) -> str:
    kinds = columns_of(type_name)
    structure = {name: "VARCHAR" if kind == "json" else SQL_TYPES[kind] for name, kind in kinds.items()}
    parsed = [
        f"TRY_CAST(r.{name} AS JSON) AS {name}" if kind == "json" else f"{_one_spelling(name)} AS {name}"
        for name, kind in kinds.items()
    ]
    return f"""CREATE TABLE stage.{type_name} AS
        SELECT {", ".join(parsed)}, _keys, _n, _spool, _offset FROM (
            SELECT from_json(body, '{json.dumps(structure)}') AS r, len(json_keys(body)) AS _keys,
                _n, _spool, _offset
            FROM {source}
        )"""
