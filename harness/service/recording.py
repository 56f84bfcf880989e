"""What the service leaves behind: calls and events in its own spool, events to every sink.

The answer never waits for the disk: a record is durable within the spool's group commit (at most 50 ms), and
what is pending or lost shows in `/metrics`.
"""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import StoreError
from harness.records import (
    AlertEvent,
    AlertState,
    Call,
    CompletedEvent,
    Content,
    FailedEvent,
    ProviderMode,
    Run,
    RunEnd,
    RunKind,
    RunStatus,
    ServiceConfig,
    ServiceSummary,
    new_id,
)
from harness.store import Spool
from harness.store.spool.codec import Record
from harness.telemetry import Fanout, Sink, event_row
from harness.version import __version__

LOG = logging.getLogger("harness.service")
FIXTURES_RULE = "fixtures_in_production"


class Recorder:
    """Writes what happened; knows the run that outside traffic belongs to.

    Args:
        store_dir: the store's folder; None keeps no records (sinks still hear).
        sinks: further destinations of events.
        environment: of the run.
        config: of the run, without secrets.
        store_content: the spool takes prompts and outputs.
        clock: labels the run's start and end.

    Raises:
        StoreError: the store's folder cannot be written.
    """

    def __init__(
        self,
        *,
        store_dir: Path | None,
        sinks: Sequence[Sink],
        environment: str,
        config: ServiceConfig,
        store_content: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.environment = environment
        self.run_id = new_id("service")
        self.lost_records = 0
        self.fanout = Fanout(sinks)
        self._clock = clock
        self._spool = Spool.open(store_dir, store_content=store_content) if store_dir is not None else None
        if self._spool is not None:
            run = Run(
                run_id=self.run_id,
                kind=RunKind.SERVICE,
                name=self.run_id,
                started_at=clock.now(),
                environment=environment,
                harness_version=__version__,
                owner=self._spool.spool_id,
                config=config.as_json(),
            )
            self._write([run])

    @property
    def pending_records(self) -> int:
        """Records handed to the spool and not yet durable."""
        return self._spool.pending if self._spool is not None else 0

    def record(
        self,
        event: CompletedEvent | FailedEvent,
        calls: Iterable[Call],
        *,
        name: str | None = None,
        contents: Iterable[Content] = (),
    ) -> None:
        """Keep one ended request: its calls and its event. Never waits, never raises.

        Args:
            event: how it ended.
            calls: every attempt.
            name: the event's name in the store, where it is not the event's own; sinks know only drafts.
            contents: prompts and outputs, where the settings keep them.
        """
        if name is None:
            self.fanout.emit(event)
        run_id = event.run_id or self.run_id
        row = event_row(event, run_id, name=name)
        filed_calls = [replace(call, run_id=run_id) for call in calls]
        texts = [replace(content, run_id=run_id) for content in contents]
        self._write([*filed_calls, row, *texts])

    def raise_fixtures_alert(self, roles: Sequence[str]) -> None:
        """The critical alert: canned answers are allowed in production."""
        LOG.critical(
            "fixtures serve %s in production, because it was explicitly allowed", " and ".join(roles)
        )
        if self._spool is not None:
            alert = AlertEvent(
                ts=self._clock.now(),
                rule=FIXTURES_RULE,
                state=AlertState.FIRING,
                value=float(len(roles)),
                threshold=0.0,
                detail={"roles": list(roles), "run_id": self.run_id, "severity": "critical"},
            )
            self._write([alert])

    def close(self, provider_mode: ProviderMode | None, summary: ServiceSummary) -> None:
        """End the run, drain the sinks, give the spool up."""
        if self._spool is not None:
            end = RunEnd(
                run_id=self.run_id,
                ended_at=self._clock.now(),
                status=RunStatus.COMPLETED,
                provider_mode=provider_mode,
                summary=summary.as_json(),
            )
            self._write([end])
        self.fanout.close()
        if self._spool is not None:
            self._spool.close()

    def _write(self, records: list[Record]) -> None:
        if self._spool is None:
            return
        try:
            future = self._spool.append_many(records)
        except (StoreError, ValueError) as error:
            self._count_loss(len(records), error)
            return
        future.add_done_callback(lambda done: self._check(done, len(records)))

    def _check(self, done: "Future[None]", records: int) -> None:
        error = done.exception()
        if error is not None:
            self._count_loss(records, error)

    def _count_loss(self, records: int, error: BaseException) -> None:
        if self.lost_records == 0:
            LOG.error("records are being lost: %s", error)
        self.lost_records += records
