"""Observations on their way: kept in memory while they are few, else on disk by the hash of their trace.

So a file of any size is grouped in the memory of one bucket, whatever order its spans came in.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pyarrow as pa
from pyarrow import ipc

from harness.imports.grouping import SCHEMA
from harness.imports.observed import Observed
from harness.store import Redactor

BUCKET_ROWS = 60_000
"""About how many observations are grouped at once."""
_IDS = frozenset({"trace", "span", "parent", "kind", "context", "role", "status", "error_kind", "told_usd"})


class Spill:
    """Takes batches of observations; gives them back by bucket, every trace whole in one.

    Args:
        expected_rows: about how many will come; decides how many buckets there are.
        mask: masks secrets in their texts.
    """

    def __init__(self, expected_rows: int, mask: Redactor) -> None:
        self._mask = mask
        self._buckets = max(1, -(-expected_rows // BUCKET_ROWS))
        self._kept: list[pa.Table] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._writers: list[ipc.RecordBatchStreamWriter] = []
        self.rows = 0

    def __enter__(self) -> Self:
        """Open the files, where files are needed."""
        if self._buckets > 1:
            self._folder = tempfile.TemporaryDirectory(prefix="harness-spill-")
            self._writers = [
                ipc.new_stream(str(self._path(number)), SCHEMA) for number in range(self._buckets)
            ]
        return self

    def __exit__(self, *_: object) -> None:
        """Throw the files away."""
        for writer in self._writers:
            writer.close()
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, observed: list[Observed]) -> None:
        """Take some observations."""
        if not observed:
            return
        self.rows += len(observed)
        if self._buckets == 1:
            self._kept.append(self._table(observed))
            return
        parts: list[list[Observed]] = [[] for _ in range(self._buckets)]
        for row in observed:
            parts[hash(row[0]) % self._buckets].append(row)
        for number, part in enumerate(parts):
            if part:
                self._writers[number].write_table(self._table(part))

    def buckets(self) -> Iterator[pa.Table]:
        """Every bucket that holds anything."""
        if self._buckets == 1:
            if self._kept:
                yield pa.concat_tables(self._kept)
            return
        for writer in self._writers:
            writer.close()
        self._writers = []
        for number in range(self._buckets):
            with pa.OSFile(str(self._path(number))) as file:
                table = ipc.open_stream(file).read_all()
            self._path(number).unlink()
            if table.num_rows:
                yield table

    def _path(self, number: int) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / f"{number}.arrow"

    def _table(self, observed: list[Observed]) -> pa.Table:
        columns = list(zip(*observed, strict=True))
        arrays = []
        for field, values in zip(SCHEMA, columns, strict=True):
            safe = values if field.type != pa.string() or field.name in _IDS else self._masked(values)
            arrays.append(_array(safe, field.type))
        return pa.Table.from_arrays(arrays, schema=SCHEMA)

    def _masked(self, values: tuple[str | None, ...]) -> tuple[str | None, ...]:
        """The column without secrets: looked through as one text first, because there are hardly any."""
        distinct = {value for value in values if value}
        if not distinct:
            return values
        text = "\n".join(distinct)
        if self._mask.text(text) == text:
            return values
        safe = {value: self._mask.text(value) for value in distinct}
        return tuple(safe.get(value, value) if value else value for value in values)


def _array(values: tuple[object, ...], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, UnicodeEncodeError):  # half characters, which no column can hold
        clean = [
            value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in values
        ]
        return pa.array(clean, kind)
