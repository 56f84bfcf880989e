"""Data that comes late fires late, once, and says so; what was told in time is not told again."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from harness.alerts import check_alerts, load_rules
from harness.alerts.webhook import message
from harness.records import AlertEvent
from harness.store import ingest_events
from tests.alerts.day import at, event

LATE_BY = timedelta(hours=2)
RULES = [rule for rule in load_rules() if rule.name in ("cost_spike", "fixtures_in_production")]


def take(store: Path, *events: dict[str, Any]) -> None:
    log = store.parent / f"log-{len(list(store.parent.iterdir()))}.jsonl"
    log.write_text("".join(json.dumps(told) + "\n" for told in events))
    ingest_events(store, log)


def watched(store: Path, clock: datetime, late_by: timedelta | None = LATE_BY) -> list[AlertEvent]:
    changes = check_alerts(store, RULES, clock, late_by=late_by).changes
    return [change for change in changes if change.state in ("firing", "resolved")]


def quiet(clock: str) -> dict[str, Any]:
    return event(f"q{clock}", at(clock), 5)


def test_an_event_ninety_minutes_late_fires_once_and_says_so(tmp_path: Path) -> None:
    store = tmp_path / "store"
    take(store, quiet("07:00"), quiet("08:20"), quiet("08:29"))
    assert watched(store, at("08:29")) == []
    take(store, event("dear", at("07:00") + timedelta(seconds=5), 5, cost_usd=6))
    assert watched(store, at("08:30"), late_by=None) == []  # as it was: never
    (fired,) = watched(store, at("08:30") + timedelta(seconds=1))
    assert (fired.rule, fired.state, fired.ts) == ("cost_spike", "firing", at("08:30") + timedelta(seconds=1))
    assert "fired late" in fired.detail["note"]
    assert message(fired)["text"] == "FIRING (warning) (late): Cost spike: $6.001/h, threshold 5"
    (resolved,) = watched(store, at("08:31"))
    assert resolved.state == "resolved"
    for clock in ("08:32", "08:45", "08:59"):
        take(store, quiet(clock))
        assert watched(store, at(clock)) == []


def test_what_fired_in_time_does_not_fire_late(tmp_path: Path) -> None:
    store = tmp_path / "store"
    take(
        store,
        event("fix", at("07:00"), 5, draft_source="fixtures"),
        *(quiet(f"07:{n:02d}") for n in range(60)),
    )
    told = [
        (change.state, change.ts)
        for minute in range(0, 60, 2)
        for change in watched(store, at("07:01") + timedelta(minutes=minute))
    ]
    assert told == [("firing", at("07:01")), ("resolved", at("07:05"))]


def test_beyond_the_limit_it_is_history(tmp_path: Path) -> None:
    store = tmp_path / "store"
    take(store, quiet("10:00"), event("fix", at("07:00"), 5, draft_source="fixtures"))
    assert watched(store, at("10:00")) == []
