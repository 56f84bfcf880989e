"""One request: latency, quality and cost on one row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from harness.records.kinds import (
    CostSource,
    ErrorKind,
    FallbackReason,
    LatencySource,
    ProviderMode,
    RequestStatus,
    ScoreBasis,
    StreamUnit,
    Tier,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A row of `requests`. None means unknown, and stays unknown until telemetry fills it.

    `latency_ms` counts from the intended start (`scheduled_at`), `service_ms` from the send, both on the
    client's clock; `server_ms` is the service's own figure. `lateness_ms` is how late the generator sent
    (its own fault, not the target's). `ttfb_ms` is the answer's first byte, `ttft_ms` its first token of any
    kind (thinking, audio, a call), `first_answer_ms` the first piece of its text. `itl_ms` is the mean gap
    between the pieces of a streamed answer, `stream_chunks` of them, or between its tokens where the usage
    tells how many there were; `itl_per` says which. One piece has no gap.
    `cost_usd = draft_cost_usd + repair_cost_usd` exactly; None if any part is unknown, and then `unpriced`.
    A load scenario also records where the cost comes from (`cost_source`) or why there is none
    (`unpriced_because`), the target's own id of its answer (`answer_id`). `tags` are further
    dimensions to filter and group by, as its case, its event or its answer says them (`tags.tags_of`).
    """

    run_id: str
    request_id: str
    status: RequestStatus
    seq: int | None = None
    worker: int | None = None
    scenario: str | None = None
    task: str | None = None
    strategy: str | None = None
    case_id: str | None = None
    repeat: int | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    latency_ms: float | None = None
    service_ms: float | None = None
    server_ms: float | None = None
    latency_source: LatencySource | None = None
    lateness_ms: float | None = None
    ttft_ms: float | None = None
    itl_ms: float | None = None
    http_status: int | None = None
    error_kind: ErrorKind | None = None
    error_message: str | None = None
    warmup: bool = False
    draft_source: str | None = None
    draft_model: str | None = None
    draft_cost_usd: Decimal | None = None
    repair_source: str | None = None
    repair_model: str | None = None
    repair_cost_usd: Decimal | None = None
    cost_usd: Decimal | None = None
    unpriced: bool | None = None
    mixed_providers: bool | None = None
    prompt_cache_hit: bool | None = None
    confidence: float | None = None
    quality_score: float | None = None
    score_basis: ScoreBasis | None = None
    quality_tier: Tier | None = None
    fallback_reason: FallbackReason | None = None
    environment: str | None = None
    provider_mode: ProviderMode | None = None
    draft_input_tokens: int | None = None
    draft_cache_read_tokens: int | None = None
    draft_cache_write_tokens: int | None = None
    draft_output_tokens: int | None = None
    repair_input_tokens: int | None = None
    repair_cache_read_tokens: int | None = None
    repair_cache_write_tokens: int | None = None
    repair_output_tokens: int | None = None
    stages_ms: Mapping[str, float] | None = None
    first_answer_ms: float | None = None
    stream_chunks: int | None = None
    ttfb_ms: float | None = None
    itl_per: StreamUnit | None = None
    cost_source: CostSource | None = None
    unpriced_because: str | None = None
    answer_id: str | None = None
    tags: Mapping[str, str] | None = None
