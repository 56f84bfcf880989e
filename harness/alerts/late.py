"""What came too late for its window: an event that arrives after its rule's window has passed by still fires.

A breach is a stretch of windows, one after the other, that break the rule. It was told if the alert fired
while it lasted, or was told late already.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from harness.alerts.evaluate import RuleState, series
from harness.alerts.rule import Rule
from harness.alerts.transitions import Key, Standing, alert_event
from harness.records import AlertEvent, AlertState, utc_text
from harness.store import Snapshot

WINDOWS_A_WINDOW = 4
"""Looking back, a window ends this many times within another: no event falls between two."""
FINEST_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LateBreach:
    """A breach that nobody was told of.

    Attributes:
        worst: the state at the end of its worst window.
        began: end of its first window.
        ended: end of its last.
    """

    worst: RuleState
    began: datetime
    ended: datetime

    @property
    def note(self) -> str:
        """What people must know: it is not happening now."""
        return f"fired late: the data came after the window that ended at {self.worst.at:%Y-%m-%d %H:%M} UTC"


def late_breaches(
    view: Snapshot, rules: Iterable[Rule], at: datetime, late_by: timedelta, known: dict[Key, Standing]
) -> list[LateBreach]:
    """Breaches of the last while that no firing covers, at most one a rule and group, the latest.

    Args:
        view: an open snapshot.
        rules: what to look back with.
        at: the present moment of the check.
        late_by: how far back windows are looked at again.
        known: where each alert stands; one that fires is not looked at.
    """
    found: dict[Key, LateBreach] = {}
    for rule in rules:
        step = max(FINEST_STEP, timedelta(seconds=rule.window_s) / WINDOWS_A_WINDOW)
        groups: dict[str | None, list[RuleState]] = {}
        for state in series(view, rule, at - late_by, at - step, step):
            groups.setdefault(state.group, []).append(state)
        for group, states in groups.items():
            standing = known.get((rule.name, group))
            if standing is not None and standing.state is AlertState.FIRING:
                continue
            told = _told(view, rule.name, group)
            for breach in _stretches(states, step):
                if not any(begin <= breach.ended and end >= breach.began for begin, end in told):
                    found[rule.name, group] = breach
    return list(found.values())


def late_event(breach: LateBreach, at: datetime) -> AlertEvent:
    """A firing that is recorded now and says that it comes late."""
    event = alert_event(breach.worst, AlertState.FIRING)
    told = {"late_from": utc_text(breach.began), "late_to": utc_text(breach.ended), "note": breach.note}
    return replace(event, ts=at, detail={**event.detail, **told})


def _stretches(states: list[RuleState], step: timedelta) -> Iterator[LateBreach]:
    """Neighbouring ticks that break the rule, as one breach each."""
    stretch: list[RuleState] = []
    for state in [s for s in states if s.state is AlertState.FIRING]:
        if stretch and state.at - stretch[-1].at > step:
            yield _breach(stretch)
            stretch = []
        stretch.append(state)
    if stretch:
        yield _breach(stretch)


def _breach(stretch: list[RuleState]) -> LateBreach:
    worst = max(stretch, key=lambda state: abs((state.value or 0.0) - state.rule.threshold))
    return LateBreach(worst, stretch[0].at, stretch[-1].at)


def _told(view: Snapshot, rule: str, group: str | None) -> list[tuple[datetime, datetime]]:
    """The times in which the alert fired, and the breaches that it told late."""
    rows = view.rows(
        """SELECT ts, state, detail->>'$.late_from', detail->>'$.late_to' FROM alert_events
        WHERE rule = ? AND (detail->>'$.group') IS NOT DISTINCT FROM ? ORDER BY ts""",
        [rule, group],
    )
    spans: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for ts, state, late_from, late_to in rows:
        if late_from is not None and late_to is not None:
            spans.append((datetime.fromisoformat(late_from), datetime.fromisoformat(late_to)))
        elif state == AlertState.FIRING:
            since = ts
        elif state == AlertState.RESOLVED and since is not None:
            spans.append((since, ts))
            since = None
    return [(begin.astimezone(UTC), end.astimezone(UTC)) for begin, end in spans]
