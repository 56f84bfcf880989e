"""From an answer to a row in this process's own spool; counts what a row cannot say."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from harness.clock import ms_from_ns
from harness.load.answer import MAX_EXCERPT_CHARS, Answer
from harness.providers.reading.excerpts import excerpt
from harness.records import LatencySource, Request, StreamUnit
from harness.store import Spool

GATHER_MS = 5.0
"""How long a row may wait for others before it is synced; nobody waits for its acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """Zero of a run's schedule: the same moment on the monotonic clock (ns) and on the wall."""

    monotonic_ns: int
    wall: datetime

    def moment(self, monotonic_ns: int) -> datetime:
        """The wall time of a monotonic reading; a label."""
        return self.wall + timedelta(microseconds=(monotonic_ns - self.monotonic_ns) / 1000)


@dataclass(slots=True)
class Tally:
    """What one process has done so far."""

    sent: int = 0
    finished: int = 0
    failed: int = 0
    telemetry_missing: int = 0
    telemetry_broken: int = 0
    cost_usd: Decimal = field(default_factory=Decimal)
    cost_unknown: int = 0
    cap_reached: int = 0
    modes: set[str] = field(default_factory=set)


class Recorder:
    """Writes one row a request.

    Args:
        spool: this process's own.
        run_id: of every row.
        epoch: zero of the schedule.
        scenario: of every row; task likewise.
        worker: this process's number.
        environment: recorded where telemetry does not name one.
        secrets: values masked in error excerpts.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        run_id: str,
        epoch: Epoch,
        scenario: str,
        task: str | None,
        worker: int,
        environment: str | None,
        secrets: tuple[str, ...],
    ) -> None:
        self.tally = Tally()
        self._spool = spool
        self._run_id = run_id
        self._epoch = epoch
        self._scenario = scenario
        self._task = task
        self._worker = worker
        self._environment = environment
        self._secrets = secrets

    @property
    def lost_records(self) -> int:
        """Rows that found no room on the disk."""
        return self._spool.failed

    @property
    def lost_reason(self) -> str | None:
        """Why rows were lost; None while none was."""
        return None if self._spool.failure is None else str(self._spool.failure)

    def record(
        self,
        answer: Answer,
        *,
        seq: int | None,
        request_id: str,
        case_id: str,
        due_ns: int,
        sent_ns: int,
        done_ns: int,
        warmup: bool = False,
    ) -> Request:
        """Write the row; it is durable within one group commit. A full disk is counted, never raised.

        Args:
            answer: how it ended.
            seq: arrival number; None for a warm-up.
            request_id: as sent.
            case_id: what was asked.
            due_ns: the intended start, monotonic.
            sent_ns: when it was really sent.
            done_ns: when its answer was read to the end, or it failed.
            warmup: leave it out of all figures.
        """
        columns: dict[str, Any] = {"environment": self._environment, **answer.columns}
        gap_ms, unit = gap_of(answer)
        row = Request(
            run_id=self._run_id,
            request_id=request_id,
            status=answer.status,
            seq=seq,
            worker=self._worker,
            scenario=self._scenario,
            task=self._task,
            case_id=case_id,
            scheduled_at=self._epoch.moment(due_ns),
            started_at=self._epoch.moment(sent_ns),
            latency_ms=ms_from_ns(done_ns - due_ns),
            service_ms=ms_from_ns(done_ns - sent_ns),
            latency_source=LatencySource.CLIENT,
            lateness_ms=ms_from_ns(sent_ns - due_ns),
            ttfb_ms=_since(answer.first_byte_ns, due_ns),
            ttft_ms=_since(answer.first_token_ns, due_ns),
            first_answer_ms=_since(answer.first_answer_ns, due_ns),
            itl_ms=gap_ms,
            itl_per=unit,
            stream_chunks=answer.chunks or None,
            http_status=answer.http_status,
            error_kind=answer.error_kind,
            error_message=None
            if answer.error_text is None
            else excerpt(answer.error_text, self._secrets, limit=MAX_EXCERPT_CHARS),
            warmup=warmup,
            **columns,
        )
        self._count(answer, row)
        self._spool.post(row)
        return row

    def _count(self, answer: Answer, row: Request) -> None:
        tally = self.tally
        tally.finished += 1
        tally.failed += answer.error_kind is not None
        tally.telemetry_missing += answer.telemetry_missing
        tally.telemetry_broken += answer.telemetry_broken
        if row.provider_mode is not None:
            tally.modes.add(row.provider_mode.value)
        if row.cost_usd is None:
            tally.cost_unknown += 1
        else:
            tally.cost_usd += row.cost_usd


def _since(moment_ns: int | None, due_ns: int) -> float | None:
    return None if moment_ns is None else ms_from_ns(moment_ns - due_ns)


def gap_of(answer: Answer) -> tuple[float | None, StreamUnit | None]:
    """Mean gap of a stream, milliseconds, and what it stands between; one piece has no gap.

    Between tokens where the usage tells how many the pieces held, else between the pieces that were timed.
    """
    if answer.first_token_ns is None or answer.last_token_ns is None or answer.chunks < 2:
        return None, None
    gap_ms = ms_from_ns(answer.last_token_ns - answer.first_token_ns) / (answer.chunks - 1)
    if not answer.tokens:
        return gap_ms, StreamUnit.CHUNK
    return gap_ms * answer.chunks / answer.tokens, StreamUnit.TOKEN
