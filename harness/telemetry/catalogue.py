"""The one catalogue of metrics: DogStatsD, Prometheus, OpenTelemetry and the Datadog export read it.

Every metric names its unit, its kind and the tags it carries, as data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from harness.records import CompletedEvent, FailedEvent

PREFIX = "olumi.assist.draft."


class MetricKind(StrEnum):
    """How values combine."""

    DISTRIBUTION = "distribution"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: full name, kind, unit (`usd`, `ms`, `request`), tag names, and one line of help."""

    name: str
    kind: MetricKind
    unit: str
    tags: tuple[str, ...]
    help: str

    @property
    def prometheus_name(self) -> str:
        """The name with underscores, as Prometheus wants it."""
        return self.name.replace(".", "_")


COMPLETED_TAGS = (
    "environment",
    "provider",
    "model",
    "draft_source",
    "draft_model",
    "repair_source",
    "repair_model",
    "mixed_providers",
    "quality_tier",
    "provider_mode",
    "strategy",
    "cache_hit",
    "fallback_reason",
    "unpriced",
)
"""`provider` and `model` are the draft's; `none` where a request has no such thing (no repair)."""

FAILED_TAGS = ("environment", "provider", "model", "error_kind", "status", "provider_mode", "strategy")

COST_USD = Metric(
    name=PREFIX + "cost_usd",
    kind=MetricKind.DISTRIBUTION,
    unit="usd",
    tags=COMPLETED_TAGS,
    help="Cost of one request, draft and repair together; absent when unknown.",
)
DRAFT_COST_USD = Metric(
    name=PREFIX + "draft_cost_usd",
    kind=MetricKind.DISTRIBUTION,
    unit="usd",
    tags=COMPLETED_TAGS,
    help="Cost of every paid draft attempt of one request.",
)
REPAIR_COST_USD = Metric(
    name=PREFIX + "repair_cost_usd",
    kind=MetricKind.DISTRIBUTION,
    unit="usd",
    tags=COMPLETED_TAGS,
    help="Cost of every paid repair attempt of one request; `provider` and `model` are the repair's.",
)
LATENCY_MS = Metric(
    name=PREFIX + "latency_ms",
    kind=MetricKind.DISTRIBUTION,
    unit="ms",
    tags=COMPLETED_TAGS,
    help="Server-side time of one answered request.",
)
COMPLETED = Metric(
    name=PREFIX + "completed",
    kind=MetricKind.COUNT,
    unit="request",
    tags=COMPLETED_TAGS,
    help="Requests answered.",
)
FAILED = Metric(
    name=PREFIX + "failed",
    kind=MetricKind.COUNT,
    unit="request",
    tags=FAILED_TAGS,
    help="Requests that got no answer, by kind of error.",
)

METRICS = (COST_USD, DRAFT_COST_USD, REPAIR_COST_USD, LATENCY_MS, COMPLETED, FAILED)


@dataclass(frozen=True, slots=True)
class Observation:
    """One value of one metric with its tags, ready for any backend."""

    metric: Metric
    value: float | Decimal
    tags: Mapping[str, str]


def observations(event: CompletedEvent | FailedEvent) -> list[Observation]:
    """What one event adds to every metric; an unknown cost adds nothing, never zero."""
    if isinstance(event, FailedEvent):
        return [Observation(FAILED, 1, _failed_tags(event))]
    tags = _completed_tags(event)
    seen = [Observation(LATENCY_MS, event.latency_ms, tags), Observation(COMPLETED, 1, tags)]
    costs: tuple[tuple[Metric, Decimal | None, Callable[[], Mapping[str, str]]], ...] = (
        (COST_USD, event.cost_usd, lambda: tags),
        (DRAFT_COST_USD, event.draft_cost_usd, lambda: tags),
        (REPAIR_COST_USD, event.repair_cost_usd, lambda: _repair_tags(event, tags)),
    )
    seen.extend(Observation(metric, cost, own()) for metric, cost, own in costs if cost is not None)
    return seen


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _completed_tags(event: CompletedEvent) -> dict[str, str]:
    return {
        "environment": _text(event.environment),
        "provider": _text(event.draft_source),
        "model": _text(event.draft_model),
        "draft_source": _text(event.draft_source),
        "draft_model": _text(event.draft_model),
        "repair_source": _text(event.repair_source),
        "repair_model": _text(event.repair_model),
        "mixed_providers": _text(event.mixed_providers),
        "quality_tier": _text(event.quality_tier),
        "provider_mode": _text(event.provider_mode),
        "strategy": _text(event.strategy),
        "cache_hit": _text(event.prompt_cache_hit),
        "fallback_reason": _text(event.fallback_reason),
        "unpriced": _text(event.cost_usd is None),
    }


def _repair_tags(event: CompletedEvent, tags: Mapping[str, str]) -> dict[str, str]:
    return {**tags, "provider": _text(event.repair_source), "model": _text(event.repair_model)}


def _failed_tags(event: FailedEvent) -> dict[str, str]:
    return {
        "environment": _text(event.environment),
        "provider": _text(event.draft_source),
        "model": _text(event.draft_model),
        "error_kind": _text(event.error_kind),
        "status": _text(event.status),
        "provider_mode": _text(event.provider_mode),
        "strategy": _text(event.strategy),
    }
