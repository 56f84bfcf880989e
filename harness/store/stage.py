"""Spool lines as Arrow tables, one a record type; what cannot be read is set aside with its reason."""

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
from pyarrow import json as arrow_json

from harness.store.codec import Kind, columns_of, parse_lines

_ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "money": pa.string(),
    "time": pa.string(),
    "json": pa.string(),
}
_PYTHON: dict[Kind, tuple[type, ...]] = {
    "text": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "money": (str,),
    "time": (str,),
    "json": (str,),
}
_MIN_BLOCK_BYTES = 1 << 20
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A row of `quarantine`: something that could not become a row of its own table."""

    source: str
    byte_offset: int | None
    type_name: str
    problem: str
    body: str
    found_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(slots=True)
class _Bucket:
    bodies: list[bytes] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    spools: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)


class Stage:
    """Gathers lines of many spools in order, then gives them as tables.

    Each table has the record's columns, money and moments still as text, and `_n` (order of arrival),
    `_spool` (whose spool) and `_offset` (where in its file).
    """

    def __init__(self) -> None:
        self.quarantine: list[Quarantined] = []
        self.lines = 0
        self._buckets: dict[str, _Bucket] = {}

    def add(self, data: bytes, base_offset: int, *, spool_id: str, source: str) -> None:
        """Take the complete lines of a piece of spool.

        Args:
            data: bytes from one line's start to another's end.
            base_offset: the file offset of `data[0]`.
            spool_id: whose spool.
            source: the file's name, for the quarantine.
        """
        for line in parse_lines(data, base_offset):
            self.lines += 1
            bucket = self._buckets.get(line.type_name)
            if line.problem is not None:
                self._set_aside(source, line.offset, line.type_name, line.problem, line.body)
                continue
            if bucket is None:
                bucket = self._buckets[line.type_name] = _Bucket()
            bucket.bodies.append(line.body)
            bucket.orders.append(self.lines)
            bucket.spools.append(spool_id)
            bucket.offsets.append(line.offset)

    def tables(self) -> dict[str, pa.Table]:
        """Type name -> table; call once, when all lines are in."""
        return {name: self._table(name, bucket) for name, bucket in self._buckets.items()}

    def _table(self, type_name: str, bucket: _Bucket) -> pa.Table:
        schema = pa.schema([(name, _ARROW[kind]) for name, kind in columns_of(type_name).items()])
        table = _read_all(bucket.bodies, schema)
        if table is None:
            rows, bucket = self._read_singly(type_name, bucket)
            table = pa.Table.from_pylist(rows, schema=schema)
        return (
            table.append_column("_n", pa.array(bucket.orders, pa.int64()))
            .append_column("_spool", pa.array(bucket.spools, pa.string()))
            .append_column("_offset", pa.array(bucket.offsets, pa.int64()))
        )

    def _read_singly(self, type_name: str, bucket: _Bucket) -> tuple[list[dict[str, Any]], _Bucket]:
        """The slow way, taken when one line of many is bad: find it, keep the others."""
        kept = _Bucket()
        rows = []
        for body, order, spool, offset in zip(
            bucket.bodies, bucket.orders, bucket.spools, bucket.offsets, strict=True
        ):
            row, problem = _read_one(type_name, body)
            if row is None:
                self._set_aside(spool, offset, type_name, problem, body)
                continue
            rows.append(row)
            kept.orders.append(order)
            kept.spools.append(spool)
            kept.offsets.append(offset)
        return rows, kept

    def _set_aside(self, source: str, offset: int, type_name: str, problem: str, body: bytes) -> None:
        self.quarantine.append(
            Quarantined(
                source=source,
                byte_offset=offset,
                type_name=type_name,
                problem=problem,
                body=body.decode("utf-8", "replace"),
            )
        )


def _read_all(bodies: list[bytes], schema: pa.Schema) -> pa.Table | None:
    """All lines in one go; None when any of them is not what the schema says."""
    text = b"\n".join(bodies) + b"\n"
    longest = max(map(len, bodies)) + 1
    try:
        text.decode()  # Arrow does not look, and DuckDB refuses the whole batch
        table = arrow_json.read_json(
            io.BytesIO(text),
            read_options=arrow_json.ReadOptions(block_size=max(_MIN_BLOCK_BYTES, 2 * longest)),
            parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    return table if table.num_rows == len(bodies) else None


def _read_one(type_name: str, body: bytes) -> tuple[dict[str, Any] | None, str]:
    try:
        row = orjson.loads(body)
    except ValueError as error:
        return None, f"not JSON: {error}"
    if not isinstance(row, dict):
        return None, "not a JSON object"
    columns = columns_of(type_name)
    for name, value in row.items():
        kind = columns.get(name)
        if kind is None:
            return None, f"field '{name[:60]}' is unknown: written by a later harness?"
        if value is None:
            continue
        fits = isinstance(value, _PYTHON[kind]) and (kind == "bool" or not isinstance(value, bool))
        if not fits or (kind == "int" and value not in _INT64):
            return None, f"field '{name}' is not a {kind}"
    return row, ""
