# ruff: noqa: S608 - constant SQL, values are bound
"""Which case each request belongs to, by number: what intervals over columns are clustered by."""

import numpy as np
from numpy.typing import NDArray

from harness.figures.selection import Rows
from harness.figures.sums import cases_repeat


def request_clusters(rows: Rows, keys: NDArray[np.uint64]) -> NDArray[np.intp] | None:
    """The number of each request's case, 0 and up; a request without a case is one of its own.

    Args:
        rows: the selection.
        keys: `hash(run_id, request_id)` of the requests, ascending, shape (n,).

    Returns:
        Shape (n,); None where no case repeats.
    """
    if not cases_repeat(rows, "all"):
        return None
    table = rows.view.columns(
        f"""{rows.ctes} SELECT hash(run_id, request_id) AS key, hash(case_id) AS own FROM counted
        WHERE case_id IS NOT NULL""",
        rows.values,
    )
    order = np.argsort(table["key"])  # in order, so that no search leaves the cache
    asked, own = table["key"][order], table["own"][order]
    place = np.minimum(np.searchsorted(keys, asked), max(0, len(keys) - 1))
    told = keys[place] == asked if len(keys) else np.zeros(len(place), dtype=np.bool_)
    cases, numbers = np.unique(own[told], return_inverse=True)
    clusters = np.full(len(keys), -1, dtype=np.intp)
    clusters[place[told]] = numbers
    alone = clusters < 0
    clusters[alone] = len(cases) + np.arange(int(alone.sum()))
    return clusters
