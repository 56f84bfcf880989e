"""One attempt at one provider: the row that money is summed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from harness.records.kinds import CallOutcome, ErrorKind, Role, UnpricedReason

UNTIMED_CONTEXTS = frozenset({"batch", "cached"})
"""Price contexts of answers that no service was timed giving: a batch's turnaround and the look-up of a
cached answer say nothing about how fast a model answers, so the latency of such a call is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A row of `calls`. None means unknown; token fields are None when the provider never told the usage.

    `cost_usd` is None exactly when `unpriced_reason` is set. `input_tokens` is the total, cached included.
    `priced_as` is the price data's own id for the model; `price_source` and `price_version` allow re-pricing.
    `latency_ms` is None where `price_context` is one of `UNTIMED_CONTEXTS`.

    `model` is the one asked for and `served_model` the one that the provider says answered, which is priced.
    `finish_reason` is the provider's own word. `provider_cost_usd` is the provider's own bill. `served_terms`
    is what else the bill rests on (`ServedTerms.material`); None for nothing but text at the usual terms.
    `usage_remark` says what was mended or left out to get at the tokens, or why they are unknown though told.
    """

    run_id: str | None
    request_id: str
    call_id: str
    role: Role
    attempt: int
    provider: str
    model: str
    started_at: datetime
    latency_ms: float | None
    outcome: CallOutcome
    provider_request_id: str | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    price_context: str = "standard"
    error_kind: ErrorKind | None = None
    http_status: int | None = None
    retry_after_ms: float | None = None
    stop_reason: str | None = None
    cost_usd: Decimal | None = None
    cost_reserved_usd: Decimal | None = None
    unpriced_reason: UnpricedReason | None = None
    price_source: str | None = None
    price_version: str | None = None
    priced_as: str | None = None
    served_model: str | None = None
    finish_reason: str | None = None
    provider_cost_usd: Decimal | None = None
    served_terms: Mapping[str, Any] | None = None
    first_answer_ms: float | None = None
    usage_remark: str | None = None
