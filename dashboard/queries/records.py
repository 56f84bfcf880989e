# ruff: noqa: S608 - names come from the records, values are bound
"""A bounded number of whole records of a selection, for figures that SQL cannot compute."""

from dataclasses import dataclass

from dashboard.scope import Scope
from harness.records import Call, Request
from harness.store import Snapshot
from harness.store.tables import column_list
from harness.store.typed import record_from_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The latest requests of a selection and their attempts. `left_out` were beyond the limit."""

    requests: tuple[Request, ...]
    calls: tuple[Call, ...]
    left_out: int


def scoped_records(view: Snapshot, scope: Scope, *, limit: int) -> Records:
    """The latest `limit` requests of the selection as they were recorded, with their attempts."""
    ctes, values = scope.ctes()
    ((n,),) = view.rows(f"{ctes} SELECT count(*) FROM scoped", values)
    chosen = f"""{ctes}, chosen AS (
        SELECT run_id, request_id FROM scoped ORDER BY arrived_at DESC NULLS LAST LIMIT {limit}
    )"""
    requests = view.dicts(
        f"{chosen} SELECT {column_list('request')} FROM requests SEMI JOIN chosen USING (run_id, request_id)",
        values,
    )
    calls = view.dicts(
        f"{chosen} SELECT {column_list('call')} FROM calls SEMI JOIN chosen USING (run_id, request_id)",
        values,
    )
    return Records(
        requests=tuple(record_from_row(Request, row) for row in requests),
        calls=tuple(record_from_row(Call, row) for row in calls),
        left_out=max(0, n - limit),
    )
