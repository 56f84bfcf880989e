# ruff: noqa: S608 - constant SQL, values are bound
"""One run in figures: what the terminal table, the JSON, the Markdown and the HTML of a run all show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, no_estimate
from harness.figures.catalogue import all_figures
from harness.figures.declaration import Figure
from harness.figures.emptiness import empty_columns
from harness.figures.measure import measure_all
from harness.figures.saving import RouteSaving, route_saving
from harness.figures.selection import Rows, Selection
from harness.figures.sides import mode_of
from harness.figures.spending import Spending, spending
from harness.pricing import PriceBook
from harness.records import (
    EndSummary,
    ErrorKind,
    LatencySource,
    ProviderMode,
    RequestStatus,
    RunKind,
    RunStatus,
    Tier,
)
from harness.store import Snapshot
from harness.store.database.typed import StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHead:
    """Which run, and where it ran."""

    run_id: str
    name: str
    kind: RunKind
    status: RunStatus
    provider_mode: ProviderMode | None
    environment: str | None
    target: str | None
    started_at: datetime
    ended_at: datetime | None
    git_sha: str | None
    harness_version: str | None

    @property
    def mode_label(self) -> str:
        """live, emulated, fixtures, mixed or unknown."""
        return self.provider_mode.value if self.provider_mode is not None else "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroup:
    """Failed requests of one kind, with one redacted excerpt."""

    status: RequestStatus
    kind: ErrorKind | None
    http_status: int | None
    count: int
    example: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Every figure of one run. None is unknown; `empty_columns` says which columns are empty, and why.

    Attributes:
        run: which one.
        requests: all but warm-ups.
        clock: whose clock latencies stand on; None without requests.
        declared: the figures, in reading order.
        figures: their estimates by name.
        tiers: answers by tier, `ungraded` beside them.
        fallbacks: answers finished by the deterministic simple repair, by reason.
        errors: failed requests by kind, most frequent first.
        suspect: the generator may have been the slow one; None when nobody looked.
        telemetry_missing: answers whose telemetry did not come; `telemetry_broken`, could not be read.
    """

    run: RunHead
    requests: int
    ok: int
    warmups: int
    clock: LatencySource | None
    declared: tuple[Figure, ...]
    figures: Mapping[str, Estimate]
    tiers: Mapping[Tier, int]
    ungraded: int
    fallbacks: Mapping[str, int]
    spending: Spending
    saving: RouteSaving
    errors: tuple[ErrorGroup, ...]
    suspect: bool | None
    suspect_reasons: tuple[str, ...]
    telemetry_missing: int | None
    telemetry_broken: int | None
    empty_columns: tuple[tuple[str, str], ...]

    @property
    def measured(self) -> Iterator[tuple[Figure, Estimate]]:
        """Each figure with its estimate, in reading order."""
        return ((figure, self.figures[figure.name]) for figure in self.declared)


def run_summary(
    view: Snapshot,
    run: StoredRun,
    *,
    also: Sequence[Figure] = (),
    book: PriceBook | None = None,
    confidence: float = DEFAULT_CONFIDENCE,
) -> RunSummary:
    """Every figure of a run.

    Args:
        view: the store, or the records of a report file.
        run: one of it.
        also: figures beside the declared ones, such as goodput by its own objectives.
        book: prices for "what one provider alone would have cost"; None loads the shipped ones.
        confidence: of each interval by itself.
    """
    rows = Rows(view, Selection(run_ids=(run.run_id,)))
    declared = (*all_figures(), *also)
    found = measure_all(rows, declared, confidence=confidence)
    graded = _counts(rows, "quality_tier", "status = 'ok'")
    told = EndSummary.read(run.summary)
    return RunSummary(
        run=run_head(rows, run),
        requests=rows.n,
        ok=_ok(rows),
        warmups=_warmups(rows),
        clock=LatencySource(rows.clock) if rows.clock else None,
        declared=declared,
        figures={figure.name: found.get(figure.name, no_estimate("none")) for figure in declared},
        tiers={tier: graded.get(tier.value, 0) for tier in Tier},
        ungraded=graded.get(None, 0),
        fallbacks={
            reason: n for reason, n in _counts(rows, "fallback_reason", "TRUE").items() if reason is not None
        },
        spending=spending(rows),
        saving=route_saving(rows, book or PriceBook.load()),
        errors=error_groups(rows),
        suspect=told.suspect,
        suspect_reasons=tuple(told.suspect_reasons),
        telemetry_missing=told.telemetry_missing,
        telemetry_broken=told.telemetry_broken,
        empty_columns=empty_columns(rows, calls=_calls(rows)),
    )


def run_head(rows: Rows, run: StoredRun) -> RunHead:
    """A run's own row, with the mode that its answers tell."""
    return RunHead(
        run_id=run.run_id,
        name=run.name,
        kind=run.kind,
        status=run.status,
        provider_mode=mode_of(rows, run),
        environment=run.environment,
        target=run.target,
        started_at=run.started_at,
        ended_at=run.ended_at,
        git_sha=run.git_sha,
        harness_version=run.harness_version,
    )


def error_groups(rows: Rows) -> tuple[ErrorGroup, ...]:
    """Failed requests by status, kind and HTTP status, most frequent first, with one excerpt each."""
    found = rows.rows(
        """SELECT status, error_kind, http_status, count(*) AS n,
            arg_min(error_message, coalesce(seq, 0)) FILTER (error_message IS NOT NULL)
        FROM counted WHERE status <> 'ok' GROUP BY ALL
        ORDER BY n DESC, status, error_kind NULLS LAST, http_status NULLS LAST"""
    )
    return tuple(
        ErrorGroup(
            status=RequestStatus(status),
            kind=None if kind is None else ErrorKind(kind),
            http_status=http_status,
            count=n,
            example=example,
        )
        for status, kind, http_status, n, example in found
    )


def _counts(rows: Rows, column: str, condition: str) -> dict[str | None, int]:
    return dict(rows.rows(f"SELECT {column}, count(*) FROM counted WHERE {condition} GROUP BY ALL"))


def _ok(rows: Rows) -> int:
    ((ok,),) = rows.view.rows(f"SELECT coalesce(sum(ok), 0)::BIGINT FROM {rows.tally.table}")
    return int(ok)


def _warmups(rows: Rows) -> int:
    ((n,),) = rows.view.rows(
        "SELECT count(*) FROM requests WHERE warmup AND run_id IN (SELECT unnest(?))",
        [list(rows.selection.run_ids)],
    )
    return int(n)


def _calls(rows: Rows) -> int:
    ((n,),) = rows.view.rows(
        "SELECT count(*) FROM calls WHERE run_id IN (SELECT unnest(?))", [list(rows.selection.run_ids)]
    )
    return int(n)
