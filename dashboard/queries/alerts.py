"""What the alert rules found: their present state and their history."""

from dataclasses import dataclass
from datetime import datetime

from harness.store import Snapshot

MOST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One change of state of one rule. `value` None is no data, never 0."""

    ts: datetime
    rule: str
    state: str
    value: float | None
    threshold: float | None
    detail: str | None


def alert_history(view: Snapshot) -> tuple[AlertRow, ...]:
    """All changes of state, latest first."""
    rows = view.dicts(
        "SELECT ts, rule, state, value, threshold, detail FROM alert_events "  # noqa: S608 - a constant
        f"ORDER BY ts DESC, rule LIMIT {MOST}"
    )
    return tuple(AlertRow(**row) for row in rows)
