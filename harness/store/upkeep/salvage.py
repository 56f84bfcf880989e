# ruff: noqa: S608 - table and column names come from DuckDB's own catalogue
"""What a damaged database still holds: whole tables, whole columns, row by row where a block is broken.

DuckDB's blocks carry checksums; one that fails takes a piece of a few columns with it, the rest reads well.
"""

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from harness.store.database.migrate import PLAIN_NAMES

SMALLEST_PIECE_ROWS = 2_048
"""A vector of DuckDB's: less cannot be read alone."""
NOT_SALVAGED = ("schema_version",)
_KEYS = {
    "runs": ("run_id",),
    "requests": ("run_id", "request_id"),
    "calls": ("call_id",),
    "grades": ("run_id", "request_id", "grader"),
    "events": ("run_id", "name", "request_id", "ts"),
    "gate_results": ("run_id", "ts"),
    "alert_events": ("ts", "rule", "state"),
}


@dataclass(slots=True)
class Loss:
    """What one table lost: rows that are gone, and cells that are now unknown."""

    rows: int = 0
    cells: dict[str, int] = field(default_factory=dict)

    def sentence(self, table: str) -> str:
        """In words."""
        parts = [f"{self.rows} rows"] if self.rows else []
        parts += [f"`{column}` of {count} rows" for column, count in self.cells.items()]
        return f"lost of {table}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class _Table:
    """One table in both databases: the columns that both have, and those that must not be unknown."""

    name: str
    columns: tuple[str, ...]
    vital: frozenset[str]


def unreadable_columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[str]]:
    """Table -> columns with a value that cannot be read; every value of every column is."""
    found: dict[str, list[str]] = {}
    columns = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = ? AND NOT internal "
        "ORDER BY table_name, column_index",
        [database],
    ).fetchall()
    for table, column in columns:
        try:
            connection.execute(f'SELECT bit_xor(hash("{column}")) FROM "{database}"."{table}"').fetchall()
        except duckdb.Error:
            found.setdefault(table, []).append(column)
    return found


def salvage(damaged: Path, fresh: Path, *, exported: str | None = None) -> list[str]:
    """Copy what is readable of a damaged database into a new, empty one of the present schema.

    Args:
        damaged: the old file; only read.
        fresh: the new one.
        exported: Parquet that was exported from this store, to fill what is lost; None for none.

    Returns:
        What was taken, and what is lost, sentence by sentence.

    Raises:
        duckdb.Error: the new database cannot be written.
    """
    with duckdb.connect(str(fresh), config=dict(PLAIN_NAMES)) as connection:
        quoted = str(damaged).replace("'", "''")
        try:
            connection.execute(f"ATTACH '{quoted}' AS old (READ_ONLY)")
        except duckdb.Error:
            return ["nothing in the damaged database can be read"]
        report = []
        broken = unreadable_columns(connection, "old")
        for table in _tables(connection, fresh.stem):
            taken, loss = _copy(connection, table, broken.get(table.name, []))
            filled = _fill(connection, table, exported) if exported and loss else 0
            if taken:
                report.append(f"{taken} rows of {table.name} taken over")
            if loss:
                report.append(loss.sentence(table.name))
            if filled:
                report.append(f"{filled} rows of {table.name} filled from {exported}")
        report += _make_up_runs(connection)
        connection.execute("CHECKPOINT")
    return report


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> list[_Table]:
    rows = connection.execute(
        """SELECT n.table_name, n.column_name, NOT n.is_nullable FROM duckdb_columns() n
        SEMI JOIN (FROM duckdb_columns() WHERE database_name = 'old') o USING (table_name, column_name)
        WHERE n.database_name = ? ORDER BY n.table_name, n.column_index""",
        [database],
    ).fetchall()
    names = dict.fromkeys(name for name, _, _ in rows if name not in NOT_SALVAGED)
    return [
        _Table(
            name=name,
            columns=tuple(column for table, column, _ in rows if table == name),
            vital=frozenset(column for table, column, needed in rows if table == name and needed),
        )
        for name in names
    ]


