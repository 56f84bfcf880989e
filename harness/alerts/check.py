"""One check: evaluate, keep the changes, tell people. Two at once cannot both fire the same alert."""

import fcntl
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.alerts.evaluate import RuleState, evaluate
from harness.alerts.late import late_breaches, late_event
from harness.alerts.measures import unknown_tags
from harness.alerts.rule import Rule
from harness.alerts.transitions import changes, shown_state, standings
from harness.alerts.webhook import Webhook
from harness.errors import StoreError
from harness.records import AlertEvent, AlertState, Event
from harness.store import Snapshot, Spool, open_store

NOTIFIED_EVENT = "harness.alert.notified"
"""In `events`: this change has been told; without it, the next check tells it."""
NOTIFY_WITHIN = timedelta(hours=6)
"""An older change is history, not news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownState:
    """A rule's state as people see it: `resolved` until something else, firing through silence."""

    found: RuleState
    state: AlertState
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What one check found and did.

    Attributes:
        at: the moment that was judged.
        states: every rule, and group, as it stands now.
        changes: what was recorded; of a dry run, what would have been.
        told: notifications that were delivered.
        problems: notifications that could not be delivered, without the address.
        remarks: sentences about rules that can find nothing.
    """

    at: datetime
    states: list[ShownState]
    changes: list[AlertEvent]
    told: int = 0
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def firing(self) -> list[ShownState]:
        """What fires now."""
        return [shown for shown in self.states if shown.state is AlertState.FIRING]


def current_states(view: Snapshot, rules: Iterable[Rule], at: datetime) -> list[ShownState]:
    """Every rule as people see it, from the store as it is; records nothing."""
    known = standings(view)
    states = evaluate(view, rules, at)
    shown = []
    for state in states:
        standing = known.get((state.rule.name, state.group))
        display = shown_state(standing, state)
        shown.append(ShownState(found=state, state=display, since=standing.since if standing else None))
    return shown


def check_alerts(
    store_dir: Path,
    rules: Iterable[Rule],
    at: datetime,
    *,
    webhook: Webhook | None = None,
    dry_run: bool = False,
    late_by: timedelta | None = None,
) -> CheckReport:
    """Evaluate the rules and keep what changed; tell what was not told yet.

    A change is durable before it is told, and told again by the next check if that did not succeed: a crash
    in between can repeat a message, never lose one.

    Args:
        store_dir: the store's folder.
        rules: what to evaluate.
        at: aware; changes older than an alert's last one are not recorded.
        webhook: where to tell; None tells nobody.
        dry_run: record nothing, tell nobody.
        late_by: look again at windows that ended this long ago, for data that came late; None looks at none.

    Raises:
        StoreError: the store cannot be used.
    """
    listed = list(rules)
    store = open_store(store_dir)
    store.ingest()
    if dry_run:
        with store.snapshot() as view:
            found = current_states(view, listed, at)
            changed, remarks = _changes(view, found, at, late_by), tuple(unknown_tags(view, listed))
            return CheckReport(at=at, states=found, changes=changed, remarks=remarks)
    with _alone(store_dir):
        with store.snapshot() as view:
            found = current_states(view, listed, at)
            changed = _changes(view, found, at, late_by)
            remarks = tuple(unknown_tags(view, listed))
            untold = [] if webhook is None else _untold(view, at)
        with Spool.open(store_dir) as spool:
            if changed:
                spool.append_many(changed).result()
            told, problems = _tell(spool, [*untold, *changed], webhook)
    known = {(event.rule, event.detail.get("group")): event for event in changed}
    states = [_after(shown, known.get((shown.found.rule.name, shown.found.group))) for shown in found]
    return CheckReport(
        at=at, states=states, changes=changed, told=told, problems=tuple(problems), remarks=remarks
    )


def _changes(
    view: Snapshot, found: list[ShownState], at: datetime, late_by: timedelta | None
) -> list[AlertEvent]:
    known = standings(view)
    now = changes(known, [shown.found for shown in found])
    if late_by is None:
        return now
    rules = {shown.found.rule.name: shown.found.rule for shown in found}.values()
    fired = {(event.rule, event.detail.get("group")) for event in now if event.state is AlertState.FIRING}
    late = [
        late_event(breach, at)
        for breach in late_breaches(view, rules, at, late_by, known)
        if (breach.worst.rule.name, breach.worst.group) not in fired
    ]
    told_late = {(event.rule, event.detail.get("group")) for event in late}
    return [event for event in now if (event.rule, event.detail.get("group")) not in told_late] + late


def _after(shown: ShownState, event: AlertEvent | None) -> ShownState:
    if event is None:
        return shown
    return ShownState(found=shown.found, state=event.state, since=event.ts)


def _untold(view: Snapshot, at: datetime) -> list[AlertEvent]:
    """Recent changes that nobody has been told of: a webhook was down, or a service recorded them itself."""
    rows = view.dicts(
        """SELECT ts, rule, state, value, threshold, detail FROM alert_events a
        WHERE state IN ('firing', 'resolved') AND ts > $since AND ts <= $at AND NOT EXISTS (
            FROM events e WHERE e.name = $told AND (e.payload->>'$.rule') = a.rule
                AND (e.payload->>'$.group') IS NOT DISTINCT FROM (a.detail->>'$.group')
                AND (e.payload->>'$.state') = a.state
                AND (e.payload->>'$.changed_at') = strftime(a.ts, '%Y-%m-%dT%H:%M:%S.%fZ')
        ) ORDER BY ts""",
        {
            "since": (at - NOTIFY_WITHIN).astimezone(UTC).replace(tzinfo=None),
            "at": at.astimezone(UTC).replace(tzinfo=None),
            "told": NOTIFIED_EVENT,
        },
    )
    return [
        AlertEvent(
            ts=row["ts"],
            rule=row["rule"],
            state=AlertState(row["state"]),
            value=row["value"],
            threshold=row["threshold"] or 0.0,
            detail=json.loads(row["detail"] or "{}"),
        )
        for row in rows
    ]


def _tell(spool: Spool, events: list[AlertEvent], webhook: Webhook | None) -> tuple[int, list[str]]:
    """Tell what fires and resolves, oldest first, and keep that it was told."""
    if webhook is None:
        return 0, []
    told, problems = 0, []
    for event in events:
        if event.state not in (AlertState.FIRING, AlertState.RESOLVED):
            continue
        delivery = webhook.send(event)
        if not delivery.delivered:
            problems.append(f"{event.rule}: {delivery.problem}; the next check tries again")
            continue
        told += 1
        spool.append(_told(event)).result()
    return told, problems


def _told(event: AlertEvent) -> Event:
    payload = {
        "rule": event.rule,
        "group": event.detail.get("group"),
        "state": event.state,
        "changed_at": event.ts,
    }
    return Event(
        ts=event.ts, name=NOTIFIED_EVENT, request_id=None, run_id=None, environment=None, payload=payload
    )


@contextmanager
def _alone(store_dir: Path) -> Iterator[None]:
    """Hold the lock of checks: of two at once, the second sees what the first recorded."""
    path = Path(store_dir) / "alerts.lock"
    try:
        file = path.open("ab")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
