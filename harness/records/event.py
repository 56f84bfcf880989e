"""The event `assist.draft.completed`: one schema for log line, response header and store columns.

The names are frozen: services elsewhere write them too. Tests hold the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from harness.records.kinds import FallbackReason, ProviderMode, ScoreBasis, Tier

COMPLETED_EVENT = "assist.draft.completed"

REPAIR_FIELDS = (
    "repair_source",
    "repair_model",
    "repair_cost_usd",
    "mixed_providers",
    "repair_input_tokens",
    "repair_cache_read_tokens",
    "repair_cache_write_tokens",
    "repair_output_tokens",
)
"""Present only when a repair ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedEvent:
    """One finished request as its service saw it. None means unknown; `latency_ms` is server side."""

    ts: datetime
    request_id: str
    draft_source: str | None
    draft_model: str | None
    draft_cost_usd: Decimal | None
    cost_usd: Decimal | None
    prompt_cache_hit: bool | None
    quality_tier: Tier | None
    quality_score: float | None
    score_basis: ScoreBasis | None
    confidence: float | None
    latency_ms: float
    fallback_reason: FallbackReason | None
    environment: str | None
    provider_mode: ProviderMode | None
    strategy: str | None
    run_id: str | None
    stages_ms: Mapping[str, float]
    draft_input_tokens: int | None
    draft_cache_read_tokens: int | None
    draft_cache_write_tokens: int | None
    draft_output_tokens: int | None
    repair_source: str | None = None
    repair_model: str | None = None
    repair_cost_usd: Decimal | None = None
    mixed_providers: bool | None = None
    repair_input_tokens: int | None = None
    repair_cache_read_tokens: int | None = None
    repair_cache_write_tokens: int | None = None
    repair_output_tokens: int | None = None

    @property
    def repaired(self) -> bool:
        """True when a repair call ran, whether or not its answer was used."""
        return self.repair_source is not None

    def payload(self) -> dict[str, Any]:
        """The event as a JSON object in frozen order; the repair fields only when a repair ran."""
        fields: dict[str, Any] = {"event": COMPLETED_EVENT}
        for name in self.__dataclass_fields__:
            if name in REPAIR_FIELDS and not self.repaired:
                continue
            fields[name] = getattr(self, name)
        return fields
