"""The dashboard's frame: filters in the sidebar, then the page. Run by `harness dashboard`."""

import streamlit as st

from dashboard import states
from dashboard.context import set_selection
from dashboard.filters import sidebar
from dashboard.queries.facets import facets
from dashboard.source import read, store_dir
from harness.errors import StoreError

PAGES = (
    ("overview", "Overview", ":material/dashboard:"),  # the first one is at /
)


def main() -> None:
    """Draw the frame and run the chosen page; a store that cannot be read is one sentence."""
    st.set_page_config(page_title="harness", page_icon=":material/monitoring:", layout="wide")
    pages = [
        st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "overview")
        for name, title, icon in PAGES
    ]
    page = st.navigation(pages)
    try:
        selection = sidebar(read(facets))
        with st.sidebar:
            st.caption("Store")
            st.text(str(store_dir()))
        set_selection(selection)
        page.run()
    except StoreError as error:
        st.title(page.title, anchor=False)
        states.store_problem(error)


main()
