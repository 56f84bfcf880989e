"""Spool lines gathered by record type; what is not a good line is set aside with its reason."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from harness.store.spool.arrays import integers, repeated, texts
from harness.store.spool.lines import TYPES, read_block

BATCH_ROWS = 4096
"""DuckDB parses one batch of a table on one thread: in pieces, all its threads have work."""


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
class _Loose:
    """Records that came one by one."""

    bodies: list[bytes] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    spools: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)

    def batch(self) -> pa.RecordBatch:
        return _batch(
            texts(self.bodies),
            integers(self.orders),
            texts([spool.encode() for spool in self.spools]).cast(pa.string()),
            integers(self.offsets),
        )


@dataclass(slots=True)
class _Bucket:
    batches: list[pa.RecordBatch] = field(default_factory=list)
    loose: _Loose = field(default_factory=_Loose)

    def table(self) -> pa.Table:
        batches = [*self.batches, self.loose.batch()] if self.loose.bodies else self.batches
        pieces = [
            batch.slice(start, BATCH_ROWS)
            for batch in batches
            for start in range(0, batch.num_rows, BATCH_ROWS)
        ]
        return pa.Table.from_batches(pieces)


class Stage:
    """Takes lines of many spools in order, gives them as one Arrow table a record type."""

    def __init__(self) -> None:
        self.quarantine: list[Quarantined] = []
        self.lines = 0
        self._order = 0
        self._buckets: dict[str, _Bucket] = {}

    def add(self, data: bytes, base_offset: int, *, spool_id: str, source: str) -> None:
        """Take the complete lines of a piece of spool.

        Args:
            data: bytes from one line's start to another's end.
            base_offset: the file offset of `data[0]`.
            spool_id: whose spool.
            source: the file's name, for the quarantine.
        """
        block = read_block(data)
        good = block.kinds >= 0
        self.lines += len(good)
        if not _is_text(data):
            good &= np.array([_is_text(block.line(number).body) for number in range(len(good))], np.bool_)
        for number in np.flatnonzero(~good).tolist():
            offset, type_name, body, problem = block.line(number, base_offset)
            self._set_aside(source, offset, type_name, problem or "not UTF-8 text", body)
        for kind in np.unique(block.kinds[good]):
            chosen = np.flatnonzero(good & (block.kinds == kind))
            batch = _batch(
                block.json_texts(chosen),
                integers(self._order + chosen),
                repeated(spool_id, len(chosen)),
                integers(base_offset + block.starts[chosen]),
            )
            self._bucket(TYPES[kind]).batches.append(batch)
        self._order += len(good)

    def add_body(self, type_name: str, body: bytes, *, spool_id: str, offset: int) -> None:
        """Take one record's JSON as it is, from wherever it came."""
        loose = self._bucket(type_name).loose
        loose.bodies.append(body)
        loose.orders.append(self._order)
        loose.spools.append(spool_id)
        loose.offsets.append(offset)
        self._order += 1

    def _bucket(self, type_name: str) -> "_Bucket":
        if type_name not in self._buckets:
            self._buckets[type_name] = _Bucket()
        return self._buckets[type_name]

    def tables(self) -> dict[str, pa.Table]:
        """Type name -> table of `body` (JSON), `_n` (order of arrival), `_spool` and `_offset`."""
        return {name: bucket.table() for name, bucket in self._buckets.items()}

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


def _is_text(data: bytes) -> bool:
    if data.isascii():  # far cheaper to ask than to decode
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _batch(bodies: pa.Array, orders: pa.Array, spools: pa.Array, offsets: pa.Array) -> pa.RecordBatch:
    return pa.record_batch({"body": bodies, "_n": orders, "_spool": spools, "_offset": offsets})
