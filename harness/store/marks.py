"""How far a file was taken before, found by the content of that part; and its complete lines from there."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import duckdb

from harness.store.log_file import fingerprint, whole_lines

CHUNK_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A row of `ingested_files`: the part up to `byte_offset` is in the run; `replaces` is the mark before.

    Attributes:
        source: what the file was called.
        run_id: the run that its rows stand in, or were joined to.
        byte_offset: where the next pass begins.
        fingerprint: of the part before it; None for nothing taken.
        lines: taken so far, blank ones not counted; `bad_lines` among them.
    """

    source: str = ""
    run_id: str = ""
    byte_offset: int = 0
    fingerprint: str | None = None
    lines: int = 0
    bad_lines: int = 0
    replaces: str | None = None


def find_mark(
    connection: duckdb.DuckDBPyConnection,
    opened: Path,
    join_run: str | None,
    *,
    holding: bool = False,
) -> Mark:
    """The longest part of a file that was taken before, for the same purpose.

    Args:
        connection: has the store as `db`.
        opened: the file.
        join_run: the run that its events fill; None for a run of its own.
        holding: pass over runs without requests: a file that gave nothing may be read in another way.

    Returns:
        A mark at 0 for a file that is new.
    """
    joining = join_run is not None
    rows = connection.execute(
        """SELECT source, i.run_id, byte_offset, sha256, lines, bad_lines FROM db.ingested_files i
        LEFT JOIN db.runs r USING (run_id)
        WHERE CASE WHEN ? THEN i.run_id = ? ELSE r.kind = 'ingest' END
            AND (NOT ? OR i.run_id IN (SELECT run_id FROM db.requests))
        ORDER BY byte_offset DESC""",
        [joining, join_run, holding],
    ).fetchall()
    size = opened.stat().st_size
    with opened.open("rb") as file:
        for source, run_id, offset, known, lines, bad_lines in rows:
            if offset <= size and fingerprint(file, offset) == known:
                return Mark(
                    source=source,
                    run_id=run_id,
                    byte_offset=offset,
                    fingerprint=known,
                    lines=lines,
                    bad_lines=bad_lines,
                )
    return Mark()


def set_mark(connection: duckdb.DuckDBPyConnection, mark: Mark) -> None:
    """Within the caller's transaction: the mark instead of the one that it replaces."""
    connection.execute(
        "DELETE FROM db.ingested_files WHERE run_id = ? AND sha256 = ?", [mark.run_id, mark.replaces]
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        "INSERT INTO db.ingested_files VALUES (?, ?, ?, ?, ?, ?, ?)",
        [mark.source, mark.run_id, mark.byte_offset, mark.fingerprint, mark.lines, mark.bad_lines, now],
    )


def next_piece(file: BinaryIO, offset: int) -> tuple[bytes, bool]:
    """Complete lines from an offset, about `CHUNK_BYTES` of them, and whether more may follow."""
    file.seek(offset)
    data = file.read(CHUNK_BYTES)
    at_end = len(data) < CHUNK_BYTES
    while not at_end and b"\n" not in data:  # one line longer than the chunk
        piece = file.read(CHUNK_BYTES)
        data += piece
        at_end = len(piece) < CHUNK_BYTES
    return whole_lines(data, at_end=at_end), not at_end
