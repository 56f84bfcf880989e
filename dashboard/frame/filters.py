"""The sidebar: filters that live in the URL, so that a link reproduces the view."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from dashboard.frame.defaults import DefaultView, default_view
from dashboard.frame.scope import KIND_ORDER, MODE_ORDER, Scope
from dashboard.frame.states import warned
from dashboard.queries.facets import Facet, Facets
from harness.figures.tags import TAG_PREFIX, Tag
from harness.records import environment_name

WINDOWS = {
    "last hour": timedelta(hours=1),
    "last 24 hours": timedelta(days=1),
    "last 7 days": timedelta(days=7),
    "last 30 days": timedelta(days=30),
}
CUSTOM = "from ... to ..."
TAG_FILTERS = 16
TAG_OPTIONS = 200
"""Tags that have a filter, and values offered in its list; others are found by a link, or typed."""
RUN_OPTIONS = 200
"""Runs offered in the list; an older one is found by its name or id in the URL, or typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the sidebar asks for.

    Attributes:
        scope: None when a value is not in the store: then nothing is shown, never more than was asked.
        missing: (filter, value) of what is not in the store.
        elsewhere: requests of the other kinds and modes, which no figure here contains.
        default: what was chosen because nothing was asked; None where something was.
    """

    scope: Scope | None
    missing: tuple[tuple[str, str], ...]
    elsewhere: tuple[tuple[str, str, int], ...]
    default: DefaultView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    kind: str | None
    mode: str | None
    environment: tuple[str, ...]
    run: tuple[str, ...]
    strategy: tuple[str, ...]
    provider: tuple[str, ...]
    model: tuple[str, ...]
    tags: tuple[Tag, ...] = ()
    since: datetime | None
    until: datetime | None
    window: str | None = None


_NOTHING = _Asked(
    kind=None,
    mode=None,
    environment=(),
    run=(),
    strategy=(),
    provider=(),
    model=(),
    since=None,
    until=None,
)


def sidebar(found: Facets, *, several: bool = False) -> Selection:
    """Draw the filters and say what they select.

    Args:
        found: what there is to choose from.
        several: the page compares strategies, so where nothing is asked it shows a run of several.
    """
    with st.sidebar:
        asked = _draw(found)
        selection = select(found, asked, several=several)
        if selection.missing:
            with warned("Not in this store", icon=":material/search_off:"):
                for name, value in selection.missing:
                    st.text(f"{name}: {value} (not found)")
    return selection


def keep_filters() -> None:
    """A page to which no filter applies keeps what the others were asked."""
    for key in ("kind", "mode", "run", "environment", "strategy", "provider", "model", "window"):
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def select_nothing(found: Facets) -> Selection:
    """The selection of a page to which no filter applies."""
    return select(found, _NOTHING)


def select(found: Facets, asked: "_Asked", *, several: bool = False) -> Selection:
    """The scope of what was asked; kind and mode are chosen where they were left open.

    Where nothing at all is asked: production's last day, else the latest run, never all runs in one.
    """
    chosen = None if _anything(asked) else default_view(found, several=several)
    if chosen is not None:
        asked = replace(
            asked,
            kind=chosen.kind,
            mode=chosen.mode,
            run=chosen.run,
            environment=chosen.environment,
            since=chosen.since,
        )
    run_ids = tuple(dict.fromkeys(i for label in asked.run for i in found.runs_named(label)))
    missing = tuple(_missing(found, asked))
    fitting = [f for f in found.facets if not run_ids or f.run_id in run_ids]
    kind, mode = _kind_and_mode(fitting or found.facets, asked)
    counts = Counter({(f.kind, f.mode): 0 for f in fitting})
    for facet in fitting:
        counts[facet.kind, facet.mode] += facet.requests
    elsewhere = tuple((k, m, n) for (k, m), n in sorted(counts.items()) if (k, m) != (kind, mode))
    scope = Scope(
        kind=kind,
        mode=mode,
        run_ids=run_ids,
        environments=tuple(map(_environment, asked.environment)),
        providers=asked.provider,
        models=asked.model,
        strategies=asked.strategy,
        tags=asked.tags,
        since=asked.since,
        until=asked.until,
    )
    if chosen is not None:
        everything = Counter({(f.kind, f.mode): 0 for f in found.facets})
        for facet in found.facets:
            everything[facet.kind, facet.mode] += facet.requests
        elsewhere = tuple((k, m, n) for (k, m), n in sorted(everything.items()) if (k, m) != (kind, mode))
    return Selection(scope=None if missing else scope, missing=missing, elsewhere=elsewhere, default=chosen)


def _anything(asked: _Asked) -> bool:
    return asked != _NOTHING


def _environment(asked: str) -> str:
    return environment_name(asked) or asked


def _missing(found: Facets, asked: _Asked) -> Iterable[tuple[str, str]]:
    known: tuple[tuple[str, Sequence[str], Sequence[str]], ...] = (
        ("window", (asked.window,) if asked.window else (), [*WINDOWS, CUSTOM]),
        ("kind", (asked.kind,) if asked.kind else (), [f.kind for f in found.facets]),
        ("mode", (asked.mode,) if asked.mode else (), [f.mode for f in found.facets]),
        ("environment", tuple(map(_environment, asked.environment)), found.environments()),
        ("strategy", asked.strategy, found.strategies()),
        ("provider", asked.provider, found.providers()),
        ("model", asked.model, found.models()),
    )
    for name, values, there in known:
        yield from ((name, value) for value in values if value not in there)
    yield from (
        (f"{TAG_PREFIX}{name}", value) for name, value in asked.tags if not found.tag(name).holds(value)
    )
    yield from (("run", value) for value in asked.run if not found.runs_named(value))


def _kind_and_mode(facets: Sequence[Facet], asked: _Asked) -> tuple[str, str]:
    """Live before emulated before fixtures; then the measured kinds before the rest."""
    open_ones = [
        (f.kind, f.mode)
        for f in facets
        if asked.kind in (None, f.kind) and asked.mode in (None, f.mode) and f.requests
    ]
    fallback = (asked.kind or KIND_ORDER[0], asked.mode or MODE_ORDER[1])
    return min(
        open_ones, key=lambda pair: (_rank(pair[1], MODE_ORDER), _rank(pair[0], KIND_ORDER)), default=fallback
    )


def _rank(value: str, order: Sequence[str]) -> int:
    return order.index(value) if value in order else len(order)


def _draw(found: Facets) -> _Asked:
    kinds = [kind for kind in KIND_ORDER if any(f.kind == kind for f in found.facets)]
    modes = [mode for mode in MODE_ORDER if any(f.mode == mode for f in found.facets)]
    kind = _choice("Kind of run", "kind", kinds, "automatic")
    mode = _choice("Provider mode", "mode", modes, "automatic: live if there is any")
    labels = [found.label_of(run) for run in found.runs[:RUN_OPTIONS] if _has_requests(found, run.run_id)]
    runs = _choices("Run", "run", labels)
    window, since, until = _window()
    return _Asked(
        kind=kind,
        mode=mode,
        run=runs,
        window=window,
        since=since,
        until=until,
        environment=_choices("Environment", "environment", found.environments()),
        strategy=_choices("Strategy", "strategy", found.strategies()),
        provider=_choices("Provider", "provider", found.providers()),
        model=_choices("Model", "model", found.models()),
        tags=_tags(found),
    )


def _tags(found: Facets) -> tuple[Tag, ...]:
    """A filter for each tag that the store has, and what a link asks of one that it has not."""
    chosen = [
        (tag.name, value)
        for tag in found.tags[:TAG_FILTERS]
        for value in _choices(f"Tag {tag.name}", f"{TAG_PREFIX}{tag.name}", tag.values[:TAG_OPTIONS])
    ]
    drawn = {tag.name for tag in found.tags[:TAG_FILTERS]}
    linked = [key.removeprefix(TAG_PREFIX) for key in st.query_params if key.startswith(TAG_PREFIX)]
    for name in linked:
        if name not in drawn:
            chosen += [(name, value) for value in st.query_params.get_all(f"{TAG_PREFIX}{name}")]
    return tuple(chosen)


def _has_requests(found: Facets, run_id: str) -> bool:
    return any(f.run_id == run_id for f in found.facets)


def _choice(label: str, key: str, options: Sequence[str], placeholder: str) -> str | None:
    value: str | None = st.selectbox(
        label,
        options,
        index=None,
        key=key,
        placeholder=placeholder,
        accept_new_options=True,
        bind="query-params",
    )
    return value or None


def _choices(label: str, key: str, options: Sequence[str]) -> tuple[str, ...]:
    chosen: list[str] = st.multiselect(
        label, options, key=key, placeholder="all", accept_new_options=True, bind="query-params"
    )
    return tuple(chosen)


def _window() -> tuple[str | None, datetime | None, datetime | None]:
    chosen = _choice("Time", "window", [*WINDOWS, CUSTOM], "all")
    if chosen == CUSTOM:
        first: date | None = st.date_input("From (UTC)", value=None, key="since", bind="query-params")
        last: date | None = st.date_input(
            "To and including (UTC)", value=None, key="until", bind="query-params"
        )
        return chosen, _start_of(first), _start_of(None if last is None else last + timedelta(days=1))
    if chosen in WINDOWS:
        # whole minutes, so that answers can be kept between clicks
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        return chosen, now - WINDOWS[chosen], None
    return chosen, None, None


def _start_of(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
