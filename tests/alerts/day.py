"""A synthetic day of telemetry with planted incidents, as a log that any service could have written.

Ten requests a minute, $0.001 each, a tenth of them repaired by the other provider, except:

    04:00-05:00  silence
    07:00        sixty requests of $0.10 within a minute: $6 within an hour until 08:00
    10:00-10:04  every request fails
    13:00        one draft from fixtures;  15:30  one repair from fixtures
    18:00-       every request is repaired by the other provider
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

DAY = datetime(2026, 11, 22, tzinfo=UTC)
EVERY = timedelta(minutes=5)


def at(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


def events() -> Iterator[dict[str, Any]]:
    for minute in range(24 * 60):
        moment = DAY + timedelta(minutes=minute)
        if at("04:00") <= moment < at("05:00"):
            continue
        for index in range(10):
            yield event(f"m{minute}-{index}", moment + timedelta(seconds=6 * index + 1), index)
        if moment == at("07:00"):
            for index in range(60):
                yield event(f"dear-{index}", moment + timedelta(seconds=index), 5, cost_usd=0.1)
    yield event("fix-draft", at("13:00") + timedelta(seconds=30), 5, draft_source="fixtures")
    yield event("fix-repair", at("15:30") + timedelta(seconds=30), 5, repair_source="fixtures")


def event(request_id: str, moment: datetime, index: int, **fields: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "event": "assist.draft.completed",
        "ts": moment.isoformat(),
        "request_id": request_id,
        "environment": "production",
        "draft_source": "anthropic",
        "cost_usd": 0.001,
        "latency_ms": 0,
    }
    if index == 0 or moment >= at("18:00"):
        told |= {"repair_source": "openai", "mixed_providers": True}
    if at("10:00") <= moment < at("10:04"):
        told |= {"event": "assist.draft.failed", "status": "error", "error_kind": "overloaded"}
    return told | fields


def write_day(path: Path, first: str = "00:00", last: str = "23:59", **fields: Any) -> Path:
    """The day, or a part of it, with some fields said otherwise."""
    part = (told for told in events() if at(first).isoformat() <= told["ts"] <= at(last).isoformat())
    path.write_text("".join(json.dumps({**told, **fields}) + "\n" for told in part))
    return path
