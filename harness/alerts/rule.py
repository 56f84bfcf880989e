"""What an alert rule says: one strict schema for the built-in rules and anyone's own."""

import re
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from harness.figures.tags import TAG_PREFIX, tag_of_group
from harness.records import RunKind, environment_name, tag_name
from harness.records.tags import MOST_TAGS

Amount = Literal["cost_usd", "draft_cost_usd", "repair_cost_usd", "latency_ms", "quality_score"]
"""Metrics that have a value a request."""
Condition = Literal[
    "requests", "errors", "fixtures", "mixed_providers", "cache_hits", "fallbacks", "unpriced", "high_tier"
]
"""Metrics that are true or false of a request, or unknown."""
Aggregation = Literal["sum", "per_hour", "mean", "max", "p50", "p95", "p99", "count", "ratio"]
GroupColumn = Literal[
    "draft_source", "draft_model", "repair_source", "repair_model", "strategy", "task", "quality_tier"
]

_DURATION = re.compile(r"^(\d{1,6})\s*([smhd])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MAX_WINDOW_S = 31 * 86_400


def _group(value: object) -> object:
    """A column of the list, or `tag.NAME`."""
    if not isinstance(value, str) or value in get_args(GroupColumn):
        return value
    if not value.startswith(TAG_PREFIX):
        raise ValueError(f"group by one of {', '.join(get_args(GroupColumn))}, or {TAG_PREFIX}NAME")
    tag_name(value.removeprefix(TAG_PREFIX))
    return value


GroupBy = Annotated[str, BeforeValidator(_group)]
TagName = Annotated[str, AfterValidator(tag_name)]


def parse_window_s(value: object) -> int:
    """Seconds of `90s`, `15m`, `1h` or `1d`.

    Raises:
        ValueError: anything else, nothing at all, or more than 31 days.
    """
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < seconds <= _MAX_WINDOW_S:
        raise ValueError("write a duration of at most 31 days with its unit, as in 90s, 15m or 1h")
    return seconds


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _pairs(written: object) -> object:
    return tuple(written.items()) if isinstance(written, dict) else written


class Scope(_Strict):
    """Which requests a rule looks at; None does not narrow."""

    environment: Annotated[str | None, AfterValidator(environment_name)] = "production"
    run_kinds: Annotated[
        tuple[Annotated[RunKind, Field(strict=False)], ...], Field(strict=False, min_length=1)
    ] = (
        RunKind.SERVICE,
        RunKind.INGEST,
    )
    provider: str | None = None
    model: str | None = None
    strategy: str | None = None
    task: str | None = None
    tags: Annotated[
        tuple[tuple[TagName, str], ...],
        BeforeValidator(_pairs),
        PlainSerializer(dict),
        Field(max_length=MOST_TAGS),
    ] = ()
    """Written as an object; kept as pairs, so that a rule can be a key."""


class Rule(_Strict):
    """One alert. `threshold` is in the metric's unit: USD, milliseconds, requests, or a ratio 0..1.

    `compare: change` takes the difference to the window before; `min_samples` requests are needed in each
    window, fewer are `no_data`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    metric: Amount | Condition
    aggregation: Aggregation
    compare: Literal["value", "change"] = "value"
    window_s: Annotated[int, BeforeValidator(parse_window_s), Field(alias="window")]
    threshold: Annotated[float, Field(allow_inf_nan=False)]
    direction: Literal["above", "below", "either"] = "above"
    min_samples: Annotated[int, Field(ge=1)] = 1
    group_by: GroupBy | None = None
    scope: Scope = Scope()
    severity: Literal["critical", "warning", "info"]
    message: Annotated[str, Field(max_length=1000)] = ""
    enabled: bool = True

    @model_validator(mode="after")
    def _fits(self) -> "Rule":
        condition = self.metric in get_args(Condition)
        allowed = ("count", "per_hour", "ratio") if condition else get_args(Aggregation)[:7]
        if self.aggregation not in allowed:
            raise ValueError(f"aggregation of {self.metric} is one of {', '.join(allowed)}")
        if self.metric == "quality_score" and self.aggregation in ("sum", "per_hour"):
            raise ValueError("scores do not add up: take mean, p50, p95 or p99")
        if self.direction == "either" and self.compare != "change":
            raise ValueError("direction 'either' is for compare: change")
        return self

    @property
    def tag_names(self) -> tuple[str, ...]:
        """Every tag that it filters or groups by."""
        group = tag_of_group(self.group_by or "")
        return tuple(dict.fromkeys([*dict(self.scope.tags), *([group] if group else [])]))

    def breached(self, value: float) -> bool:
        """True when a value is beyond the threshold; at the threshold is not beyond."""
        if self.direction == "either":
            return abs(value) > self.threshold
        return value > self.threshold if self.direction == "above" else value < self.threshold

    def shown(self, value: float | None) -> str:
        """A value as people read it, with its unit."""
        if value is None:
            return "unknown"
        if self.aggregation == "ratio":
            return f"{100 * value:+.1f} points" if self.compare == "change" else f"{100 * value:.1f}%"
        sign = "+" if self.compare == "change" else ""
        hourly = "/h" if self.aggregation == "per_hour" else ""
        if self.metric.endswith("_usd"):
            return f"${value:{sign},.4g}{hourly}"
        unit = " ms" if self.metric == "latency_ms" else ""
        return f"{value:{sign},.4g}{unit}{hourly}"
