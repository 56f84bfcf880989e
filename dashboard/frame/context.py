"""What the frame hands to the page of this run, and how every page begins."""

from dataclasses import dataclass

import streamlit as st

from dashboard.draw.labels import count, plain
from dashboard.frame import states
from dashboard.frame.filters import Selection
from dashboard.frame.scope import Scope
from dashboard.frame.source import read
from dashboard.queries.facets import Facets
from dashboard.queries.overview import RunState, Shares, run_states, shares

_KEY = "_frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the sidebar selects, out of what there is."""

    selection: Selection
    facets: Facets


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a page is about, already said at its head."""

    scope: Scope
    shares: Shares
    runs: tuple[RunState, ...]


def set_frame(frame: Frame) -> None:
    """Keep the frame for the page that runs next."""
    st.session_state[_KEY] = frame


def frame() -> Frame:
    """The frame of this run."""
    found: Frame = st.session_state[_KEY]
    return found


def known_names(group_by: str) -> list[str]:
    """All names of that kind that the store has, so that each keeps its colour on every page."""
    of = {"strategy": Facets.strategies, "provider": Facets.providers, "model": Facets.models}.get(group_by)
    return of(frame().facets) if of is not None else []


def begin(title: str) -> Subject | None:
    """A page's head: title, which requests it is about, and what must be said of them.

    Returns:
        None when there is nothing to show, which has then been said.
    """
    st.title(title, anchor=False)
    chosen = frame().selection
    if chosen.scope is None:
        not_found(chosen)
        return None
    share = read(shares, chosen.scope)
    if not share.requests:
        if not frame().facets.facets:
            states.empty("Nothing recorded yet", "This store holds no request.", "harness demo")
        else:
            states.empty("No requests", "No request fits these filters. Widen them in the sidebar.")
        return None
    _scope_line(chosen, chosen.scope, share)
    states.mode_banner(chosen.scope)
    runs = read(run_states, chosen.scope)
    states.run_banners(runs)
    return Subject(scope=chosen.scope, shares=share, runs=runs)


def not_found(chosen: Selection) -> None:
    """A filter asks for what is not there."""
    states.empty("Not found", "A filter asks for something that is not in this store, so nothing is shown.")
    states.names(f"{name}: {value} (not found)" for name, value in chosen.missing)


def _scope_line(chosen: Selection, scope: Scope, share: Shares) -> None:
    """Which kind, mode and how many; and what is not among them."""
    span = f"{share.first_at:%Y-%m-%d %H:%M} to {share.last_at:%Y-%m-%d %H:%M} UTC" if share.first_at else ""
    line = (
        f"{scope.kind} · {scope.mode} providers · {count(share.requests, 'request')} of "
        f"{count(share.runs, 'run')}" + (f" · {span}" if span else "")
    )
    others = ", ".join(f"{n:,} {kind}/{mode}" for kind, mode, n in chosen.elsewhere if n)
    st.caption(plain(line + (f" · not included: {others}" if others else "")))
    if chosen.default is not None:
        st.caption(
            plain(f"Shown because nothing is chosen: {chosen.default.words}. Choose in the sidebar for more.")
        )
        if chosen.default.name is not None:
            st.text(chosen.default.name)
