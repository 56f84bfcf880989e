"""What an answered request gives its client: payload, headers, telemetry."""

from collections.abc import Mapping
from typing import Any

from harness.orchestration.outcome import PipelineResult
from harness.records import CompletedEvent, dump_json
from harness.service.intake import Envelope

MAX_TELEMETRY_BYTES = 4096


def public_payload(result: PipelineResult, *, debug: bool) -> dict[str, Any]:
    """What the client gets; with `include_debug` also how the answer came about."""
    if not debug:
        return result.payload
    calls = [
        {"role": c.role, "provider": c.provider, "model": c.model, "attempt": c.attempt, "outcome": c.outcome}
        for c in result.calls
    ]
    parts = {"score_parts": dict(result.quality.parts), "stages_ms": dict(result.event.stages_ms)}
    violations = [{"code": v.code, "message": v.message, "where": v.where} for v in result.violations]
    return {**result.payload, "debug": {"calls": calls, "draft_violations": violations, **parts}}


def answer_headers(event: CompletedEvent, envelope: Envelope) -> dict[str, str]:
    """`X-Request-Id`, `Server-Timing`, and the telemetry header where it is wanted and fits."""
    headers = {
        "x-request-id": envelope.request_id,
        "server-timing": server_timing(event.stages_ms, event.latency_ms),
    }
    if envelope.wants_telemetry:
        text = dump_json(event.payload(), ascii_only=True)
        if len(text) <= MAX_TELEMETRY_BYTES:
            headers["x-assist-telemetry"] = text.decode("ascii")
    return headers


def server_timing(stages_ms: Mapping[str, float], total_ms: float) -> str:
    """Stage durations as the W3C `Server-Timing` header writes them, milliseconds.

    Source: https://www.w3.org/TR/server-timing/
    """
    parts = [*stages_ms.items(), ("total", total_ms)]
    return ", ".join(f"{name};dur={duration:.3f}" for name, duration in parts)
