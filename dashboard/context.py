"""What the frame hands to the page of this run."""

import streamlit as st

from dashboard import states
from dashboard.filters import Selection
from dashboard.labels import count, plain
from dashboard.scope import Scope

_KEY = "_selection"


def set_selection(selection: Selection) -> None:
    """Keep what the sidebar selects for the page that runs next."""
    st.session_state[_KEY] = selection


def selection() -> Selection:
    """What the sidebar selects."""
    found: Selection = st.session_state[_KEY]
    return found


def begin(title: str) -> Scope | None:
    """A page's head: its title, and which requests it is about.

    Returns:
        The scope; None when a filter asks for what is not in the store, which has then been said.
    """
    st.title(title, anchor=False)
    chosen = selection()
    if chosen.scope is None:
        states.empty(
            "Not found", "A filter asks for something that is not in this store, so nothing is shown."
        )
        states.names(f"{name}: {value} (not found)" for name, value in chosen.missing)
        return None
    return chosen.scope


def scope_line(scope: Scope, requests: int, runs: int) -> None:
    """Which kind, mode and how many; and what is not among them."""
    line = f"{scope.kind} · {scope.mode} providers · {count(requests, 'request')} of {count(runs, 'run')}"
    others = ", ".join(f"{n:,} {kind}/{mode}" for kind, mode, n in selection().elsewhere if n)
    st.caption(plain(line + (f" · not included: {others}" if others else "")))
