# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""Queries over one moment of a store, plain or typed, wherever its rows lie."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar, cast

import duckdb
import pyarrow as pa
from numpy.typing import NDArray

from harness.errors import UnknownRunError, UsageError
from harness.records import Call, GateResult, Grade, Request
from harness.store.database.migrate import database_error
from harness.store.database.tables import column_list
from harness.store.database.typed import Row, StoredRun, aware, records_from_rows, stored_run

R = TypeVar("R")
_LATEST_FIRST = "ORDER BY started_at DESC, run_id DESC"
_DRIVEN = "kind IN ('baseline', 'eval') AND environment IS DISTINCT FROM 'imported'"


SHARED_ROWS = 10_000
"""Larger answers are worked out anew in each snapshot."""


class Kept(NamedTuple):
    """A query's answer that a snapshot keeps: the table's name, and how many rows it has."""

    table: str
    rows: int


class Snapshot:
    """Queries over one moment of a store. Made by `Store.snapshot`; keep it short, ingest waits for it.

    Args:
        connection: holds the tables as views; closed with the snapshot.
        where: what to call the store in errors.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, where: str) -> None:
        self._connection = connection
        self._where = where
        self._kept: dict[tuple[Any, ...], Kept] = {}
        self._shared: dict[str, pa.Table] | None = None

    def share(self, answers: dict[str, "pa.Table"]) -> None:
        """Keep small answers of `kept` in a dictionary, and take them from there.

        Args:
            answers: of snapshots of this very moment of the store alone; the caller sees to that.
        """
        self._shared = answers

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()

    def rows(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query; values are bound, moments are aware."""
        return self._answer(sql, params)[1]

    def dicts(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """All rows of one query by column name."""
        names, found = self._answer(sql, params)
        return [dict(zip(names, values, strict=True)) for values in found]

    def records(self, record_type: type[R], sql: str, params: Sequence[Any] = ()) -> list[R]:
        """All rows of one query as records; columns that it does not have are left out."""
        names, found = self._answer(sql, params)
        return records_from_rows(record_type, names, found)

    def kept(self, sql: str, params: Sequence[Any] = ()) -> Kept:
        """The answer of a query as a temporary table for further queries, computed once in this snapshot.

        A snapshot never changes, so neither does the answer; the table ends with the snapshot.

        Args:
            sql: a query; the table's rows stand in no order.
            params: hashable values for its `?` marks.
        """
        key = (sql, *params)
        if key not in self._kept:
            # named by what it answers, so that the same question is the same text in every snapshot
            digest = hashlib.blake2b(repr(key).encode(), digest_size=10).hexdigest()
            with self._told_plainly():
                self._kept[key] = self._keep(f"kept_{digest}", sql, params)
        return self._kept[key]

    def _keep(self, name: str, sql: str, params: Sequence[Any]) -> Kept:
        known = None if self._shared is None else self._shared.get(name)
        if known is not None:
            self._connection.register(f"{name}_known", known)
            self._connection.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_known")
            return Kept(name, known.num_rows)
        ((rows,),) = self._connection.execute(f"CREATE TEMP TABLE {name} AS {sql}", params).fetchall()
        if self._shared is not None and rows <= SHARED_ROWS:
            self._shared[name] = self._connection.sql(f"FROM {name}").to_arrow_table()
        return Kept(name, rows)

    def columns(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> dict[str, NDArray[Any]]:
        """One query as NumPy columns; masked where a value is NULL."""
        with self._told_plainly():
            return cast("dict[str, NDArray[Any]]", self._connection.execute(sql, params).fetchnumpy())

    def arrow(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> pa.Table:
        """One query as an Arrow table; moments are timestamps in UTC."""
        with self._told_plainly():
            table: pa.Table = self._connection.sql(sql, params=params or None).to_arrow_table()
        for index, item in enumerate(table.schema):
            if pa.types.is_timestamp(item.type) and item.type.tz is None:
                column = table.column(index).cast(pa.timestamp(item.type.unit, tz="UTC"))
                table = table.set_column(index, item.name, column)
        return table

    def _answer(
        self, sql: str, params: Sequence[Any] | dict[str, Any]
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Names and rows; moments are aware."""
        with self._told_plainly():
            cursor = self._connection.execute(sql, params)
            described = cursor.description or []
            return [item[0] for item in described], aware(described, cursor.fetchall())

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        """A block that fails its checksum shows only when it is read: also that is one sentence."""
        try:
            yield
        except duckdb.Error as error:
            raise database_error(self._where, error) from error

    def runs(self) -> list[StoredRun]:
        """All runs, latest first."""
        return [stored_run(row) for row in self.dicts(f"FROM runs {_LATEST_FIRST}")]

    def run(self, reference: str = "latest") -> StoredRun:
        """One run: `latest`, an id, a name (its latest), a unique prefix.

        `latest` is a baseline or an evaluation, if there is any, and not one imported from elsewhere.

        Raises:
            UnknownRunError: none fits.
            UsageError: a prefix fits several.
        """
        for where, values in (
            (f"{_DRIVEN} AND ? = 'latest'", [reference]),
            ("? = 'latest'", [reference]),
            ("run_id = ?", [reference]),
            ("name = ?", [reference]),
        ):
            found = self.dicts(f"FROM runs WHERE {where} {_LATEST_FIRST} LIMIT 1", values)
            if found:
                return stored_run(found[0])
        found = self.dicts("FROM runs WHERE starts_with(run_id, ?) LIMIT 2", [reference]) if reference else []
        if len(found) > 1:
            raise UsageError(f"'{reference}' begins more than one run's id; give more of it")
        if not found:
            raise UnknownRunError(reference, self._where)
        return stored_run(found[0])

    def requests(self, run_id: str, *, include_warmup: bool = False) -> list[Request]:
        """A run's requests in the order they were sent; the warm-up is left out unless asked for."""
        return self.records(
            Request,
            f"SELECT {column_list('request')} FROM requests "
            "WHERE run_id = ? AND (? OR warmup IS NOT TRUE) ORDER BY seq NULLS LAST, started_at, request_id",
            [run_id, include_warmup],
        )

    def calls(self, run_id: str) -> list[Call]:
        """A run's calls in the order they were made."""
        return self.records(
            Call,
            f"SELECT {column_list('call')} FROM calls WHERE run_id = ? ORDER BY started_at, call_id",
            [run_id],
        )

    def grades(self, run_id: str) -> list[Grade]:
        """A run's grades, by request and grader."""
        return self.records(
            Grade,
            f"SELECT {column_list('grade')} FROM grades WHERE run_id = ? ORDER BY request_id, grader",
            [run_id],
        )

    def gate_results(self, run_id: str | None = None) -> list[GateResult]:
        """Verdicts, oldest first; of one run, or of all."""
        return self.records(
            GateResult,
            f"SELECT {column_list('gate_result')} FROM gate_results "
            "WHERE ?::VARCHAR IS NULL OR run_id = ? ORDER BY ts",
            [run_id, run_id],
        )
