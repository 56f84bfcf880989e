# ruff: noqa: S608 - constant SQL, values are bound
"""What the first page answers: how things are, what changed, what fires, and how the ways compare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dashboard.frame.scope import Scope
from dashboard.queries.alerts import alert_states, latest_alertable, rules_in_force
from harness.figures import Rows, figure_named
from harness.figures.best import Ranked, ranked
from harness.figures.contributions import Contribution, contributions, role_contributions
from harness.figures.differences import Differences, compared
from harness.figures.sides import comparability, whole_side
from harness.store import Snapshot

HEADLINES = ("p95_latency", "error_ratio", "cost_per_request")
COMPARED = ("p50_latency", "p95_latency", "error_ratio", "cost_per_request", "high_tier", "quality_score")
MOST_GROUPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How the selection differs from what came before it.

    Attributes:
        before: what it is held against: `the 24 hours before`, or a run's name.
        found: the headline figures; None where the two cannot be compared.
        refused: why not.
        roles: draft's and repair's part of the change of the cost per request, the larger first.
        models: each draft model's part.
    """

    before: str
    found: Differences | None
    refused: str | None = None
    roles: tuple[Contribution, ...] = ()
    models: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One alert that fires."""

    title: str
    group: str | None
    severity: str
    message: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """What fires. `at` is the moment that was judged: now, or when the last request arrived."""

    at: datetime
    firing: tuple[Firing, ...]
    judged: int


def alerts_now(view: Snapshot, now: datetime) -> Alerts | None:
    """What fires now, or did when the last request of a service or a log arrived; None without such requests.

    Args:
        view: the store.
        now: aware.
    """
    latest = latest_alertable(view)
    if latest is None:
        return None
    at = min(now, latest + timedelta(seconds=1))
    found = {
        (shown.found.rule.name, shown.found.group): shown
        for moment in dict.fromkeys((now, at))
        for shown in alert_states(view, moment, rules_in_force().rules)
        if shown.state == "firing"
    }
    judged = len(rules_in_force().rules)
    firing = tuple(
        Firing(
            title=shown.found.rule.title,
            group=shown.found.group,
            severity=shown.found.rule.severity,
            message=shown.found.rule.message,
            since=shown.since,
        )
        for shown in found.values()
    )
    order = {"critical": 0, "warning": 1}
    return Alerts(
        at=at, firing=tuple(sorted(firing, key=lambda one: order.get(one.severity, 2))), judged=judged
    )


def change(view: Snapshot, scope: Scope) -> Change | None:
    """The selection against the window before it, a run against the one before; None where there is none."""
    after = Rows(view, scope)
    if scope.since is not None and scope.kind in ("service", "ingest"):
        span = (scope.until or _end(view, after)) - scope.since
        before = Rows(view, replace(scope, since=scope.since - span, until=scope.since))
        if not before.n:
            return None
        return _changed(f"the {_span(span)} before", before, after)
    if len(scope.run_ids) != 1:
        return None
    run = view.run(scope.run_ids[0])
    earlier = view.rows(
        """SELECT run_id FROM runs WHERE kind = ? AND target IS NOT DISTINCT FROM ? AND started_at < ?
        AND environment IS NOT DISTINCT FROM ? ORDER BY started_at DESC LIMIT 1""",
        [run.kind.value, run.target, run.started_at.astimezone(UTC).replace(tzinfo=None), run.environment],
    )
    if not earlier:
        return None
    other = view.run(earlier[0][0])
    sides = [whole_side(view, one, selection=replace(scope, run_ids=())) for one in (other, run)]
    between = comparability(sides[0], sides[1])
    refused = between.refused or between.latency
    if refused is not None:
        return Change(before=other.name, found=None, refused=refused)
    return _changed(other.name, sides[0].rows, sides[1].rows)


def _changed(name: str, before: Rows, after: Rows) -> Change:
    (found,) = compared(before, [after], HEADLINES)
    return Change(
        before=name,
        found=found,
        roles=role_contributions(before, after),
        models=contributions(before, after, "model"),
    )


def _end(view: Snapshot, rows: Rows) -> datetime:
    ((last,),) = view.rows(f"SELECT max(last_at) FROM {rows.tally.table}")
    return last if isinstance(last, datetime) else datetime.now(UTC)


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 47.5 else f"{max(1, hours):.0f} hours"


def side_by_side_by(view: Snapshot, scope: Scope) -> str:
    """What the ways are told apart by: the strategy where there are several, else model, else provider."""
    ((strategies, models),) = view.rows(
        f"""SELECT count(DISTINCT strategy), count(DISTINCT draft_model)
        FROM {Rows(view, scope).combinations.table}"""
    )
    return "strategy" if strategies > 1 or models < 2 else "model"


def ways_compared(view: Snapshot, scope: Scope, by: str) -> Ranked:
    """The figures of each strategy, model or provider, and the best where that is shown."""
    return ranked(Rows(view, scope), [figure_named(name) for name in COMPARED], by)


def groups_shown(found: Ranked) -> Sequence[str]:
    """The largest groups."""
    return list(found.groups)[:MOST_GROUPS]
