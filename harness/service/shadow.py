"""Shadow mode: a share of live requests is also answered by another strategy, off the critical path.

Its answers reach nobody. They are recorded in a run of their own under the request's id, so that production
gives paired answers of two strategies; its money comes from a budget of its own.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.errors import PipelineFailedError
from harness.orchestration.caller import Caller
from harness.orchestration.pipeline import Pipeline
from harness.orchestration.strategy import Strategy, fraction_of
from harness.pricing import Budget
from harness.records import Call, CompletedEvent, FailedEvent, ProviderMode, ServiceSummary
from harness.service.recording import Recorder
from harness.tasks.base import Task

LOG = logging.getLogger("harness.service")
MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowSettings:
    """What runs in the shadow.

    Attributes:
        strategy: answers as well; nobody is given its answers.
        share: of the live requests, 0..1, drawn by their ids.
        budget_usd: the most that it may commit in the service's lifetime.
    """

    strategy: Strategy
    share: float
    budget_usd: Decimal


class Shadow:
    """The second strategy of a service.

    Args:
        settings: what runs, how often and for how much.
        caller: makes the calls.
        recorder: of the shadow's own run.
        cost_max_usd: the most that one request may commit.
        deadline_s: for one request, seconds.
    """

    def __init__(
        self,
        settings: ShadowSettings,
        caller: Caller,
        recorder: Recorder,
        *,
        cost_max_usd: Decimal,
        deadline_s: float,
    ) -> None:
        self.settings = settings
        self.budget = Budget("shadow", settings.budget_usd)
        self.outcomes: Counter[tuple[str, ...]] = Counter()
        self._caller, self._recorder = caller, recorder
        self._cost_max_usd, self._deadline_s = cost_max_usd, deadline_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._mode: ProviderMode | None = None

    def follow(self, task: Task[Any, Any], task_input: Any, request_id: str, tags: Mapping[str, str]) -> None:
        """Answer a live request as well, if it is drawn; returns at once."""
        if fraction_of(f"shadow:{request_id}") >= self.settings.share:
            return
        if len(self._tasks) >= MOST_AT_ONCE:
            self.outcomes["skipped",] += 1
            return
        work = asyncio.ensure_future(self._answer(task, task_input, request_id, tags))
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what still runs, record it, and end the run."""
        running = list(self._tasks)
        for work in running:
            work.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        counts = {name[0]: n for name, n in self.outcomes.items()}
        self._recorder.close(self._mode, ServiceSummary.model_validate(counts))

    async def _answer(
        self, task: Task[Any, Any], task_input: Any, request_id: str, tags: Mapping[str, str]
    ) -> None:
        pipeline = Pipeline(
            task,
            self.settings.strategy,
            self._caller,
            cost_max_usd=self._cost_max_usd,
            environment=self._recorder.environment,
            budget=self.budget,
            deadline_s=self._deadline_s,
            finish_losers=True,
            on_abandoned=lambda event, calls: self._keep("abandoned", event, calls),
        )
        try:
            result = await pipeline.run(task_input, request_id=request_id, tags=tags)
        except PipelineFailedError as error:
            if isinstance(error.failed_event, FailedEvent):
                self._keep("failed", error.failed_event, [c for c in error.calls if isinstance(c, Call)])
        except Exception:  # nobody waits for it: a defect must be told here or nowhere
            self.outcomes["failed",] += 1
            LOG.exception("the shadow of request %s failed", request_id)
        else:
            self._keep("answered", result.event, result.calls)

    def _keep(self, outcome: str, event: CompletedEvent | FailedEvent, calls: list[Call]) -> None:
        self.outcomes[outcome,] += 1
        self._mode = self._mode or event.provider_mode
        self._recorder.record(event, calls)
