"""Rules against a store: the state now, and the series behind it, by one query."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.alerts.measures import points
from harness.alerts.rule import Rule
from harness.records import AlertState
from harness.store import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What a rule found in the window that ends at `at`.

    Attributes:
        rule: the rule.
        group: value of its `group_by`; None without one, and for requests that do not tell it.
        at: end of the window, UTC.
        state: ok, firing or no_data.
        value: in the metric's unit, for `compare: change` the difference; None when unknown.
        previous: the value of the window before, for `compare: change`.
        n: requests in the window of which the metric is known.
        unknown: requests in the window of which it is not.
    """

    rule: Rule
    group: str | None
    at: datetime
    state: AlertState
    value: float | None
    previous: float | None = None
    n: int = 0
    unknown: int = 0

    @property
    def note(self) -> str:
        """What a reader must know beside the value; empty when nothing."""
        notes = []
        if self.state is AlertState.NO_DATA:
            needed = self.rule.min_samples
            each = " in each of two windows" if self.rule.compare == "change" else ""
            notes.append(f"{self.n} of at least {needed} requests{each}")
        if self.unknown:
            partial = self.rule.aggregation in ("sum", "per_hour", "count")
            notes.append(f"unknown for {self.unknown} more{': a lower bound' if partial else ''}")
        return "; ".join(notes)


def evaluate(view: Snapshot, rules: Iterable[Rule], at: datetime) -> list[RuleState]:
    """Each rule's state in the window that ends at a moment; one a group for rules with groups.

    Args:
        view: an open snapshot.
        rules: what to evaluate.
        at: aware; a request exactly at the window's beginning is outside, at its end inside.

    Returns:
        ok, firing or no_data; never an empty window read as 0.
    """
    return [state for rule in rules for state in series(view, rule, at, at, timedelta(seconds=1))]


def series(view: Snapshot, rule: Rule, start: datetime, end: datetime, step: timedelta) -> list[RuleState]:
    """The rule evaluated at `start`, `start + step`, ... up to `end`; a tick without requests is no_data.

    Raises:
        ValueError: the step is not positive.
    """
    if step.total_seconds() <= 0:
        raise ValueError(f"not a step forward: {step}")
    rows: dict[datetime, list[dict[str, Any]]] = {}
    for row in points(view, rule, start.astimezone(UTC), end.astimezone(UTC), step):
        rows.setdefault(row["tick"], []).append(row)
    states = []
    tick = start.astimezone(UTC)
    while tick <= end:
        states += [_judged(rule, tick, row) for row in rows.get(tick, [])] or [_empty(rule, tick)]
        tick += step
    return states


def _empty(rule: Rule, at: datetime) -> RuleState:
    return RuleState(rule=rule, group=None, at=at, state=AlertState.NO_DATA, value=None)


def _judged(rule: Rule, at: datetime, row: dict[str, Any]) -> RuleState:
    value = None if row["value"] is None else float(row["value"])
    previous = None if row["previous"] is None else float(row["previous"])
    counted = row["n"]
    enough = row["n"] >= rule.min_samples
    if rule.compare == "change":
        enough = enough and row["previous_n"] >= rule.min_samples
        counted = min(row["n"], row["previous_n"])
        value = None if value is None or previous is None else value - previous
    if not enough or value is None:
        state = AlertState.NO_DATA
        value = None if not enough else value
    else:
        state = AlertState.FIRING if rule.breached(value) else AlertState.OK
    return RuleState(
        rule=rule,
        group=row["grp"],
        at=at,
        state=state,
        value=value,
        previous=previous if rule.compare == "change" else None,
        n=counted,
        unknown=row["requests"] - row["n"],
    )
