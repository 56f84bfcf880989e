"""Records for the store's tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.records import (
    COMPLETED_EVENT,
    Call,
    CallOutcome,
    Event,
    LatencySource,
    Request,
    RequestStatus,
    Role,
    Run,
    RunKind,
)
from harness.store import Spool, open_store

T0 = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
TABLES = ("runs", "requests", "calls", "grades", "events", "gate_results", "alert_events", "contents")


def a_run(run_id: str = "run-1", kind: RunKind = RunKind.BASELINE, **fields: Any) -> Run:
    return Run(run_id=run_id, kind=kind, name="nightly", **{"started_at": T0, **fields})


def a_request(number: int = 1, run_id: str = "run-1", **fields: Any) -> Request:
    values = {
        "started_at": T0 + timedelta(seconds=number),
        "latency_ms": 100.0 * number,
        "latency_source": LatencySource.CLIENT,
        "status": RequestStatus.OK,
        "seq": number,
    }
    return Request(run_id=run_id, request_id=f"q{number}", **{**values, **fields})


def an_event(number: int = 1, run_id: str | None = "run-1", **payload: Any) -> Event:
    body = {
        "event": COMPLETED_EVENT,
        "request_id": f"q{number}",
        "latency_ms": 90.5,
        "draft_source": "anthropic",
        "draft_cost_usd": Decimal("0.0285"),
        "repair_cost_usd": Decimal("0.00036"),
        "cost_usd": Decimal("0.02886"),
        "quality_tier": "high",
        "mixed_providers": True,
        "draft_input_tokens": 2000,
        "stages_ms": {"draft": 80.25},
    }
    return Event(
        ts=T0 + timedelta(seconds=number, milliseconds=95),
        name=COMPLETED_EVENT,
        request_id=f"q{number}",
        run_id=run_id,
        environment="demo",
        payload={**body, **payload},
    )


def a_call(number: int = 1, run_id: str | None = "run-1", **fields: Any) -> Call:
    values: dict[str, Any] = {
        "call_id": f"c{number}",
        "role": Role.DRAFT,
        "attempt": 1,
        "provider": "anthropic",
        "model": "claude",
        "started_at": T0 + timedelta(seconds=number),
        "latency_ms": 80.0,
        "outcome": CallOutcome.OK,
        "cost_usd": Decimal("0.0285"),
    }
    return Call(run_id=run_id, request_id=f"q{number}", **{**values, **fields})


def write(store: Path, *records: Any) -> None:
    with Spool.open(store) as spool:
        spool.append_many(records).result(10)


def everything(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    with open_store(store).snapshot() as view:
        return {table: sorted(view.rows(f"FROM {table}"), key=str) for table in TABLES}
