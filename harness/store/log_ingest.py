"""`harness ingest FILE`: events from a log that any service wrote, each taken once.

How far a log is taken is remembered by a fingerprint of the taken part, in the same transaction as its rows:
a log that grew, moved or was copied goes on where it stopped, a rotated one begins anew.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import duckdb

from harness.errors import UsageError
from harness.records import Event, Run, RunEnd, RunKind, RunStatus, new_id
from harness.store.database.locks import writing
from harness.store.database.migrate import database_error, make_current
from harness.store.database.workbench import open_workbench
from harness.store.fold.fold import fold_stage
from harness.store.fold.ingestion import write_folded
from harness.store.fold.stage import Quarantined, Stage
from harness.store.log_file import UNNAMED_PREFIX, LogLine, fingerprint, log_lines, whole_lines
from harness.store.log_text import plain_text
from harness.store.paths import StorePaths
from harness.store.spool.codec import Record, encode_json, json_object
from harness.store.spool.redact import Redactor
from harness.store.spool.writer import store_error
from harness.version import __version__

CHUNK_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class LogReport:
    """What one pass over a log did.

    Attributes:
        run_id: the run that the log's requests stand in, or the one they were joined to.
        lines: lines read now, blank ones not counted: `events + bad_lines + skipped + known`.
        events: good events among them.
        bad_lines: lines that cannot be read as events; kept in `quarantine` with their line numbers.
        skipped: lines about something else than requests; not kept.
        known: events that the store has already, from another log or from the service itself.
        joined: events that filled a request recorded by somebody else.
        unmatched: with a run to join, events about requests that it does not have; left out.
        resumed_at: byte offset where this pass began; 0 for a log not seen before.
    """

    run_id: str
    lines: int = 0
    events: int = 0
    bad_lines: int = 0
    skipped: int = 0
    known: int = 0
    joined: int = 0
    unmatched: int = 0
    resumed_at: int = 0


def ingest_events(
    store_dir: Path,
    source: Path,
    *,
    join_run: str | None = None,
    environment: str | None = None,
    opened: Path | None = None,
    redactor: Redactor | None = None,
) -> LogReport:
    """Take the events of a log file that are not in the store yet.

    Events about requests of a recorded run fill that run's rows. The others become requests of one run of
    kind `ingest` a log; with `join_run`, they are left out.

    Args:
        store_dir: the store's folder; made when missing.
        source: the log, one JSON object a line.
        join_run: id of the run whose requests are to be filled, and no others.
        environment: of events that do not tell theirs.
        opened: where the log can be read when it is no longer at `source` (rotated away).
        redactor: masks secrets; None takes this process's variables.

    Raises:
        UsageError: the file cannot be read, or there is no such run.
        StoreError: the store cannot be written; nothing is half-taken.
    """
    paths = StorePaths(Path(store_dir))
    try:
        paths.spool_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_error(paths.root, error) from error
    mask = Redactor.from_environment() if redactor is None else redactor
    with plain_text(opened or Path(source), Path(source)) as plain:
        reading = _Reading(paths, Path(source), plain, join_run, environment=environment, mask=mask)
        more = True
        while more:
            with writing(paths):
                make_current(paths)
                more = reading.take_chunk()
    return reading.report


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far a log was taken before, and what its row in `ingested_files` says."""

    offset: int = 0
    fingerprint: str | None = None
    lines: int = 0
    bad_lines: int = 0


