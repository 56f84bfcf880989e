"""Rows for the judges' tests: a run as the load generator and the service would have recorded it."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.figures.summary import run_summary
from harness.records import (
    Call,
    CallOutcome,
    Grade,
    LatencySource,
    ProviderMode,
    Request,
    RequestStatus,
    Role,
    Run,
    RunEnd,
    RunKind,
    RunStatus,
    tier_of,
)
from harness.report.write import ReportPaths, write_reports
from harness.store.database.memory_view import records_snapshot
from harness.store.snapshot import Snapshot

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SONNET = "claude-3-5-sonnet-20241022"
MINI = "gpt-4o-mini"


@dataclass(frozen=True, kw_only=True)
class JudgedRun:
    """A run's own row."""

    run_id: str = "run-1"
    kind: RunKind = RunKind.BASELINE
    name: str = "baseline-2026-11-23-120000"
    status: RunStatus = RunStatus.COMPLETED
    started_at: datetime = START
    ended_at: datetime | None = START + timedelta(minutes=5)
    environment: str | None = "demo"
    target: str | None = "http://127.0.0.1:3101"
    provider_mode: ProviderMode | None = ProviderMode.EMULATED
    git_sha: str | None = "0" * 40
    harness_version: str | None = "0.1.0"
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


def stored(run: JudgedRun) -> list[Run | RunEnd]:
    """The records that make the run's row."""
    begun = Run(
        run_id=run.run_id,
        kind=run.kind,
        name=run.name,
        started_at=run.started_at,
        status=run.status,
        environment=run.environment,
        target=run.target,
        provider_mode=run.provider_mode,
        git_sha=run.git_sha,
        harness_version=run.harness_version,
        config={**run.config, "summary": run.summary},
    )
    if run.ended_at is None:
        return [begun]
    return [begun, RunEnd(run_id=run.run_id, ended_at=run.ended_at, status=run.status, summary=run.summary)]


def view_of(
    rows: Sequence[Request],
    calls: Sequence[Call] = (),
    run: JudgedRun | None = None,
    grades: Sequence[Grade] = (),
) -> Snapshot:
    """The rows as a store of their own would show them."""
    run = run or JudgedRun()
    owned = [replace(row, run_id=run.run_id) for row in (*rows, *calls, *grades)]
    return records_snapshot([*stored(run), *owned], "judged rows")


def request(seq: int, latency_ms: float | None, **changes: Any) -> Request:
    """An answered draft at one request a second, drafted by sonnet; `changes` override any column."""
    score = 0.95
    at = START + timedelta(seconds=seq)
    row = Request(
        run_id="run-1",
        request_id=f"req-{seq:05d}",
        seq=seq,
        scenario="baseline",
        task="draft_graph",
        case_id=f"case-{seq % 40:02d}",
        status=RequestStatus.OK,
        http_status=200,
        scheduled_at=at,
        started_at=at + timedelta(microseconds=200),
        lateness_ms=0.2,
        latency_ms=latency_ms,
        service_ms=None if latency_ms is None else max(0.0, latency_ms - 0.2),
        latency_source=LatencySource.CLIENT,
        draft_source="anthropic",
        draft_model=SONNET,
        draft_cost_usd=Decimal("0.024"),
        cost_usd=Decimal("0.024"),
        draft_input_tokens=2000,
        draft_output_tokens=1200,
        quality_score=score,
        quality_tier=tier_of(score),
        provider_mode=ProviderMode.EMULATED,
        prompt_cache_hit=False,
        stages_ms=None if latency_ms is None else {"draft": latency_ms * 0.9, "validate": 1.0},
    )
    return replace(row, **changes)


def failed(seq: int, **changes: Any) -> Request:
    """A fast 503 without telemetry."""
    empty: dict[str, Any] = dict.fromkeys(
        (
            "draft_source",
            "draft_model",
            "draft_cost_usd",
            "cost_usd",
            "draft_input_tokens",
            "quality_score",
            "draft_output_tokens",
            "quality_tier",
            "provider_mode",
            "prompt_cache_hit",
            "stages_ms",
        )
    )
    row = request(seq, 3.0, status=RequestStatus.ERROR, http_status=503, error_message="busy", **empty)
    return replace(row, **changes)


def repaired(seq: int, latency_ms: float, **changes: Any) -> Request:
    """The spec's short hybrid: 2000/1200 sonnet, 800/400 gpt-4o-mini, $0.02436."""
    return request(
        seq,
        latency_ms,
        repair_source="openai",
        repair_model=MINI,
        repair_cost_usd=Decimal("0.00036"),
        repair_input_tokens=800,
        repair_output_tokens=400,
        cost_usd=Decimal("0.02436"),
        mixed_providers=True,
        **changes,
    )


def calls_of(rows: Sequence[Request]) -> list[Call]:
    """The attempts behind the rows: one draft each, one repair where one ran."""
    calls = []
    for row in rows:
        if row.draft_source is None:
            continue
        calls.append(_call(row, Role.DRAFT, "anthropic", SONNET, 2000, 1200, row.draft_cost_usd))
        if row.repair_source is not None:
            calls.append(_call(row, Role.REPAIR, "openai", MINI, 800, 400, row.repair_cost_usd))
    return calls


def _call(
    row: Request, role: Role, provider: str, model: str, tokens_in: int, tokens_out: int, cost: Decimal | None
) -> Call:
    return Call(
        run_id=row.run_id,
        request_id=row.request_id,
        call_id=f"{row.request_id}-{role.value}",
        role=role,
        attempt=1,
        provider=provider,
        model=model,
        started_at=row.started_at or START,
        latency_ms=1000.0,
        outcome=CallOutcome.OK,
        input_tokens=tokens_in,
        cache_read_tokens=0,
        output_tokens=tokens_out,
        cost_usd=cost,
    )


def report_of(rows: Sequence[Request], run: JudgedRun, folder: Path, **options: Any) -> ReportPaths:
    """The run's report files, its attempts included."""
    with closing(view_of(rows, calls_of(rows), run)) as view:
        row = view.run(run.run_id)
        return write_reports(view, row, run_summary(view, row), folder, **options)
