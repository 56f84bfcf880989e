"""Rows of `events` and `alert_events`: things that happened at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.records.kinds import AlertState

CALIBRATION_EVENT = "harness.calibration"
"""Name of the event in which `harness calibrate` keeps what it found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A row of `events`: a named happening with its whole payload, unknown keys kept."""

    ts: datetime | None
    name: str
    request_id: str | None
    run_id: str | None
    environment: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """A row of `alert_events`: one change of state of one rule."""

    ts: datetime
    rule: str
    state: AlertState
    value: float | None
    threshold: float
    detail: Mapping[str, Any] = field(default_factory=dict)
