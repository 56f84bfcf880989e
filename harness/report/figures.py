"""The figures of one run as data: what the table, the JSON, the HTML and the dashboard all show."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from harness.analysis.interval import Estimate, QuantileInterval
from harness.analysis.percentile import Quantile
from harness.records import (
    ErrorKind,
    LatencySource,
    ProviderMode,
    RequestStatus,
    Role,
    RunKind,
    RunStatus,
    Tier,
)


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
class LatencyFigure:
    """One percentile with its interval; milliseconds."""

    quantile: Quantile
    interval: QuantileInterval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """What one role cost at one provider and model, every attempt counted.

    Attributes:
        cost_usd: sum over the priced calls; None when none has a price.
        unpriced_calls: calls whose cost is unknown, left out of the sum.
    """

    role: Role
    provider: str
    model: str
    calls: int
    requests: int
    failed_calls: int
    unpriced_calls: int
    input_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFigures:
    """What the run cost. Sums leave unpriced calls out and say how many.

    Attributes:
        total_usd: of all priced calls, warm-ups left out; None when nothing is priced.
        per_request_usd: mean over the requests with a known cost.
        priced_requests: how many those are.
        draft_usd: total of the draft role at all providers.
        repair_usd: the same of the repair role; None when no repair is priced.
        judge_usd: what grading models cost, beside the total.
        from_calls: False when no call was recorded and the sums come from the requests' own columns.
        warmup_usd: what the warm-up requests cost, beside the total.
    """

    total_usd: Decimal | None
    per_request_usd: Decimal | None
    per_request_interval: Estimate | None
    priced_requests: int
    draft_usd: Decimal | None
    repair_usd: Decimal | None
    judge_usd: Decimal | None
    rows: tuple[CostRow, ...]
    unpriced_calls: int
    from_calls: bool
    warmup_usd: Decimal | None

    @property
    def exclusion(self) -> str | None:
        """`excludes 3 unpriced calls`, or None."""
        if not self.unpriced_calls:
            return None
        return f"excludes {self.unpriced_calls} unpriced call{'s' if self.unpriced_calls > 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFigures:
    """Tiers of the answered requests.

    Attributes:
        tiers: answers by tier; `ungraded` beside them.
        high: share of graded answers in the high tier.
        mixed: share of requests whose draft and repair came from different providers.
        repaired: share of requests in which a repair ran.
        cache_hit: share of requests whose prompt cache was hit, where that is known.
        fallbacks: answers finished by the deterministic simple repair, by reason.
    """

    tiers: dict[Tier, int]
    ungraded: int
    high: Estimate
    mean_score: float | None
    mixed: Estimate
    repaired: Estimate
    cache_hit: Estimate
    fallbacks: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingFigures:
    """What the hybrid route cost against the same tokens at the draft model's price alone.

    Attributes:
        requests: repaired by another model and fully priced; the ones the route makes a difference for.
        actual_usd: what all priced requests cost.
        single_provider_usd: what they would have cost with the draft model doing the repairs as well.
        saving_ratio: 1 - actual / single; negative when the hybrid costs more.
        reason: why there is no figure, else None.
    """

    requests: int
    actual_usd: Decimal | None
    single_provider_usd: Decimal | None
    saving_ratio: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorFigures:
    """How punctual the load generator itself was; its lateness is no fault of the target."""

    lateness_p50_ms: float | None
    lateness_p99_ms: float | None
    n: int
    suspect: bool | None
    reasons: tuple[str, ...]


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

    `telemetry_missing` and `telemetry_broken`: answers whose telemetry did not come, or could not be read.
    """

    run: RunHead
    requests: int
    ok: int
    warmups: int
    latency_source: LatencySource | None
    unknown_latency: int
    latency: tuple[LatencyFigure, ...]
    service: tuple[Quantile, ...]
    ttft: tuple[Quantile, ...]
    first_answer: tuple[Quantile, ...]
    itl: tuple[Quantile, ...]
    tokens_per_chunk: float | None
    error_ratio: Estimate
    errors: tuple[ErrorGroup, ...]
    throughput_rps: float | None
    cost: CostFigures
    quality: QualityFigures
    saving: SavingFigures
    generator: GeneratorFigures
    telemetry_missing: int | None = None
    telemetry_broken: int | None = None
    empty_columns: tuple[tuple[str, str], ...] = field(default_factory=tuple)
