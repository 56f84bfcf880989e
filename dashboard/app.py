"""The dashboard's frame: filters in the sidebar, then the page. Run by `harness dashboard`."""

from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from dashboard.frame import states
from dashboard.frame.context import Frame, set_frame
from dashboard.frame.filters import keep_filters, select_nothing, sidebar
from dashboard.frame.memory import settle
from dashboard.frame.source import one_view, read, shown_path, store_dir
from dashboard.queries.facets import facets
from harness.errors import StoreError

# A file of our own: a named icon would be fetched from another host.
ICON = Path(__file__).with_name("icon.svg")

REQUEST = "request"
"""One request: no entry in the sidebar, reached by a click or a link."""

NO_FILTERS = ("alerts", "live", REQUEST)
"""Pages to which the filters do not apply."""

SEVERAL = ("savings",)
"""Pages that compare strategies."""

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
    # before the pages are told: the icon of a page would be fetched from another host
    st.set_page_config(page_icon=str(ICON), layout="wide")
    pages = [
        st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "overview")
        for name, title, icon in PAGES
    ]
    pages.append(st.Page("views/request.py", title="Request", url_path=REQUEST, visibility="hidden"))
    page = st.navigation(pages)
    store = shown_path(store_dir())
    st.set_page_config(page_title=f"{page.title} · {store} · harness")
    if (unknown := _unknown_page()) is not None:
        st.title("No such page", anchor=False)
        states.empty("Not found", "This dashboard has no page of that name; choose one in the sidebar.")
        st.text(f"page: {unknown} (not found)")
        return
    name = page.url_path or PAGES[0][0]
    try:
        with one_view():
            found = read(facets)
            if name in NO_FILTERS:
                keep_filters()
                selection = select_nothing(found)
            else:
                selection = sidebar(found, several=name in SEVERAL)
            with st.sidebar:
                if name in NO_FILTERS:
                    st.caption("Filters do not apply to this page.")
                st.caption("Store")
                st.text(store)
            set_frame(Frame(selection=selection, facets=found))
            page.run()
        _settle_once()
    except StoreError as error:
        st.title(page.title, anchor=False)
        states.store_problem(error)


def _unknown_page() -> str | None:
    """The last part of the address where it is no page; Streamlit itself shows the first page instead."""
    path = urlsplit(st.context.url or "").path.strip("/")
    return path if path and path not in {REQUEST, *(name for name, _, _ in PAGES)} else None


@st.cache_resource(show_spinner=False)
def _settle_once() -> None:
    """After the first page, when everything has been imported."""
    settle()


main()
