"""How things are, in one sentence: composed of figures, and no surer than they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.draw import labels
from dashboard.queries.home import Alerts, Change
from dashboard.queries.overview import LastGate, RunState
from harness.analysis.estimate import Estimate
from harness.figures.contributions import Contribution
from harness.figures.differences import Difference
from harness.report import wording

State = Literal["good", "caution", "bad", "unknown"]
MAX_ERROR_RATIO = 0.05
"""As the built-in alert on errors."""

MOST_OF_IT = 0.6
"""The share of a change that is called its cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the sentence is made of.

    Attributes:
        subject: `Production`, or the run's name.
        limit_ms: of the p95.
        per_hour_usd: None where it would be made up.
        alerts: None where the subject is not what alerts watch.
    """

    subject: str
    limit_ms: float
    p95: Estimate
    errors: Estimate
    per_request: Estimate
    per_hour_usd: float | None
    alerts: Alerts | None
    gate: LastGate | None
    runs: Sequence[RunState]
    change: Change | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """State, its sentence, and what changed."""

    state: State
    sentence: str
    change: str | None


def verdict(health: Health) -> Verdict:
    """The state by the worst that is known, and the sentence."""
    bad, caution = _faults(health)
    if bad:
        state: State = "bad"
    elif caution:
        state = "caution"
    else:
        state = "unknown" if health.p95.value is None else "good"
    word = {
        "good": "is healthy",
        "caution": "needs a look",
        "bad": "is not well",
        "unknown": "cannot be judged yet",
    }[state]
    why = f" ({'; '.join(bad or caution)})" if bad or caution else ""
    return Verdict(
        state=state,
        sentence=f"{health.subject} {word}{why}: {', '.join(_figures(health))}.",
        change=None if health.change is None else change_sentence(health.change),
    )


def _faults(health: Health) -> tuple[list[str], list[str]]:
    """What is wrong for certain, and what may be."""
    bad, caution = [], []
    p95, limit_ms = health.p95, health.limit_ms
    if p95.over_limit or (p95.low is not None and p95.low > limit_ms):
        bad.append("p95 is over its limit")
    elif p95.value is not None and p95.value > limit_ms:
        caution.append("p95 may be over its limit")
    if (health.errors.low or 0.0) > MAX_ERROR_RATIO:
        bad.append(f"more than {MAX_ERROR_RATIO:.0%} errors")
    for firing in health.alerts.firing if health.alerts else ():
        (bad if firing.severity == "critical" else caution).append(f"alert: {firing.title}")
    if health.gate is not None and health.gate.verdict != "PASS":
        (bad if health.gate.verdict == "FAIL" else caution).append(f"gate {health.gate.verdict}")
    if any(run.suspect for run in health.runs):
        caution.append("the load generator was late")
    return bad, caution


def _figures(health: Health) -> list[str]:
    p95 = health.p95
    if p95.over_limit:
        said = ["p95 among failures"]
    elif p95.value is None:
        said = [f"{labels.count(p95.n, 'request')}, too few for a p95"]
    else:
        open_end = p95.value <= health.limit_ms and (p95.high is None or p95.high > health.limit_ms)
        sure = f" (95% {labels.percentile_bounds(p95)})" if open_end else ""
        said = [f"p95 {_beside(p95.value, health.limit_ms)} of {labels.duration(health.limit_ms)}{sure}"]
    said.append(f"errors {labels.percent(health.errors.value)}")
    if health.per_request.value is None:
        said.append("cost unknown")
    else:
        said.append(f"{labels.usd(health.per_request.value)} a request")
    if health.per_hour_usd is not None:
        said.append(f"{labels.usd(health.per_hour_usd)}/h")
    if health.alerts is not None and not health.alerts.firing:
        said.append("no alert")
    return said


def _beside(value_ms: float, limit_ms: float) -> str:
    """Rounded, unless that would move it across its limit."""
    rounded = labels.duration(value_ms)
    return wording.ms(value_ms) if rounded == labels.duration(limit_ms) and value_ms != limit_ms else rounded


def change_sentence(found: Change) -> str:
    """What is shown to have changed, and where a change of cost comes from."""
    if found.found is None:
        return f"Not held against {found.before}: {found.refused}."
    said = [_moved(one) for one in found.found.found if one.shift.significant]
    if not said:
        return f"No change is shown against {found.before}."
    cost = found.found.named("cost_per_request")
    cause = _cause(found, cost) if cost is not None and cost.shift.significant else None
    return f"Against {found.before}: {', '.join(said)}{f', {cause}' if cause else ''}."


_NAMES = {"p95_latency": "p95", "error_ratio": "errors", "cost_per_request": "cost per request"}


def _moved(one: Difference) -> str:
    change, before = one.shift.change, one.shift.a.value
    way = "up" if (change.value or 0.0) > 0 else "down"
    return f"{_NAMES[one.figure.name]} {way} {_size(one, before)}"


def _size(one: Difference, before: float | None) -> str:
    change = one.shift.change
    size = abs(change.value or 0.0)
    if one.figure.name == "error_ratio":
        return f"{100 * size:.1f} points to {labels.percent(one.shift.b.value)}"
    if not before:
        return f"to {wording.value(one.shift.b.value, one.figure.unit)}"
    bounds = sorted(abs(bound) / before for bound in (change.low, change.high) if bound is not None)
    between = f" ({bounds[0]:.0%} to {bounds[1]:.0%})" if len(bounds) == 2 else ""
    return f"{size / before:.0%}{between}"


def _cause(found: Change, cost: Difference) -> str | None:
    whole = cost.shift.change.value or 0.0
    role = _main(found.roles, whole)
    if role is not None and role.group == "repair":
        return f"because {_shares('repairs', role)}"
    model = _main(found.models, whole)
    if model is not None:
        return f"because {_shares(f'drafts by {model.group}', model)}"
    return None if role is None else f"because {_shares('drafts', role)}"


def _main(parts: Sequence[Contribution], whole: float) -> Contribution | None:
    """The one part that makes up most of a change."""
    if not parts or not whole:
        return None
    return parts[0] if parts[0].change_usd / whole >= MOST_OF_IT else None


def _shares(name: str, part: Contribution) -> str:
    each_usd = part.before_usd / part.before_share if part.before_share else 0.0
    by_share = (part.after_share - part.before_share) * each_usd
    if not part.before_share or by_share / (part.change_usd or 1.0) >= MOST_OF_IT:
        return f"{name} went from {part.before_share:.0%} to {part.after_share:.0%} of the requests"
    return f"{name} cost {labels.usd(part.after_usd)} a request instead of {labels.usd(part.before_usd)}"
