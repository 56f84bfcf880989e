"""A run that plain `locust` drives: its beginning and end are recorded by the Locust process itself."""

from dataclasses import dataclass
from typing import Self

from harness.clock import SYSTEM_CLOCK
from harness.load.generator import Generator
from harness.load.plan import LoadPlan
from harness.load.recorder import GATHER_MS
from harness.load.runrecord import begin_record
from harness.records import BaselineConfig, BaselineSummary, ProviderMode, RunEnd, RunStatus
from harness.store import Spool


@dataclass
class StandaloneRun:
    """The run's row, and the spool that owns it."""

    plan: LoadPlan
    spool: Spool

    @classmethod
    def begin(cls, plan: LoadPlan) -> Self:
        """Record that the run starts.

        Raises:
            StoreError: the store's folder cannot be written.
        """
        spool = Spool.open(plan.store_dir, gather_ms=GATHER_MS)
        spool.append(begin_record(plan, owner=spool.spool_id, config=BaselineConfig(started_by="locust")))
        return cls(plan, spool)

    def end(self, generator: Generator | None, *, finished: bool) -> None:
        """Record how it ended, and close the spool."""
        tally = generator.recorder.tally if generator is not None else None
        modes = sorted(tally.modes) if tally is not None else []
        mode = None if not modes else ProviderMode(modes[0]) if len(modes) == 1 else ProviderMode.MIXED
        summary = (
            BaselineSummary(planned=generator.planned, sent=tally.sent)
            if generator is not None and tally is not None
            else BaselineSummary()
        )
        self.spool.append(
            RunEnd(
                run_id=self.plan.run_id,
                ended_at=SYSTEM_CLOCK.now(),
                status=RunStatus.COMPLETED if finished else RunStatus.INTERRUPTED,
                provider_mode=mode,
                summary=summary.as_json(),
            )
        )
        self.spool.close()
