"""From one evaluation to the next: what fires, what resolves, what is only still so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from harness.alerts.evaluate import RuleState, series
from harness.alerts.rule import Rule
from harness.records import AlertEvent, AlertState
from harness.store import Snapshot

Key = tuple[str, str | None]
"""A rule's name and a group's value: what fires and resolves by itself."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands after its last change."""

    state: AlertState
    since: datetime


def standings(view: Snapshot) -> dict[Key, Standing]:
    """The last change of every alert, from `alert_events`: what survives a restart."""
    rows = view.rows(
        """SELECT rule, detail->>'$.group' AS grp, arg_max(state, ts), max(ts)
        FROM alert_events GROUP BY ALL"""
    )
    return {(rule, group): Standing(AlertState(state), ts) for rule, group, state, ts in rows}


def changes(known: Mapping[Key, Standing], states: Iterable[RuleState]) -> list[AlertEvent]:
    """The changes of state that an evaluation brings, to be kept in `alert_events`.

    An alert that fires goes on firing while there is no data: silence is not health. One whose group is no
    longer seen, while others are, resolves.

    Args:
        known: where each alert stood.
        states: what `evaluate` found at one moment.
    """
    found = list(states)
    present = {(state.rule.name, state.group) for state in found}
    for (name, group), standing in known.items():
        others = [state for state in found if state.rule.name == name]
        told = any(state.state is not AlertState.NO_DATA for state in others)
        gone = others and told and (name, group) not in present
        if gone and standing.state is AlertState.FIRING:
            found.append(replace(others[0], group=group, state=AlertState.OK, value=None, n=0, unknown=0))
    events = []
    for state in found:
        standing = known.get((state.rule.name, state.group), Standing(AlertState.OK, _NEVER))
        became = _became(standing.state, state.state)
        if became is not None and state.at > standing.since:
            events.append(alert_event(state, became))
    return events


_NEVER = datetime.min.replace(tzinfo=UTC)


def _became(before: AlertState, now: AlertState) -> AlertState | None:
    """The state to record, or None when nothing changed."""
    if before is AlertState.FIRING:
        return AlertState.RESOLVED if now is AlertState.OK else None
    if now is AlertState.FIRING:
        return now
    silent = before is AlertState.NO_DATA
    if now is AlertState.NO_DATA:
        return None if silent else now
    return AlertState.OK if silent else None


def alert_event(state: RuleState, became: AlertState) -> AlertEvent:
    """The change as it is kept."""
    rule = state.rule
    return AlertEvent(
        ts=state.at,
        rule=rule.name,
        state=became,
        value=state.value,
        threshold=rule.threshold,
        detail={
            "title": rule.title,
            "severity": rule.severity,
            "group": state.group,
            "group_by": rule.group_by,
            "environment": rule.scope.environment,
            "shown": rule.shown(state.value),
            "n": state.n,
            "note": state.note or None,
            "message": rule.message,
        },
    )


def applied(known: Mapping[Key, Standing], events: Iterable[AlertEvent]) -> dict[Key, Standing]:
    """The standings after some changes."""
    after = dict(known)
    for event in events:
        after[event.rule, event.detail.get("group")] = Standing(event.state, event.ts)
    return after


def shown_state(standing: Standing | None, state: RuleState) -> AlertState:
    """What to show people: a firing alert fires until it resolves, and was resolved until something else."""
    if standing is not None and standing.state is AlertState.FIRING and state.state is not AlertState.OK:
        return AlertState.FIRING
    if standing is not None and standing.state is AlertState.RESOLVED and state.state is AlertState.OK:
        return AlertState.RESOLVED
    return state.state


def backtest(
    view: Snapshot, rules: Iterable[Rule], start: datetime, end: datetime, step: timedelta
) -> list[AlertEvent]:
    """What checks every `step` from `start` to `end` would have recorded; nothing is kept or sent."""
    by_tick: dict[datetime, list[RuleState]] = {}
    for rule in rules:
        for state in series(view, rule, start, end, step):
            by_tick.setdefault(state.at, []).append(state)
    known: dict[Key, Standing] = {}
    history = []
    for tick in sorted(by_tick):
        events = changes(known, by_tick[tick])
        known = applied(known, events)
        history += events
    return history
