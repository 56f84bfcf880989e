"""One request, reached by a click or a link: what it did, what it cost, how good it was."""

import streamlit as st

from dashboard.draw.detail import request_view
from dashboard.frame import states
from dashboard.frame.scope import Scope


def main() -> None:
    """The page."""
    st.title("Request", anchor=False)
    request_id, run_id = (st.query_params.get(name) for name in ("id", "in"))
    if not request_id:
        states.empty(
            "No request chosen", "Click a row of Latency's slowest answers, or of Quality's weak ones."
        )
        return
    request_view(Scope(run_ids=(run_id,) if run_id else ()), request_id)


main()
