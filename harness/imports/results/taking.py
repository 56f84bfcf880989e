"""A result file into the store as one run, priced here, with the tool's own aggregates beside it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from harness.errors import ConfigError
from harness.imports.identity import imported_run_id
from harness.imports.outcome_import import ENVIRONMENT
from harness.imports.quarantining import SetAside
from harness.imports.results.discovery import ResultFormat, format_of
from harness.imports.results.observed import Contents, Observed, Unreadable
from harness.imports.results.request import imported_request
from harness.imports.results.source import ResultFile
from harness.pricing import PriceBook
from harness.records import ImportConfig, ImportSummary, Request, RequestStatus, Run, RunEnd, RunStatus
from harness.records.told_by_tool import ToldByTool
from harness.store.fold.imports import import_run, is_imported
from harness.version import __version__

_LOOKED_AHEAD = 1000
"""Rows whose earliest start stands for the run's, where the file does not say when it began."""


@dataclass(slots=True, kw_only=True)
class ResultReport:
    """What an import did.

    Attributes:
        run_id: the run that the file is.
        format: by name.
        files: all that the run is made of.
        requests: rows taken, of which `failed` are no answers.
        bad_rows: kept in `quarantine` with their place and reason.
        unpriced: rows of unknown cost by model, never counted as free.
        untimed: answers without a latency. ungraded: answers without a score.
        from_cache: answers out of the tool's own cache.
        told: the tool's own figures.
        known: the same file was imported before; nothing was added.
    """

    run_id: str
    format: str
    files: tuple[str, ...]
    tool: str = ""
    requests: int = 0
    failed: int = 0
    bad_rows: int = 0
    untimed: int = 0
    ungraded: int = 0
    from_cache: int = 0
    unpriced: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    told: ToldByTool | None = None
    known: bool = False


def import_result(
    store_dir: Path,
    path: Path,
    book: PriceBook,
    *,
    at: datetime,
    format_name: str | None = None,
    name: str | None = None,
    provider: str | None = None,
) -> ResultReport:
    """Take a result file in as one run; the same file is never taken twice.

    Args:
        store_dir: the store's folder; made when missing.
        path: the file; others of the same run are found beside it.
        book: prices.
        at: whose prices count, and when the run was, where the file does not say; aware.
        format_name: the format; None lets the file tell.
        name: of the run; None makes one of the format's and the file's.
        provider: of requests that name none.

    Raises:
        UsageError: there is no such format.
        ConfigError: the file is in none, is broken, or holds neither a request nor a figure.
        StoreError: the store cannot be written.
    """
    source = ResultFile(path)
    chosen = format_of(source, name=format_name)
    found = chosen.contents(source)
    files = sorted([path, *source.companions], key=lambda file: file.name)
    run_id = imported_run_id([source.basis], (chosen.name, provider))
    report = ResultReport(
        run_id=run_id, format=chosen.name, files=tuple(file.name for file in files), tool=found.tool
    )
    if is_imported(store_dir, run_id):
        report.known = True
        return report
    taking = _Taking(report, found, path, book=book, at=at, provider=provider)
    run = Run(
        run_id=run_id,
        kind=found.kind,
        name=name or f"{chosen.name}-{path.name.partition('.')[0]}",
        started_at=taking.started_at,
        status=RunStatus.INTERRUPTED,  # until its end is there
        environment=ENVIRONMENT,
        target=found.target,
        harness_version=__version__,
        config=ImportConfig(imported=_imported(chosen, report, found, provider)).as_json(),
    )
    import_run(store_dir, run, taking.requests(), taking.end(), taking.aside.rows)
    return report


def _imported(
    chosen: ResultFormat, report: ResultReport, found: Contents, provider: str | None
) -> dict[str, object]:
    return {
        "format": chosen.name,
        "tool": found.tool,
        "files": report.files,
        "latency_begins": found.begins,
        "provider": provider,
    }


class _Taking:
    """One pass over the rows, counting as it goes."""

    def __init__(
        self,
        report: ResultReport,
        found: Contents,
        path: Path,
        *,
        book: PriceBook,
        at: datetime,
        provider: str | None,
    ) -> None:
        self.aside = SetAside(str(path), "result row")
        report.problems = self.aside.problems
        self._report = report
        self._found = found
        self._path = path
        self._book = book
        self._provider = provider
        self._rows = iter(found.rows)
        self._ahead = list(self._first_rows())
        self._refuse_nothing()
        starts = [row.started_at for row in self._ahead if row.started_at is not None]
        self.started_at = found.started_at or min(starts, default=at)
        self._last = self.started_at

    def requests(self) -> Iterator[Request]:
        for row in chain(self._ahead, self._good_rows()):
            request, unpriced_as = imported_request(
                row, self._report.run_id, self._book, provider=self._provider, at=self.started_at
            )
            self._count(row, request)
            if unpriced_as is not None:
                self._report.unpriced[unpriced_as] += 1
            yield request

    def end(self) -> Iterator[RunEnd]:
        report, found = self._report, self._found
        report.told = ToldByTool(tool=found.tool, figures=tuple(found.figures), remarks=tuple(found.remarks))
        yield RunEnd(
            run_id=report.run_id,
            ended_at=found.ended_at or self._last,
            status=found.status,
            summary=ImportSummary(
                rows=report.requests,
                bad_rows=report.bad_rows,
                unpriced=dict(report.unpriced),
                unfinished=found.unfinished,
                told=report.told.payload(),
            ).as_json(),
        )

    def _first_rows(self) -> Iterator[Observed]:
        for place, row in enumerate(self._good_rows(), start=1):
            yield row
            if place == _LOOKED_AHEAD:
                return

    def _good_rows(self) -> Iterator[Observed]:
        for row in self._rows:
            if isinstance(row, Unreadable):
                self._report.bad_rows += 1
                self.aside.add(row.number, row.problem, row.text)
            else:
                yield row

    def _refuse_nothing(self) -> None:
        """A file of neither a request nor a figure is broken, or not what it looks like."""
        if self._ahead or (self._found.rows == () and self._found.figures):
            return
        why = (
            f": of {self._report.bad_rows} rows, {'; '.join(self.aside.problems)}"
            if self.aside.problems
            else ""
        )
        raise ConfigError(str(self._path), f"is of {self._found.tool}, but holds no request{why}")

    def _count(self, row: Observed, request: Request) -> None:
        report = self._report
        answered = request.status is RequestStatus.OK
        report.requests += 1
        report.failed += not answered
        report.untimed += answered and request.latency_ms is None
        report.ungraded += answered and request.quality_score is None
        report.from_cache += row.from_cache
        if request.started_at is not None:
            taken = timedelta(milliseconds=request.service_ms or request.latency_ms or 0.0)
            self._last = max(self._last, request.started_at + taken)
