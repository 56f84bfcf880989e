"""Recorded outcomes from elsewhere as a run of their own: priced here, of unknown provider mode.

A row becomes one request: its item is the case, its model the strategy. So the frontier, the comparison and
the what-if read it like an evaluation, and nothing takes it for a measurement of our own: the run's provider
mode is unknown and its environment is `imported`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from harness.errors import ConfigError
from harness.imports.identity import imported_run_id
from harness.imports.outcome_columns import UNKNOWN_PROVIDER, Outcome, chosen_columns, outcome
from harness.imports.outcome_table import TableRow, table_rows
from harness.imports.quarantining import SetAside
from harness.pricing import PriceBook
from harness.records import (
    ImportConfig,
    ImportSummary,
    LatencySource,
    Request,
    RequestStatus,
    Run,
    RunEnd,
    RunKind,
    RunStatus,
    ScoreBasis,
    Usage,
    tier_of,
)
from harness.store.fold.imports import import_run, is_imported
from harness.version import __version__

ENVIRONMENT = "imported"
_ROWS_LOOKED_AT = 1000


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        run_id: the run that the outcomes stand in.
        rows: of the table, blank ones not counted: `outcomes + bad_rows`.
        bad_rows: kept in `quarantine` with their line and reason.
        models: outcomes by `provider/model`.
        unpriced: outcomes of unknown cost by `provider/model`; never counted as free.
        ungraded: outcomes without a score. untimed: without a latency.
        columns: our column -> the table's.
        known: the same table was imported before; nothing was added.
    """

    run_id: str
    columns: Mapping[str, str]
    rows: int = 0
    outcomes: int = 0
    bad_rows: int = 0
    ungraded: int = 0
    untimed: int = 0
    models: Counter[str] = field(default_factory=Counter)
    unpriced: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    known: bool = False


def import_outcomes(
    store_dir: Path,
    table: Path,
    book: PriceBook,
    *,
    at: datetime,
    name: str | None = None,
    provider: str | None = None,
    columns: Sequence[str] = (),
) -> ImportReport:
    """Take a table's outcomes into the store as one run; the same table is never taken twice.

    Args:
        store_dir: the store's folder; made when missing.
        table: CSV, TSV, JSONL or Parquet with one row an item and model.
        book: prices.
        at: the moment whose prices count, aware.
        name: of the run; None makes one of the file's.
        provider: of rows that name none.
        columns: `ours=theirs`, where the names do not tell.

    Raises:
        ConfigError: the table cannot be read, or lacks a column.
        StoreError: the store cannot be written.
    """
    chosen = chosen_columns(_names(table), columns, str(table))
    run_id = imported_run_id([table], (sorted(chosen.items()), provider))
    report = ImportReport(run_id=run_id, columns=chosen)
    if is_imported(store_dir, run_id):
        report.known = True
        return report
    taking = _Taking(report, table, book, at, provider)
    run = Run(
        run_id=run_id,
        kind=RunKind.EVAL,
        name=name or f"import-{table.stem}",
        started_at=at,
        status=RunStatus.INTERRUPTED,  # until its end is there
        environment=ENVIRONMENT,
        harness_version=__version__,
        config=ImportConfig(
            imported={"table": table.name, "columns": chosen, "provider": provider}
        ).as_json(),
    )
    import_run(store_dir, run, taking.requests(), taking.end(), taking.aside.rows)
    return report


def _names(table: Path) -> list[str]:
    """The columns of the first rows; a JSON object may leave out what is unknown."""
    good = (row.fields for row in table_rows(table) if row.fields is not None)
    names = dict.fromkeys(name for fields in islice(good, _ROWS_LOOKED_AT) for name in fields)
    if not names:
        raise ConfigError(str(table), "holds no row that can be read")
    return list(names)


class _Taking:
    """One pass over the table, counting as it goes."""

    def __init__(
        self, report: ImportReport, table: Path, book: PriceBook, at: datetime, provider: str | None
    ) -> None:
        self.aside = SetAside(str(table), "table row")
        report.problems = self.aside.problems
        self._report = report
        self._table = table
        self._book = book
        self._at = at
        self._provider = provider
        self._seen: Counter[tuple[str, str]] = Counter()

    def requests(self) -> Iterator[Request]:
        for row in table_rows(self._table):
            self._report.rows += 1
            try:
                if row.fields is None:
                    raise ValueError(row.problem)  # noqa: TRY301 - one place sets bad rows aside
                found = outcome(row.fields, self._report.columns, self._provider)
            except ValueError as problem:
                self._refuse(row, str(problem))
                continue
            yield self._request(row.number, found)

    def end(self) -> Iterator[RunEnd]:
        report = self._report
        yield RunEnd(
            run_id=report.run_id,
            ended_at=self._at,
            status=RunStatus.COMPLETED,
            summary=ImportSummary(
                rows=report.rows,
                outcomes=report.outcomes,
                bad_rows=report.bad_rows,
                unpriced=dict(report.unpriced),
            ).as_json(),
        )

    def _refuse(self, row: TableRow, problem: str) -> None:
        self._report.bad_rows += 1
        self.aside.add(row.number, problem, row.text)

    def _request(self, number: int, found: Outcome) -> Request:
        strategy = found.model if found.provider == UNKNOWN_PROVIDER else f"{found.provider}/{found.model}"
        self._seen[found.item, strategy] += 1
        cost_usd = self._book.price(found.provider, found.model, _usage(found), at=self._at).cost_usd
        self._count(strategy, found, unpriced=cost_usd is None)
        return Request(
            run_id=self._report.run_id,
            request_id=f"{self._report.run_id}-{number}",
            status=RequestStatus.OK,
            seq=number,
            strategy=strategy,
            case_id=found.item,
            repeat=self._seen[found.item, strategy],
            started_at=self._at,
            latency_ms=found.latency_ms,
            latency_source=None if found.latency_ms is None else LatencySource.CLIENT,
            draft_source=found.provider,
            draft_model=found.model,
            draft_cost_usd=cost_usd,
            cost_usd=cost_usd,
            unpriced=cost_usd is None,
            quality_score=found.score,
            score_basis=None if found.score is None else ScoreBasis.LABELLED,
            quality_tier=tier_of(found.score),
            environment=ENVIRONMENT,
            draft_input_tokens=found.input_tokens,
            draft_cache_read_tokens=found.cache_read_tokens,
            draft_output_tokens=found.output_tokens,
        )

    def _count(self, strategy: str, found: Outcome, *, unpriced: bool) -> None:
        report = self._report
        report.outcomes += 1
        report.models[strategy] += 1
        report.unpriced[strategy] += unpriced
        report.ungraded += found.score is None
        report.untimed += found.latency_ms is None


def _usage(found: Outcome) -> Usage | None:
    """None where either count is unknown: then the cost is, too."""
    if found.input_tokens is None or found.output_tokens is None:
        return None
    return Usage(
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        cache_read_tokens=found.cache_read_tokens or 0,
    )
