"""What a page shows when nothing is asked: production's last day, else the latest run; never all in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.frame.scope import MODE_ORDER
from dashboard.queries.facets import Facet, Facets

PRODUCTION = "production"
LAST = timedelta(days=1)
_PRODUCTION_KINDS = ("service", "ingest")


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultView:
    """What stands for the filters that nobody set, in words; `name` is the run's, from the data."""

    words: str
    kind: str | None
    mode: str | None
    name: str | None = None
    run: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    since: datetime | None = None


def default_view(found: Facets, *, several: bool = False) -> DefaultView | None:
    """The view of a store when nothing is asked; None for a store without requests.

    Args:
        found: what there is.
        several: prefer a run of several strategies.
    """
    if several and (run := _latest(found, found.of_several_strategies())) is not None:
        return run
    return _production(found) or _latest(found, {facet.run_id for facet in found.facets})


def _production(found: Facets) -> DefaultView | None:
    fitting = [f for f in found.facets if f.environment == PRODUCTION and f.kind in _PRODUCTION_KINDS]
    if not fitting:
        return None
    best = min(fitting, key=lambda f: (_rank(f.mode), _PRODUCTION_KINDS.index(f.kind)))
    span = found.production_span
    since = None
    words = "production"
    if span is not None:
        first, last = span
        if last - first > LAST:
            since, words = last - LAST, f"production, the 24 hours up to {last:%Y-%m-%d %H:%M} UTC"
    return DefaultView(words=words, kind=best.kind, mode=best.mode, environment=(PRODUCTION,), since=since)


def _latest(found: Facets, run_ids: set[str]) -> DefaultView | None:
    run = next((run for run in found.runs if run.run_id in run_ids), None)
    if run is None:
        return None
    own: Sequence[Facet] = [f for f in found.facets if f.run_id == run.run_id]
    mode = min((f.mode for f in own), key=_rank)
    return DefaultView(
        words="the latest run", name=run.name, kind=run.kind, mode=mode, run=(found.label_of(run),)
    )


def _rank(mode: str) -> int:
    return MODE_ORDER.index(mode) if mode in MODE_ORDER else len(MODE_ORDER)
