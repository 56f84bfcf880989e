"""The alert rules on this store: their state now, their series, and the changes that were recorded."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from harness.alerts.check import ShownState, current_states
from harness.alerts.evaluate import RuleState, series
from harness.alerts.rule import Rule
from harness.alerts.rule_file import RuleSet, load_rules
from harness.store import Snapshot

MOST = 2_000
TICKS = 96
"""Points of a rule's series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One change of state of one rule. `value` None is no data, never 0."""

    ts: datetime
    rule: str
    state: str
    value: float | None
    threshold: float | None
    detail: str | None


def rules_in_force() -> RuleSet:
    """The built-in rules, and those of the file that `harness alerts` takes too."""
    own = os.environ.get("HARNESS_ALERT_RULES")
    return load_rules(Path(own) if own else None)


def alert_states(view: Snapshot, at: datetime, rules: tuple[Rule, ...]) -> tuple[ShownState, ...]:
    """Every rule as it stands at a moment; nothing is recorded."""
    return tuple(current_states(view, rules, at))


def alert_series(view: Snapshot, rule: Rule, end: datetime, span: timedelta) -> tuple[RuleState, ...]:
    """A rule evaluated at even steps over a span that ends at a moment."""
    return tuple(series(view, rule, end - span, end, span / TICKS))


def latest_alertable(view: Snapshot) -> datetime | None:
    """When the last request of a service or of a log arrived: what the rules look at by default."""
    ((latest,),) = view.rows(
        """SELECT max(started_at) FROM requests SEMI JOIN (
            SELECT run_id FROM runs WHERE kind IN ('service', 'ingest')) USING (run_id)"""
    )
    return latest if isinstance(latest, datetime) else None


def alert_history(view: Snapshot) -> tuple[AlertRow, ...]:
    """All recorded changes of state, latest first."""
    rows = view.dicts(
        "SELECT ts, rule, state, value, threshold, detail FROM alert_events "  # noqa: S608 - a constant
        f"ORDER BY ts DESC, rule LIMIT {MOST}"
    )
    return tuple(AlertRow(**row) for row in rows)
