"""The dashboard's frame: filters in the sidebar, then the page. Run by `harness dashboard`."""

from pathlib import Path

import streamlit as st

from dashboard.frame import states
from dashboard.frame.context import Frame, set_frame
from dashboard.frame.filters import sidebar
from dashboard.frame.memory import settle
from dashboard.frame.source import one_view, read, shown_path, store_dir
from dashboard.queries.facets import facets
from harness.errors import StoreError

# A file of our own: a named icon would be fetched from another host.
ICON = Path(__file__).with_name("icon.svg")

# File and URL path, title, icon.
PAGES = (
    ("overview", "Overview", ":material/dashboard:"),  # the first one is at /
    ("latency", "Latency", ":material/timer:"),
    ("cost", "Cost", ":material/payments:"),
    ("quality", "Quality", ":material/verified:"),
    ("savings", "Savings", ":material/savings:"),
    ("runs", "Runs", ":material/list:"),
    ("alerts", "Alerts", ":material/notifications:"),
    ("live", "Live", ":material/sensors:"),
)


def main() -> None:
    """Draw the frame and run the chosen page; a store that cannot be read is one sentence."""
    st.set_page_config(page_title="harness", page_icon=str(ICON), layout="wide")
    pages = [
        st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "overview")
        for name, title, icon in PAGES
    ]
    page = st.navigation(pages)
    try:
        with one_view():
            found = read(facets)
            selection = sidebar(found)
            with st.sidebar:
                st.caption("Store")
                st.text(shown_path(store_dir()))
            set_frame(Frame(selection=selection, facets=found))
            page.run()
        _settle_once()
    except StoreError as error:
        st.title(page.title, anchor=False)
        states.store_problem(error)


@st.cache_resource(show_spinner=False)
def _settle_once() -> None:
    """After the first page, when everything has been imported."""
    settle()


main()
