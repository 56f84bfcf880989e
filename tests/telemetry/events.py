"""Events to hand to sinks."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from harness.records import (
    CompletedEvent,
    ErrorKind,
    FailedEvent,
    ProviderMode,
    RequestStatus,
    ScoreBasis,
    Tier,
)

TS = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

DRAFTED = CompletedEvent(
    ts=TS,
    request_id="r1",
    draft_source="anthropic",
    draft_model="claude-3-5-sonnet-20241022",
    draft_cost_usd=Decimal("0.0285"),
    cost_usd=Decimal("0.0285"),
    prompt_cache_hit=False,
    quality_tier=Tier.HIGH,
    quality_score=0.95,
    score_basis=ScoreBasis.EXTRACTED,
    confidence=None,
    latency_ms=3210.5,
    fallback_reason=None,
    environment="staging",
    provider_mode=ProviderMode.EMULATED,
    strategy="hybrid",
    run_id=None,
    stages_ms={"draft": 3000.0, "validate": 1.5},
    draft_input_tokens=2000,
    draft_cache_read_tokens=0,
    draft_cache_write_tokens=0,
    draft_output_tokens=1500,
)
REPAIRED = replace(
    DRAFTED,
    cost_usd=Decimal("0.02886"),
    repair_source="openai",
    repair_model="gpt-4o-mini",
    repair_cost_usd=Decimal("0.00036"),
    mixed_providers=True,
    repair_input_tokens=800,
    repair_cache_read_tokens=0,
    repair_cache_write_tokens=0,
    repair_output_tokens=400,
    stages_ms={"draft": 3000.0, "validate": 1.5, "repair": 1200.0},
)
FAILED = FailedEvent(
    ts=TS,
    request_id="r2",
    status=RequestStatus.ERROR,
    http_status=502,
    error_kind=ErrorKind.UPSTREAM_5XX,
    error_message="the provider failed",
    draft_source="anthropic",
    draft_model="claude-3-5-sonnet-20241022",
    draft_cost_usd=Decimal(0),
    cost_usd=Decimal(0),
    latency_ms=900.0,
    environment="staging",
    provider_mode=ProviderMode.EMULATED,
    strategy="hybrid",
    run_id=None,
    stages_ms={"draft": 890.0},
)


def unpriced(**changes: Any) -> CompletedEvent:
    return replace(DRAFTED, draft_cost_usd=None, cost_usd=None, **changes)
