"""A file of other tools' telemetry into the store: read, grouped, priced, and written, each row once.

Reading holds no lock. Each bucket of traces is one transaction, and what an interrupted pass had written is
known by its ids: the same file again adds what is missing and doubles nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from harness.imports.costing import price_calls
from harness.imports.formats import Reader
from harness.imports.grouping import group
from harness.imports.joining import Joining
from harness.imports.observed import Batch, JsonObject, Scored
from harness.imports.rows import CALL_ROWS, COMPARED, Compared, add_stored, make_requests
from harness.imports.sources import Line, is_table, pieces, table_lines
from harness.imports.spill import Spill
from harness.pricing import PriceBook
from harness.records import Run, RunKind, new_id
from harness.store import Redactor
from harness.store.fold.direct import direct, write_rows
from harness.store.fold.stage import Quarantined
from harness.store.log_file import fingerprint
from harness.store.log_text import plain_text
from harness.store.marks import Mark, find_mark
from harness.version import __version__

_BYTES_A_ROW = 600
"""About what an observation takes in a file; decides how many buckets a file is cut into."""
_MOST_KEPT = 10_000
"""Bad lines kept in quarantine by one pass; the others are counted."""


@dataclass(slots=True, kw_only=True)
class FormatReport:
    """What one pass over a file of telemetry did.

    Attributes:
        format: the reader's name.
        run_id: the run that its requests stand in, or the one they were joined to.
        lines: read now, blank ones not counted: `events + bad_lines + skipped`.
        events: lines that said something about requests.
        bad_lines: that cannot be read; the first ten thousand are kept in `quarantine`.
        skipped: lines about something else.
        known: requests that the store had already, completed by what is new about them.
        observations: spans, generations, payloads, rows.
        requests: made now. calls: likewise; grades: likewise.
        unpriced: of the new requests, those of unknown cost.
        unreadable: column -> values of it that could not be read; they are unknown.
        compared: told costs beside ours.
        joined: requests of the other run that were filled.
        unmatched: requests that it does not have; left out.
        ambiguous: requests that more than one could be; left out.
        join_error_ms: the middle and the largest distance of a join by time.
        resumed_at: byte offset where this pass began.
    """

    format: str
    run_id: str = ""
    lines: int = 0
    events: int = 0
    bad_lines: int = 0
    skipped: int = 0
    known: int = 0
    observations: int = 0
    requests: int = 0
    calls: int = 0
    grades: int = 0
    unpriced: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    compared: Compared = field(default_factory=Compared)
    joined: int = 0
    unmatched: int = 0
    ambiguous: int = 0
    join_error_ms: tuple[float, float] | None = None
    resumed_at: int = 0


def take_format(
    store_dir: Path,
    source: Path,
    reader: Reader,
    book: PriceBook,
    *,
    opened: Path | None = None,
    environment: str | None = None,
    joining: Joining | None = None,
    redactor: Redactor | None = None,
) -> FormatReport:
    """Take a file's observations that are not in the store yet.

    Args:
        store_dir: the store's folder; made when missing.
        source: the file.
        reader: of its format.
        book: prices calls whose cost is not told.
        opened: where the file can be read when it is no longer at `source`.
        environment: of requests that do not tell theirs.
        joining: the run that is filled, and how; None makes requests of a run of the file's own.
        redactor: masks secrets; None takes this process's variables.

    Raises:
        UsageError: the file cannot be read.
        StoreError: the store cannot be written; what was written stays, and the same file may be given again.
    """
    mask = Redactor.from_environment() if redactor is None else redactor
    taking = _Taking(store_dir, source, reader, book, joining=joining, mask=mask)
    with _plain(opened or source, source) as plain:
        taking.begin(plain)
        size = plain.stat().st_size - taking.mark.byte_offset
        with Spill(max(0, size) // _BYTES_A_ROW, mask) as spill:
            taking.read(plain, spill, environment)
            taking.write(spill)
    return taking.report


@contextmanager
def _plain(opened: Path, source: Path) -> Iterator[Path]:
    if is_table(source):
        yield opened
        return
    with plain_text(opened, source) as plain:
        yield plain


class _Taking:
    """One pass over one file."""

    def __init__(
        self,
        store_dir: Path,
        source: Path,
        reader: Reader,
        book: PriceBook,
        *,
        joining: Joining | None,
        mask: Redactor,
    ) -> None:
        self.report = FormatReport(format=reader.NAME)
        self.mark = Mark()
        self._store_dir = store_dir
        self._source = source
        self._reader = reader
        self._book = book
        self._joining = joining
        self._mask = mask
        self._scored: list[Scored] = []
        self._bad: list[Quarantined] = []
        self._is_new = False

    def begin(self, plain: Path) -> None:
        """Find how far the file was taken, and the run that it goes on with."""
        own = None if self._joining is None else self._joining.run_id
        with direct(self._store_dir) as connection:
            self.mark = find_mark(connection, plain, own, holding=True)
            begun = connection.execute(
                """SELECT run_id FROM db.runs WHERE kind = 'ingest' AND ended_at IS NULL AND target = ?
                ORDER BY started_at DESC LIMIT 1""",
                [str(self._source)],
            ).fetchall()
        self.report.resumed_at = self.mark.byte_offset
        interrupted = begun[0][0] if begun else ""
        self._is_new = not (own or self.mark.run_id or interrupted)
        self.report.run_id = own or self.mark.run_id or interrupted or new_id("ingest")

    def read(self, plain: Path, spill: Spill, environment: str | None) -> None:
        """Take the lines in, and know how far."""
        begin = self.mark.byte_offset
        end = begin
        if is_table(self._source):
            end = plain.stat().st_size
            if end > begin:
                self._take(table_lines(self._source), spill, environment)
        else:
            for lines, end in pieces(plain, begin):  # noqa: B007 - the last one counts
                self._take(lines, spill, environment)
        with plain.open("rb") as file:
            after = fingerprint(file, end)
        self.mark = replace(
            self.mark,
            source=str(self._source.resolve()),
            run_id=self.report.run_id,
            byte_offset=end,
            fingerprint=after,
            lines=self.mark.lines + self.report.lines,
            bad_lines=self.mark.bad_lines + self.report.bad_lines,
            replaces=self.mark.fingerprint,
        )

    def _take(self, lines: Iterator[Line] | list[Line], spill: Spill, environment: str | None) -> None:
        batch = Batch()
        for line in lines:
            self.report.lines += 1
            before = len(batch.observed) + len(batch.scored)
            problem = line.problem or self._values(line.values, batch, environment)
            if len(batch.observed) + len(batch.scored) > before:
                self.report.events += 1
            elif problem is None:
                self.report.skipped += 1
            else:
                self._set_aside(line, problem)
            if len(batch.observed) >= 20_000:
                self._flush(batch, spill)
        self._flush(batch, spill)

    def _values(self, values: Sequence[JsonObject], batch: Batch, environment: str | None) -> str | None:
        problem = None
        for value in values:
            try:
                problem = self._reader.read(value, batch, environment) or problem
            except RecursionError:
                problem = "nested too deeply"
        return problem

    def _flush(self, batch: Batch, spill: Spill) -> None:
        spill.add(batch.observed)
        self.report.observations += len(batch.observed)
        self._scored += batch.scored
        for column, count in batch.unreadable.items():
            self.report.unreadable[column] = self.report.unreadable.get(column, 0) + count
        batch.observed, batch.scored, batch.unreadable = [], [], {}

    def _set_aside(self, line: Line, problem: str) -> None:
        self.report.bad_lines += 1
        if len(self._bad) < _MOST_KEPT:
            where = f"line {line.number}: " if line.number is not None else ""
            text = line.text or str(line.values[:1])[:1000]
            self._bad.append(
                Quarantined(
                    source=str(self._source),
                    byte_offset=line.offset,
                    type_name="log line",
                    problem=f"{where}{problem}",
                    body=self._mask.text(text).encode("utf-8", "replace").decode(),
                )
            )

    def write(self, spill: Spill) -> None:
        """Group, price and write bucket by bucket; the last transaction says how far the file is taken."""
        for seen in spill.buckets():
            with direct(self._store_dir) as connection:
                self._write_bucket(connection, seen)
        if not (self.report.lines or self._scored):
            return
        with direct(self._store_dir) as connection:
            rows = self._grades(connection)
            ended = None if self._joining is not None else self.report.run_id
            nothing = not (
                self.report.requests or self.report.known or self.report.joined or self.report.grades
            )
            write_rows(
                connection,
                rows,
                run=None,
                ended_run=ended,
                quarantine=self._bad,
                mark=None if nothing else self.mark,
            )

    def _write_bucket(self, connection: duckdb.DuckDBPyConnection, seen: pa.Table) -> None:
        connection.execute("CREATE SCHEMA work")
        connection.register("incoming", seen)
        connection.execute("CREATE TABLE work.incoming AS FROM incoming")
        connection.unregister("incoming")
        add_stored(connection, "work.incoming")
        group(connection, "work.incoming")
        price_calls(connection, self._book)
        make_requests(connection)
        if self._joining is not None:
            self._joining.place(connection)
        else:
            connection.execute(_PLACED, [self.report.run_id])
        connection.execute(CALL_ROWS)
        connection.execute(_REPLACED if self._joining is None else self._joining.filled())
        self._count(connection)
        run = None
        if self._joining is None:
            run = Run(
                run_id=self.report.run_id,
                kind=RunKind.INGEST,
                name=self._source.name,
                started_at=datetime.now(UTC),
                target=str(self._source),
                harness_version=__version__,
            )
        write_rows(
            connection,
            {"requests": "work.request_rows", "calls": "work.call_rows"},
            run=run,
            gone_requests="work.gone",
        )

    def _count(self, connection: duckdb.DuckDBPyConnection) -> None:
        report = self.report
        ((requests, gone, unpriced, calls),) = connection.execute("""SELECT
            (SELECT count(*) FROM work.request_rows), (SELECT count(*) FROM work.gone),
            (SELECT count(*) FROM work.request_rows WHERE cost_usd IS NULL),
            (SELECT count(*) FROM work.call_rows)""").fetchall()
        ((compared, apart, told, ours),) = connection.execute(COMPARED).fetchall()
        report.calls += calls
        report.unpriced += unpriced
        report.compared.calls += compared
        report.compared.apart += apart
        report.compared.told_usd += told
        report.compared.ours_usd += ours
        if self._joining is None:
            report.requests += requests - gone
            report.known += gone
        else:
            self._joining.count(connection, report)

    def _grades(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """The scores as grades of the requests they are about; those about none are counted."""
        if not self._scored:
            return {}
        names = ("trace", "grader", "score", "passed", "detail")
        columns = dict(zip(names, map(list, zip(*self._scored, strict=True)), strict=True))
        table = pa.table(columns, schema=_SCORES)
        connection.register("scored", table)
        connection.execute("CREATE SCHEMA work")
        connection.execute(
            """CREATE TABLE work.grade_rows AS
            SELECT r.run_id, r.request_id, s.grader, s.score, s.passed, s.detail::JSON AS detail
            FROM scored s JOIN db.requests r ON r.request_id = s.trace
            WHERE r.run_id = ? OR r.run_id IN (SELECT run_id FROM db.runs WHERE kind = 'ingest')
            QUALIFY row_number() OVER (PARTITION BY r.run_id, r.request_id, grader ORDER BY s.detail) = 1
            """,
            [self.report.run_id],
        )
        connection.execute("""DELETE FROM work.grade_rows g WHERE EXISTS (
            FROM db.grades d WHERE d.run_id = g.run_id AND d.request_id = g.request_id AND d.grader = g.grader
        )""")
        ((grades,),) = connection.execute("SELECT count(*) FROM work.grade_rows").fetchall()
        self.report.grades = grades
        return {"grades": "work.grade_rows"}


_SCORES = pa.schema(
    [
        ("trace", pa.string()),
        ("grader", pa.string()),
        ("score", pa.float64()),
        ("passed", pa.bool_()),
        ("detail", pa.string()),
    ]
)

_PLACED = """CREATE TABLE work.placed AS
SELECT r.trace, coalesce(k.run_id, ?) AS run_id, coalesce(k.request_id, r.request_id) AS request_id, k.rid
FROM work.requests r JOIN work.names n USING (trace) LEFT JOIN work.known k USING (trace)
WHERE n.about_models > 0 OR k.rid IS NOT NULL"""
"""Traces about no model are no requests of ours, unless the store has them."""

_REPLACED = """
CREATE TABLE work.request_rows AS
SELECT p.run_id, p.request_id, r.* EXCLUDE (trace, request_id, tags), CAST(r.tags AS JSON) AS tags
FROM work.requests r JOIN work.placed p USING (trace);
CREATE TABLE work.gone AS SELECT rid FROM work.placed WHERE rid IS NOT NULL"""
