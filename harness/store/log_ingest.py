"""`harness ingest FILE`: events from a log that any service wrote, each taken once.

How far a log is taken is remembered by a fingerprint of the taken part, in the same transaction as its rows:
a log that grew, moved or was copied goes on where it stopped, a rotated one begins anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from harness.analysis.matching import matched_by_time
from harness.errors import UsageError
from harness.records import Event, Run, RunEnd, RunKind, RunStatus, new_id
from harness.store.database.locks import writing
from harness.store.database.migrate import database_error, make_current
from harness.store.database.workbench import open_workbench
from harness.store.fold.fold import fold_stage
from harness.store.fold.ingestion import write_folded
from harness.store.fold.stage import Quarantined, Stage
from harness.store.log_access import told_by_access
from harness.store.log_events import OPEN_ENDS, unreadable_values
from harness.store.log_file import UNNAMED_PREFIX, LogLine, fingerprint, log_lines
from harness.store.log_text import plain_text
from harness.store.marks import CHUNK_BYTES, Mark, find_mark, next_piece, set_mark
from harness.store.paths import StorePaths
from harness.store.spool.codec import Record, encode_json, json_object
from harness.store.spool.redact import Redactor
from harness.store.spool.writer import store_error
from harness.version import __version__


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
        unreadable: column -> values of it that could not be read; they are unknown.
        access_failures: failed requests that only the log's access lines tell of; among `events`.
        ambiguous: events that more than one request could be by their time; left out.
        join_error_ms: the middle and the largest distance of a join by time.
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
    unreadable: dict[str, int] = field(default_factory=dict)
    access_failures: int = 0
    ambiguous: int = 0
    join_error_ms: tuple[float, float] | None = None


def ingest_events(
    store_dir: Path,
    source: Path,
    *,
    join_run: str | None = None,
    environment: str | None = None,
    opened: Path | None = None,
    redactor: Redactor | None = None,
    window_ms: tuple[float, float] | None = None,
    priced: Callable[[Event], Event] | None = None,
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
        window_ms: with a run to join: how long after a request's end an event without its id may have been
            written, least and most; None joins by id alone.
        priced: gives an event whose cost is not told the cost of its tokens.

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
        reading = _Reading(
            paths,
            Path(source),
            plain,
            join_run,
            environment=environment,
            mask=mask,
            window_ms=window_ms,
            priced=priced,
        )
        more = True
        while more:
            with writing(paths):
                make_current(paths)
                more = reading.take_chunk()
    return reading.report


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
        window_ms: tuple[float, float] | None,
        priced: Callable[[Event], Event] | None,
    ) -> None:
        self.report = LogReport(run_id=join_run or "")
        self._paths = paths
        self._source = source
        self._opened = opened
        self._environment = environment
        self._lines_before: tuple[int, int] = (0, 0)
        self._joining = join_run is not None
        self._mask = mask
        self._window_ms = window_ms if self._joining else None
        self._priced = priced

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
        mark = self._mark(connection)
        with self._opened.open("rb") as file:
            data, more = next_piece(file, mark.byte_offset)
            end = mark.byte_offset + len(data)
            after = replace(mark, byte_offset=end, fingerprint=fingerprint(file, end))
        if not data:
            return False
        lines = self._completed(list(log_lines(data, mark.byte_offset, environment=self._environment)))
        lines = self._joined_by_time(connection, lines)
        self._number_bad_lines(lines, data, mark.byte_offset)
        stage = self._stage(connection, lines, runs, begin=mark.fingerprint is None)
        fold_stage(connection, stage)
        self._commit(connection, lines, after, mark.fingerprint)
        return more

    def _mark(self, connection: duckdb.DuckDBPyConnection) -> Mark:
        mark = find_mark(connection, self._opened, self.report.run_id if self._joining else None)
        if mark.fingerprint is not None:
            self.report.run_id = mark.run_id
            if self.report.lines == 0:
                self.report.resumed_at = mark.byte_offset
        return mark

    def _stage(
        self, connection: duckdb.DuckDBPyConnection, lines: list[LogLine], runs: set[str], *, begin: bool
    ) -> Stage:
        stage = Stage()
        self._look_over(lines)
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

    def _look_over(self, lines: list[LogLine]) -> None:
        """Count the values that no column can take, and price what is not priced."""
        for place, line in enumerate(lines):
            if line.event is None:
                continue
            for name in unreadable_values(line.event.payload):
                self.report.unreadable[name] = self.report.unreadable.get(name, 0) + 1
            if self._priced is not None:
                lines[place] = replace(line, event=self._priced(line.event))

    def _completed(self, lines: list[LogLine]) -> list[LogLine]:
        """The lines with what access lines add, and a failed event for each failure that those alone tell."""
        about = [place for place, line in enumerate(lines) if line.access is not None]
        if not about:
            return lines
        events = [place for place, line in enumerate(lines) if line.event is not None]
        told = told_by_access(
            [line.event for place in events if (line := lines[place]).event is not None],
            [_is_unnamed(lines[place]) for place in events],
            [line.access for place in about if (line := lines[place]).access is not None],
            self._environment,
        )
        for place, event in told.filled.items():
            lines[events[place]] = replace(lines[events[place]], event=event)
        for place, event in told.failures.items():
            own = lines[about[place]]
            named = event.request_id or f"{UNNAMED_PREFIX}{own.offset}"
            lines[about[place]] = replace(own, event=replace(event, request_id=named))
        self.report.access_failures += len(told.failures)
        return lines

    def _joined_by_time(self, connection: duckdb.DuckDBPyConnection, lines: list[LogLine]) -> list[LogLine]:
        """The events without an id as those of the run's requests that alone ended at their time."""
        if self._window_ms is None:
            return lines
        loose = [place for place, line in enumerate(lines) if _is_unnamed(line)]
        there = connection.execute(OPEN_ENDS, [self.report.run_id]).fetchall()
        named = {line.event.request_id for line in lines if line.event is not None}
        free = [(request_id, end) for request_id, end in there if request_id not in named]
        found = matched_by_time(
            [_moment_ns(lines[place]) for place in loose], [end for _, end in free], self._window_ms
        )
        for moment, end in found.pairs.tolist():
            line = lines[loose[moment]]
            if line.event is not None:
                lines[loose[moment]] = replace(line, event=replace(line.event, request_id=free[end][0]))
        self.report.ambiguous += found.ambiguous
        self.report.join_error_ms = found.error_ms() or self.report.join_error_ms
        return lines

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
        self, connection: duckdb.DuckDBPyConnection, lines: list[LogLine], mark: Mark, before: str | None
    ) -> None:
        ((bad,),) = connection.execute("SELECT count(*) FROM fresh.quarantine").fetchall()
        ((joined,),) = connection.execute(
            "SELECT count(*) FROM work.matches WHERE origin IN ('loose', 'tied')"
        ).fetchall()
        connection.execute("BEGIN")
        write_folded(connection)
        set_mark(
            connection,
            replace(
                mark,
                source=str(self._source.resolve()),
                run_id=self.report.run_id,
                lines=mark.lines + len(lines),
                bad_lines=mark.bad_lines + bad,
                replaces=before,
            ),
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


def _is_unnamed(line: LogLine) -> bool:
    return line.event is not None and (line.event.request_id or "").startswith(UNNAMED_PREFIX)


def _moment_ns(line: LogLine) -> int:
    moment = line.event.ts if line.event is not None else None
    return 0 if moment is None else round(moment.timestamp() * 1e6) * 1000


def _key(event: Event) -> tuple[str, str | None, datetime | None]:
    """What makes two lines the same event; the store keeps microseconds."""
    return event.name, event.request_id, event.ts