def _copy(connection: duckdb.DuckDBPyConnection, table: _Table, broken: list[str]) -> tuple[int, Loss | None]:
    connection.execute("CREATE OR REPLACE TEMP TABLE incomplete (first BIGINT, last BIGINT)")
    if not broken:
        return _take(connection, table, table.columns), None
    try:
        ((last,),) = connection.execute(f'SELECT coalesce(max(rowid), -1) FROM old."{table.name}"').fetchall()
    except duckdb.Error:
        return 0, Loss(cells=dict.fromkeys(broken, 0))
    loss = Loss()
    taken = 0
    pieces = [(0, int(last) + 1)]
    while pieces:
        start, end = pieces.pop()
        where = f"rowid >= {start} AND rowid < {end}"
        bad = [column for column in broken if not _readable(connection, table.name, column, where)]
        if not bad:
            taken += _take(connection, table, table.columns, where)
        elif end - start > SMALLEST_PIECE_ROWS:
            middle = start + (end - start) // 2 // SMALLEST_PIECE_ROWS * SMALLEST_PIECE_ROWS
            middle = middle if middle > start else start + SMALLEST_PIECE_ROWS
            pieces += [(middle, end), (start, middle)]
        elif table.vital.intersection(bad):
            ((rows,),) = connection.execute(
                f'SELECT count(*) FROM old."{table.name}" WHERE {where}'
            ).fetchall()
            loss.rows += rows
        else:
            good = tuple(column for column in table.columns if column not in bad)
            before = _next_rowid(connection, table.name)
            count = _take(connection, table, good, where)
            connection.execute("INSERT INTO incomplete VALUES (?, ?)", [before, before + count - 1])
            taken += count
            for column in bad:
                loss.cells[column] = loss.cells.get(column, 0) + count
    return taken, loss


def _readable(connection: duckdb.DuckDBPyConnection, table: str, column: str, where: str) -> bool:
    try:
        connection.execute(f'SELECT bit_xor(hash("{column}")) FROM old."{table}" WHERE {where}').fetchall()
    except duckdb.Error:
        return False
    return True


def _take(
    connection: duckdb.DuckDBPyConnection, table: _Table, columns: tuple[str, ...], where: str = "true"
) -> int:
    names = ", ".join(f'"{column}"' for column in columns)
    ((count,),) = connection.execute(
        f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM old."{table.name}" WHERE {where}'
    ).fetchall()
    return int(count)


def _next_rowid(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    ((last,),) = connection.execute(f'SELECT coalesce(max(rowid), -1) FROM "{table}"').fetchall()
    return int(last) + 1


def _fill(connection: duckdb.DuckDBPyConnection, table: _Table, exported: str) -> int:
    """Rows that are lost or incomplete, from an export; what is here and whole stays as it is."""
    key = _KEYS.get(table.name)
    from harness.store.objects.parquet_view import (  # noqa: PLC0415 - data sets load pandas, 0.3 s
        find_parquet,
        parquet_snapshot,
    )

    source = find_parquet(exported)
    if key is None or source is None:
        return 0
    view = parquet_snapshot(source)
    try:
        rows = view.arrow(f"FROM {table.name}")
    finally:
        view.close()
    connection.register("exported_rows", rows)
    same = " AND ".join(f't."{column}" IS NOT DISTINCT FROM e."{column}"' for column in key)
    connection.execute(
        f"""DELETE FROM "{table.name}" t WHERE EXISTS (
            FROM incomplete i WHERE t.rowid BETWEEN i.first AND i.last
        ) AND EXISTS (FROM exported_rows e WHERE {same})"""
    )
    names = ", ".join(f'"{column}"' for column in table.columns if column in rows.schema.names)
    ((count,),) = connection.execute(
        f"""INSERT INTO "{table.name}" ({names}) SELECT {names} FROM exported_rows e
        WHERE NOT EXISTS (FROM "{table.name}" t WHERE {same})"""
    ).fetchall()
    connection.unregister("exported_rows")
    return int(count)


def _make_up_runs(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """A run whose own row is lost, from its requests: without one they would belong to nothing."""
    ((count,),) = connection.execute(
        """INSERT INTO runs (run_id, kind, name, started_at, status, environment)
        SELECT run_id, 'ingest', 'recovered ' || run_id, coalesce(min(started_at), now()::TIMESTAMP),
            'interrupted', any_value(environment)
        FROM requests ANTI JOIN runs USING (run_id) GROUP BY run_id"""
    ).fetchall()
    return (
        [f"{count} runs made up from their requests, as kind 'ingest': their own rows are lost"]
        if count
        else []
    )
