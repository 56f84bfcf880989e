"""The event `assist.draft.failed`: a request that got no answer, so that errors are counted, not lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from harness.records.event import COMPLETED_EVENT
from harness.records.kinds import ErrorKind, ProviderMode, RequestStatus

FAILED_EVENT = "assist.draft.failed"

REQUEST_EVENTS: Mapping[str, str] = {
    COMPLETED_EVENT: "draft_graph",
    FAILED_EVENT: "draft_graph",
    "assist.suggest.completed": "suggest_options",
    "assist.suggest.failed": "suggest_options",
}
"""Events that end a request, and the task of each; the fields are those of the draft's events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedEvent:
    """One request that ended without an answer, as its service saw it. None means unknown.

    `draft_source` and `draft_model` name whoever was asked last. `status` is `rejected` when the cost guard
    refused, `timeout` when the provider was too slow, else `error`; `http_status` is what the client got.
    """

    ts: datetime
    request_id: str
    status: RequestStatus
    http_status: int | None
    error_kind: ErrorKind
    error_message: str
    draft_source: str | None
    draft_model: str | None
    draft_cost_usd: Decimal | None
    cost_usd: Decimal | None
    latency_ms: float
    environment: str | None
    provider_mode: ProviderMode | None
    strategy: str | None
    run_id: str | None
    stages_ms: Mapping[str, float]

    def payload(self) -> dict[str, Any]:
        """The event as a JSON object in frozen order."""
        fields: dict[str, Any] = {"event": FAILED_EVENT}
        fields.update((name, getattr(self, name)) for name in self.__dataclass_fields__)
        return fields
