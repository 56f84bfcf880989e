"""The pipelines behind the routes, and what is known of who really answers."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from math import nan
from typing import Any

from harness.errors import ConfigError, PipelineFailedError, UnpricedModelError
from harness.lateness import LoopLag
from harness.orchestration.adapters import AdapterPool
from harness.orchestration.breaker import Breakers, BreakerSettings
from harness.orchestration.caller import Caller
from harness.orchestration.outcome import PipelineResult
from harness.orchestration.pipeline import Pipeline
from harness.orchestration.progress import StageListener
from harness.orchestration.strategy import Strategy
from harness.pricing import Budget, PriceBook
from harness.records import (
    Call,
    CompletedEvent,
    Content,
    FailedEvent,
    ProviderMode,
    ServiceConfig,
    ServiceSummary,
)
from harness.service.intake import Envelope
from harness.service.problems import ProblemError, stopping, upstream_problem
from harness.service.recent import RecentIds
from harness.service.recording import Recorder
from harness.service.settings import ServiceSettings
from harness.service.shadow import Shadow, ShadowSettings
from harness.service.traffic import Traffic
from harness.service.work import ResultTask, Work
from harness.tasks.registry import get_task
from harness.telemetry import PrometheusSink
from harness.version import __version__

LOG = logging.getLogger("harness.service")
SUGGEST_TASK = "suggest_options"
DRAFT_TASK = "draft_graph"
CLOSE_GRACE_S = 0.2
TICKS_PER_S = 10
"""How often the server looks after its connections, and whether its loop is late."""
LAG_SHOWN_S = 60.0


class Engine:
    """Everything that lives as long as the service does.

    Raises:
        ConfigError: a key is missing, fixtures would serve in production unallowed, or a run budget is to
            bound a model without a price.
        UnpricedModelError: a model has no price and unpriced calls are not allowed.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.pool = AdapterPool()
        book = PriceBook.load(settings.prices_path)
        fixtures_roles = settings.check_fixtures()
        self._suggest_strategy = settings.suggest_strategy()
        self._check_prices(book)
        open_s = settings.circuit_open_s
        self.breakers = None if open_s is None else Breakers(BreakerSettings(open_s=open_s))
        self._caller = Caller(
            pool=self.pool,
            book=book,
            attempt_timeout_s=settings.attempt_timeout_s,
            allow_unpriced=settings.allow_unpriced,
            keep_content=settings.store_content,
            breakers=self.breakers,
        )
        self._budget = Budget("run", settings.run_budget_usd)
        self._pipelines: dict[str, Pipeline[Any, Any]] = {}
        self.recorder = Recorder(
            store_dir=settings.store_dir,
            sinks=settings.sinks,
            environment=settings.routing.environment,
            config=self._run_config(),
            store_content=settings.store_content,
        )
        self.shadow = None if settings.shadow is None else self._shadowed(settings.shadow)
        self.traffic = Traffic(access_log=settings.access_log)
        self.work = Work()
        self.lag = LoopLag(1000 / TICKS_PER_S)
        self.metrics = PrometheusSink(self._gauges(), self._counters())
        self.answered = 0
        self.failed = 0
        self._recent_ids = RecentIds()
        self._seen_mode = _mode_by_settings(settings.strategy)
        if fixtures_roles:
            self.recorder.raise_fixtures_alert(fixtures_roles)

    def _check_prices(self, book: PriceBook) -> None:
        """Every model has a price, or was allowed to have none and no run budget relies on it."""
        shadowed = () if self.settings.shadow is None else self.settings.shadow.strategy.routes
        routes = (*self.settings.strategy.routes, *self._suggest_strategy.routes, *shadowed)
        for adapter in {(r.provider, r.model): self.pool.get(r) for r in routes}.values():
            try:
                book.require(adapter.name, adapter.model, local=adapter.local)
            except UnpricedModelError:
                if not self.settings.allow_unpriced:
                    raise
                named = f"{adapter.name}/{adapter.model}"
                if self.settings.run_budget_usd is not None:
                    problem = f"cannot bound {named}, which has no price; add a price or drop the budget"
                    raise ConfigError("--budget", problem) from None
                LOG.warning("%s has no price: its cost stays unknown and no limit bounds it", named)

    def begin(
        self, task_name: str, task_input: Any, envelope: Envelope, on_stage: StageListener | None = None
    ) -> ResultTask:
        """One request's answer, in the making.

        Raises:
            ProblemError: the service is about to end.
        """
        self.work.check_open()
        return self.work.begin(self.answer(task_name, task_input, envelope, on_stage))

    async def answer(
        self, task_name: str, task_input: Any, envelope: Envelope, on_stage: StageListener | None = None
    ) -> PipelineResult:
        """One request's answer, recorded.

        Raises:
            ProblemError: it got none; recorded too.
        """
        filed_as = self._recent_ids.filed_as(envelope.request_id, envelope.run_id)
        try:
            result = await self.pipeline(task_name).run(
                task_input, request_id=filed_as, run_id=envelope.run_id, tags=envelope.tags, on_stage=on_stage
            )
        except PipelineFailedError as error:
            raise self._fail(task_name, error) from error
        self.answered += 1
        self._keep(task_name, result.event, result.calls, result.contents)
        if self.shadow is not None and task_name == DRAFT_TASK:
            self.shadow.follow(self.pipeline(task_name).task, task_input, filed_as, envelope.tags)
        return result

    def pipeline(self, task_name: str) -> Pipeline[Any, Any]:
        """The pipeline of a task, made when first asked for.

        Raises:
            UsageError: no such task.
        """
        if task_name not in self._pipelines:
            strategy = self._suggest_strategy if task_name == SUGGEST_TASK else self.settings.strategy
            self._pipelines[task_name] = Pipeline(
                get_task(task_name),
                strategy,
                self._caller,
                cost_max_usd=self.settings.routing.cost_max_usd,
                environment=self.settings.routing.environment,
                budget=self._budget,
                deadline_s=self.settings.deadline_s,
                on_abandoned=lambda event, calls: self._keep_abandoned(task_name, event, calls),
            )
        return self._pipelines[task_name]

    def health(self) -> dict[str, Any]:
        """The body of `/healthz`."""
        draft = self._caller.source(self.settings.strategy.draft)
        repair = self._caller.source(self.settings.strategy.repair)
        body: dict[str, Any] = {
            "ok": not self.work.draining,
            "version": __version__,
            "provider": draft.provider,
            "model": draft.model,
            "repair_provider": repair.provider,
            "repair_model": repair.model,
            "environment": self.settings.routing.environment,
            "strategy": self.settings.strategy.name,
            "cost_max_usd": self.settings.routing.cost_max_usd,
        }
        if self.work.draining:
            body["draining"] = True
        if self._seen_mode is not None:
            body["provider_mode"] = self._seen_mode
        return body

    async def close(self) -> None:
        """End what still runs, then the run, and release everything."""
        await self.work.stop()
        if self.shadow is not None:
            await self.shadow.close()
        dropped = self.recorder.fanout.dropped
        summary = ServiceSummary(answered=self.answered, failed=self.failed, dropped=dropped)
        self.recorder.close(self._seen_mode, summary)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.pool.aclose(), CLOSE_GRACE_S)

    def _fail(self, task_name: str, error: PipelineFailedError) -> ProblemError:
        event = error.failed_event
        if not isinstance(event, FailedEvent):
            raise TypeError("a pipeline failed without an event") from error
        problem = upstream_problem(event.error_kind, str(error), error.retry_after_ms)
        calls = [call for call in error.calls if isinstance(call, Call)]
        self.failed += 1
        self._keep(task_name, replace(event, http_status=problem.status), calls)
        return problem

    def _keep_abandoned(self, task_name: str, event: FailedEvent, calls: list[Call]) -> None:
        """A client that left was answered nothing; one that was still there when the service ended, a 503."""
        self.failed += 1
        status = stopping("stopped").status if self.work.stopped else None
        self._keep(task_name, replace(event, http_status=status), calls)

    def _keep(
        self,
        task_name: str,
        event: CompletedEvent | FailedEvent,
        calls: list[Call],
        contents: Sequence[Content] = (),
    ) -> None:
        self._seen_mode = _least_real(self._seen_mode, event.provider_mode)
        ending = "completed" if isinstance(event, CompletedEvent) else "failed"
        name = None if task_name == DRAFT_TASK else f"assist.{task_name.split('_', maxsplit=1)[0]}.{ending}"
        if name is None:
            self.metrics.emit(event)
        self.recorder.record(event, calls, name=name, contents=contents)

    def _shadowed(self, shadow: ShadowSettings) -> Shadow:
        settings = self.settings
        recorder = Recorder(
            store_dir=settings.store_dir,
            sinks=(),
            environment=f"{settings.routing.environment}-shadow",
            config=ServiceConfig(
                strategy=shadow.strategy.name,
                strategy_type=shadow.strategy.type,
                routes=[{"provider": own.provider, "model": own.model} for own in shadow.strategy.routes],
                cost_max_usd=settings.routing.cost_max_usd,
                shadow_of=self.recorder.run_id,
                shadow_share=shadow.share,
            ),
        )
        return Shadow(
            shadow,
            replace(self._caller, keep_content=False),
            recorder,
            cost_max_usd=settings.routing.cost_max_usd,
            deadline_s=settings.deadline_s,
        )

    def _counters(self) -> dict[str, tuple[str, tuple[str, ...], Counter[tuple[str, ...]]]]:
        found = dict(self.traffic.counters())
        if self.breakers is not None:
            found["harness_circuit_transitions_total"] = (
                "Circuits of providers, by the state entered: open, half_open, closed.",
                ("provider", "state"),
                self.breakers.transitions,
            )
            found["harness_circuit_refused_total"] = (
                "Attempts not made because the provider's circuit was open.",
                ("provider",),
                self.breakers.refused,
            )
        if self.shadow is not None:
            found["harness_shadow_requests_total"] = (
                "Requests that the shadow strategy answered as well, by outcome.",
                ("outcome",),
                self.shadow.outcomes,
            )
        return found

    def _run_config(self) -> ServiceConfig:
        strategy = self.settings.strategy
        routes = [{"provider": route.provider, "model": route.model} for route in strategy.routes]
        return ServiceConfig(
            strategy=strategy.name,
            strategy_type=strategy.type,
            routes=routes,
            cost_max_usd=self.settings.routing.cost_max_usd,
        )

    def _gauges(self) -> dict[str, Any]:
        recorder, breakers, shadow = self.recorder, self.breakers, self.shadow
        extra: dict[str, Any] = {}
        if breakers is not None:
            extra["harness_circuits_not_closed"] = (
                "Providers whose circuit is open or half-open.",
                lambda: breakers.not_closed,
            )
        if shadow is not None:
            extra["harness_shadow_budget_committed_usd"] = (
                "Spent and reserved of the shadow's own budget.",
                lambda: float(shadow.budget.committed_usd),
            )
        return extra | {
            "harness_spool_pending_records": (
                "Records answered for but not yet durable.",
                lambda: recorder.pending_records,
            ),
            "harness_spool_lost_records": ("Records that the store refused.", lambda: recorder.lost_records),
            "harness_sink_dropped_events": (
                "Events that dead or slow telemetry sinks lost.",
                lambda: sum(recorder.fanout.dropped.values()),
            ),
            "harness_run_budget_committed_usd": (
                "Spent and reserved of this service's run budget.",
                lambda: float(self._budget.committed_usd),
            ),
            "harness_event_loop_late_ms": (
                "The most that the event loop was late in the last minute; NaN where nobody measures it.",
                lambda: nan if (most := self.lag.within(LAG_SHOWN_S).max_ms) is None else most,
            ),
        }


def _mode_by_settings(strategy: Strategy) -> ProviderMode | None:
    """What is certain before any answer: canned answers, or the providers' own addresses."""
    if strategy.fixtures_roles:
        return ProviderMode.FIXTURES
    official = all(route.settings.base_url is None for route in strategy.routes)
    return ProviderMode.LIVE if official else None


def _least_real(known: ProviderMode | None, seen: ProviderMode | None) -> ProviderMode | None:
    order = (ProviderMode.FIXTURES, ProviderMode.EMULATED, ProviderMode.LIVE)
    return next((mode for mode in order if mode in (known, seen)), None)
