"""CSV downloads of what a page shows; no cell can become a formula in a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

MOMENT = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", timezone="UTC")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(value: Any) -> Any:
    """A cell as a spreadsheet may have it: text that would be read as a formula gets a leading quote.

    Numbers stay numbers, None becomes an empty cell, moments are written in ISO 8601 with their zone.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if value.lstrip(" \n").startswith(_FORMULA_STARTS) else value


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as UTF-8 CSV with a header; empty for no rows."""
    if not rows:
        return b""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([neutral(name) for name in rows[0]])
    writer.writerows([neutral(value) for value in row.values()] for row in rows)
    return text.getvalue().encode()


def csv_button(rows: Sequence[Mapping[str, Any]], file_name: str, *, key: str) -> None:
    """A download button for the rows of a table."""
    st.download_button(
        "CSV",
        csv_bytes(rows),
        file_name=file_name,
        mime="text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        disabled=not rows,
    )


def table(rows: Sequence[Mapping[str, Any]], file_name: str, *, key: str, config: Any = None) -> None:
    """A table with its CSV button."""
    st.dataframe(pd.DataFrame(list(rows)), hide_index=True, column_config=config, key=f"{key}-table")
    csv_button(rows, file_name, key=f"{key}-csv")


def request_table(rows: Sequence[Mapping[str, Any]], file_name: str, *, key: str, config: Any = None) -> None:
    """A table of requests (`run_id`, `request_id` among the columns): a click on a row opens that request."""
    shown = st.dataframe(
        pd.DataFrame(list(rows)),
        hide_index=True,
        column_config=config,
        key=f"{key}-table",
        on_select="rerun",
        selection_mode="single-row",
    )
    csv_button(rows, file_name, key=f"{key}-csv")
    chosen = shown["selection"]["rows"]
    if chosen:
        row = rows[chosen[0]]
        asked = {"id": str(row["request_id"]), "in": str(row["run_id"])}
        st.switch_page("views/request.py", query_params=asked)
