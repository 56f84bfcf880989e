# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""Staged Arrow tables as typed DuckDB tables; a row that a column cannot hold is set aside."""

import json
import types
from dataclasses import MISSING, fields
from functools import cache
from typing import get_args, get_type_hints

import duckdb
import pyarrow as pa

from harness.store.codec import RECORD_TYPES, columns_of
from harness.store.stage import Quarantined
from harness.store.tables import SQL_TYPES

_TEXT_FORM = {"money": "VARCHAR", "time": "VARCHAR", "json": "VARCHAR"}


def load_stage(connection: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table]) -> list[Quarantined]:
    """Make one table `stage.<type>` a record type, empty where nothing came.

    Returns:
        What no table can hold: a required value missing, or text that is no amount, moment or JSON.
    """
    connection.execute("CREATE SCHEMA stage")
    rejected: list[Quarantined] = []
    for type_name in RECORD_TYPES:
        table = tables.get(type_name)
        if table is None or table.num_rows == 0:
            connection.execute(_empty(type_name))
            continue
        connection.register("incoming", table)
        try:
            connection.execute(_create(type_name))
            if _lost_something(connection, type_name, table):
                rejected += _bad_rows(connection, type_name)
                connection.execute(f"DROP TABLE stage.{type_name}")
                connection.execute(_create(type_name) + f" WHERE NOT {_bad_condition(type_name)}")
        finally:
            connection.unregister("incoming")
    return rejected


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


def _lost_something(connection: duckdb.DuckDBPyConnection, type_name: str, table: pa.Table) -> bool:
    """True when a cast gave NULL for something, or a required value is missing."""
    names = list(columns_of(type_name))
    counts = connection.execute(
        f"SELECT {', '.join(f'count({name})' for name in names)} FROM stage.{type_name}"
    ).fetchall()
    given = [table.num_rows - table.column(name).null_count for name in names]
    missing = any(table.column(name).null_count for name in required_columns(type_name))
    return missing or list(counts[0]) != given


@cache
def _create(type_name: str) -> str:
    return (
        f"CREATE TABLE stage.{type_name} AS "
        f"SELECT {_cast_columns(type_name)}, _n, _spool, _offset FROM incoming"
    )


@cache
def _empty(type_name: str) -> str:
    columns = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in columns_of(type_name).items())
    return f"CREATE TABLE stage.{type_name} ({columns}, _n BIGINT, _spool VARCHAR, _offset BIGINT)"


@cache
def _cast_columns(type_name: str) -> str:
    return ", ".join(
        f"TRY_CAST({name} AS {SQL_TYPES[kind]}) AS {name}" if kind in _TEXT_FORM else name
        for name, kind in columns_of(type_name).items()
    )


@cache
def _bad_condition(type_name: str) -> str:
    uncastable = [
        f"({name} IS NOT NULL AND TRY_CAST({name} AS {SQL_TYPES[kind]}) IS NULL)"
        for name, kind in columns_of(type_name).items()
        if kind in _TEXT_FORM
    ]
    missing = [f"{name} IS NULL" for name in required_columns(type_name)]
    return "(" + " OR ".join(uncastable + missing) + ")"


def _bad_rows(connection: duckdb.DuckDBPyConnection, type_name: str) -> list[Quarantined]:
    names = list(columns_of(type_name))
    found = connection.execute(
        f"SELECT _spool, _offset, {', '.join(names)} FROM incoming WHERE {_bad_condition(type_name)}"
    ).fetchall()
    return [
        Quarantined(
            source=spool,
            byte_offset=offset,
            type_name=type_name,
            problem="a required value is missing, or a value is not what its column holds",
            body=json.dumps({name: v for name, v in zip(names, values, strict=True) if v is not None}),
        )
        for spool, offset, *values in found
    ]
