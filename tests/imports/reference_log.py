"""A log in the shape of the reference service's: pino lines, events without request id and latency."""

import json
import random
from dataclasses import dataclass
from typing import Any

START_S = 1_795_435_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What really happened to one request; `streamed` failed inside an answer of status 200."""

    request_id: str
    start_s: float
    took_ms: int
    failed: bool
    streamed: bool


def reference_log(
    *,
    requests: int,
    failures: int,
    per_s: float,
    ids: list[str] | None = None,
    ends_s: list[float] | None = None,
) -> tuple[list[str], list[Served]]:
    """The lines, in order of time, and the truth.

    Args:
        requests: how many.
        failures: of them; every other one is an SSE error.
        per_s: requests a second.
        ids: what X-Request-Id says; None makes them up.
        ends_s: when each ended; None draws it.
    """
    rng = random.Random(1)
    every = requests // failures
    lines: list[tuple[float, dict[str, Any]]] = []
    truth = []
    for number in range(requests):
        took_ms = rng.randrange(900, 980)
        end_s = ends_s[number] if ends_s else START_S + number / per_s + took_ms / 1000
        failed = number % every == 3 and sum(row.failed for row in truth) < failures
        streamed = failed and number // every % 2 == 1
        served = Served(
            request_id=ids[number] if ids else f"q{number:03}",
            start_s=end_s - took_ms / 1000,
            took_ms=took_ms,
            failed=failed,
            streamed=streamed,
        )
        truth.append(served)
        lines += _lines(served, number, end_s)
    health = {
        "event": "boundary.response",
        "request_id": "h1",
        "endpoint": "/healthz",
        "status": 503,
        "elapsed_ms": 1,
    }
    lines.append((START_S, health))
    lines.sort(key=lambda item: item[0])
    return [
        json.dumps({"level": 30, "time": round(at * 1000), "pid": 7, **line}) for at, line in lines
    ], truth


def _lines(served: Served, number: int, end_s: float) -> list[tuple[float, dict[str, Any]]]:
    url, status = "/assist/draft-graph", 500 if served.failed and not served.streamed else 200
    completed = {
        "event": "assist.draft.completed",
        "confidence": 0.86,
        "quality_tier": "medium",
        "fallback_reason": None,
        "draft_source": "anthropic",
        "draft_model": "claude-sonnet-4-5",
        "draft_cost_usd": 0.0123,
        "cost_usd": 0.0123,
        "prompt_cache_hit": False,
    }
    broken = {
        "event": "assist.draft.sse_error",
        "stream_duration_ms": served.took_ms,
        "error": "upstream",
        "error_code": "INTERNAL",
        "correlation_id": f"c{number}",
    }
    boundary = {
        "event": "boundary.response",
        "request_id": served.request_id,
        "endpoint": url,
        "status": status,
    }
    found: list[tuple[float, dict[str, Any]]] = [
        (
            served.start_s,
            {"reqId": f"req-{number}", "req": {"method": "POST", "url": url}, "msg": "incoming request"},
        ),
        (end_s, {**boundary, "elapsed_ms": served.took_ms}),
        (
            end_s,
            {
                "reqId": f"req-{number}",
                "res": {"statusCode": status},
                "responseTime": float(served.took_ms),
                "msg": "request completed",
            },
        ),
    ]
    if served.streamed:
        found.append((end_s - 0.003, broken))
    elif not served.failed:
        found.append((end_s - 0.004, completed))
    return found