class _Reading:
    """One pass over one log, chunk by chunk."""

    def __init__(
        self,
        paths: StorePaths,
        source: Path,
        opened: Path,
        join_run: str | None,
        *,
        environment: str | None,
        mask: Redactor,
    ) -> None:
        self.report = LogReport(run_id=join_run or "")
        self._paths = paths
        self._source = source
        self._opened = opened
        self._environment = environment
        self._lines_before: tuple[int, int] = (0, 0)
        self._joining = join_run is not None
        self._mask = mask

    def take_chunk(self) -> bool:
        """Take the next piece in one transaction; True when there may be more."""
        connection = open_workbench(self._paths, read_only=False)
        try:
            return self._take_chunk(connection)
        except duckdb.Error as error:
            raise database_error(self._paths.database, error) from error
        except OSError as error:
            raise UsageError(f"{self._source}: cannot be read ({error.strerror})") from error
        finally:
            connection.close()

    def _take_chunk(self, connection: duckdb.DuckDBPyConnection) -> bool:
        runs = {run_id for (run_id,) in connection.execute("SELECT run_id FROM db.runs").fetchall()}
        if self._joining and self.report.run_id not in runs:
            raise UsageError(f"there is no run '{self.report.run_id}' to join the events to")
        with self._opened.open("rb") as file:
            mark = self._mark(connection, file)
            data, more = _next_piece(file, mark.offset)
            after = fingerprint(file, mark.offset + len(data))
        if not data:
            return False
        lines = list(log_lines(data, mark.offset, environment=self._environment))
        self._number_bad_lines(lines, data, mark.offset)
        stage = self._stage(connection, lines, runs, begin=mark.fingerprint is None)
        fold_stage(connection, stage)
        self._commit(connection, lines, mark, _Mark(mark.offset + len(data), after))
        return more

    def _mark(self, connection: duckdb.DuckDBPyConnection, file: BinaryIO) -> _Mark:
        """Find the longest part of this file that was taken before, for the same purpose."""
        rows = connection.execute(
            """SELECT i.run_id, byte_offset, sha256, lines, bad_lines FROM db.ingested_files i
            LEFT JOIN db.runs r USING (run_id)
            WHERE CASE WHEN ? THEN i.run_id = ? ELSE r.kind = 'ingest' END ORDER BY byte_offset DESC""",
            [self._joining, self.report.run_id],
        ).fetchall()
        size = self._opened.stat().st_size
        for run_id, offset, known, lines, bad_lines in rows:
            if offset <= size and fingerprint(file, offset) == known:
                self.report.run_id = run_id
                if self.report.lines == 0:
                    self.report.resumed_at = offset
                return _Mark(offset, known, lines, bad_lines)
        return _Mark()

    def _stage(
        self, connection: duckdb.DuckDBPyConnection, lines: list[LogLine], runs: set[str], *, begin: bool
    ) -> Stage:
        stage = Stage()
        wanted = self._wanted(connection, lines) if self._joining else None
        known = self._known(connection, lines)
        if begin and not self._joining:
            self.report.run_id = new_id("ingest")
        if not self._joining:
            self._stage_run(stage, begin=begin)
        for line in lines:
            if line.problem is not None:
                stage.quarantine.append(self._bad(line))
            elif line.event is None:
                self.report.skipped += 1
            elif (key := _key(line.event)) in known:
                self.report.known += 1
            elif wanted is None:
                known.add(key)
                run_id = line.event.run_id if line.event.run_id in runs else None
                self._add(stage, "event", replace(line.event, run_id=run_id), line.offset)
            elif line.event.request_id in wanted:
                known.add(key)
                self._add(stage, "event", replace(line.event, run_id=self.report.run_id), line.offset)
            else:
                self.report.unmatched += 1
        return stage

    def _wanted(self, connection: duckdb.DuckDBPyConnection, lines: list[LogLine]) -> set[str]:
        """The run's request ids among the lines' own."""
        told = [line.event.request_id for line in lines if line.event is not None and line.event.request_id]
        rows = connection.execute(
            """SELECT request_id FROM db.requests
            WHERE run_id = ? AND request_id IN (SELECT unnest(?::VARCHAR[]))""",
            [self.report.run_id, told],
        ).fetchall()
        return {request_id for (request_id,) in rows}

    def _known(
        self, connection: duckdb.DuckDBPyConnection, lines: list[LogLine]
    ) -> set[tuple[str, str | None, datetime | None]]:
        """Which of the lines' events the store has: of the run to be joined, or of any."""
        told = [line.event.request_id for line in lines if line.event is not None]
        rows = connection.execute(
            """SELECT name, request_id, ts FROM db.events
            WHERE request_id IN (SELECT unnest(?::VARCHAR[])) AND (? OR run_id = ?)""",
            [told, not self._joining, self.report.run_id],
        ).fetchall()
        found = {(name, request_id, ts.replace(tzinfo=UTC)) for name, request_id, ts in rows if ts}
        # Requests without an id are called by their place: in another log, that is another request.
        return {key for key in found if not key[1].startswith(UNNAMED_PREFIX)}

    def _number_bad_lines(self, lines: list[LogLine], data: bytes, base: int) -> None:
        """Say in each problem which line of the file it is; counted only where there is one."""
        bad = [index for index, line in enumerate(lines) if line.problem is not None]
        if not bad:
            return
        number, at = 1 + self._newlines_up_to(base), 0
        for index in bad:
            end = lines[index].offset - base
            number += data.count(b"\n", at, end)
            at = end
            lines[index] = replace(lines[index], problem=f"line {number}: {lines[index].problem}")

    def _newlines_up_to(self, offset: int) -> int:
        counted, newlines = self._lines_before
        with self._opened.open("rb") as file:
            file.seek(counted)
            while counted < offset and (piece := file.read(min(CHUNK_BYTES, offset - counted))):
                counted += len(piece)
                newlines += piece.count(b"\n")
        self._lines_before = (counted, newlines)
        return newlines

    def _stage_run(self, stage: Stage, *, begin: bool) -> None:
        now = datetime.now(UTC)
        if begin:
            run = Run(
                run_id=self.report.run_id,
                kind=RunKind.INGEST,
                name=self._source.name,
                started_at=now,
                target=str(self._source),
                harness_version=__version__,
            )
            self._add(stage, "run", run, 0)
        end = RunEnd(run_id=self.report.run_id, ended_at=now, status=RunStatus.COMPLETED)
        self._add(stage, "run_end", end, 0)

    def _add(self, stage: Stage, type_name: str, record: Record, offset: int) -> None:
        add_record(stage, type_name, record, mask=self._mask, spool_id=self.report.run_id, offset=offset)

    def _bad(self, line: LogLine) -> Quarantined:
        return Quarantined(
            source=str(self._source),
            byte_offset=line.offset,
            type_name="log line",
            problem=line.problem or "",
            body=self._mask.text(line.text),
        )

    def _commit(
        self, connection: duckdb.DuckDBPyConnection, lines: list[LogLine], before: _Mark, after: _Mark
    ) -> None:
        ((bad,),) = connection.execute("SELECT count(*) FROM fresh.quarantine").fetchall()
        ((joined,),) = connection.execute(
            "SELECT count(*) FROM work.matches WHERE origin IN ('loose', 'tied')"
        ).fetchall()
        now = datetime.now(UTC).replace(tzinfo=None)
        values = (before.lines + len(lines), before.bad_lines + bad, now)
        connection.execute("BEGIN")
        write_folded(connection)
        connection.execute(
            "DELETE FROM db.ingested_files WHERE run_id = ? AND sha256 = ?",
            [self.report.run_id, before.fingerprint],
        )
        connection.execute(
            "INSERT INTO db.ingested_files VALUES (?, ?, ?, ?, ?, ?, ?)",
            [str(self._source.resolve()), self.report.run_id, after.offset, after.fingerprint, *values],
        )
        connection.execute("COMMIT")
        self.report.lines += len(lines)
        self.report.bad_lines += bad
        report = self.report
        report.events = report.lines - report.bad_lines - report.skipped - report.known
        self.report.joined += joined


def add_record(
    stage: Stage, type_name: str, record: Record, *, mask: Redactor, spool_id: str, offset: int
) -> None:
    """Stage a record that comes from a file rather than a spool, its secrets masked."""
    row = json_object(record)
    encoded = encode_json(row)
    masked = mask.row(type_name, row, encoded)
    body = encoded if masked is None else encode_json(masked)
    stage.add_body(type_name, body, spool_id=spool_id, offset=offset)


def _key(event: Event) -> tuple[str, str | None, datetime | None]:
    """What makes two lines the same event; the store keeps microseconds."""
    return event.name, event.request_id, event.ts


def _next_piece(file: BinaryIO, offset: int) -> tuple[bytes, bool]:
    """Complete lines from an offset, about `CHUNK_BYTES` of them, and whether more may follow."""
    file.seek(offset)
    data = file.read(CHUNK_BYTES)
    at_end = len(data) < CHUNK_BYTES
    while not at_end and b"\n" not in data:  # one line longer than the chunk
        piece = file.read(CHUNK_BYTES)
        data += piece
        at_end = len(piece) < CHUNK_BYTES
    return whole_lines(data, at_end=at_end), not at_end
