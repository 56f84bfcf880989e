# ruff: noqa: S608 - names come from the records, values are bound or moments of the store's own
"""A bounded number of whole records of a selection, for figures that SQL cannot compute."""

from dataclasses import dataclass

from dashboard.frame.scope import Scope
from harness.figures import Rows
from harness.records import Call, Request
from harness.store import Snapshot
from harness.store.database.tables import column_list


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The latest requests of a selection and their attempts. `left_out` were beyond the limit."""

    requests: tuple[Request, ...]
    calls: tuple[Call, ...]
    left_out: int


def scoped_records(view: Snapshot, scope: Scope, *, limit: int) -> Records:
    """The latest `limit` requests of the selection as they were recorded, with their attempts."""
    found = latest(view, scope, limit)
    return Records(
        requests=tuple(view.records(Request, f"SELECT {column_list('request')} FROM {found.requests}")),
        calls=tuple(view.records(Call, f"SELECT {column_list('call')} FROM {found.calls}")),
        left_out=found.left_out,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The latest requests of a selection, as SQL to select from; `left_out` were beyond the limit."""

    requests: str
    calls: str
    left_out: int


def latest(view: Snapshot, scope: Scope, limit: int) -> Latest:
    """The latest `limit` requests of the selection and their attempts, as they were recorded."""
    rows = Rows(view, scope)
    since = _since(rows, limit)
    keys = rows.kept(
        f"""SELECT run_id, request_id FROM counted {since}
        ORDER BY coalesce(scheduled_at, started_at) DESC NULLS LAST, run_id, request_id LIMIT {int(limit)}"""
    )
    found = f"SEMI JOIN {keys.table} USING (run_id, request_id)"
    return Latest(
        requests=f"(FROM requests {found} {since})",
        calls=f"(FROM calls {found})",
        left_out=max(0, rows.n - limit),
    )


def _since(rows: Rows, limit: int) -> str:
    """A condition that the latest `limit` requests fulfil and few others do, so that those are never read.

    Looks back in steps, each four times as far; empty where that would not leave most requests out.
    """
    ((arrivals, first, last),) = rows.view.rows(
        f"SELECT sum(arrivals)::BIGINT, min(first_at), max(last_at) FROM {rows.tally.table}"
    )
    if not arrivals:
        return ""
    back = (last - first) * (1.5 * limit / arrivals)
    while back < (last - first) / 2:
        moment = f"TIMESTAMP '{(last - back).replace(tzinfo=None)}'"
        # the first part alone lets stored blocks of rows be skipped unread
        since = f"""WHERE (scheduled_at >= {moment} OR scheduled_at IS NULL)
            AND coalesce(scheduled_at, started_at) >= {moment}"""
        ((n,),) = rows.rows(f"SELECT count(*) FROM counted {since}")
        if n >= limit:
            return since
        back *= 4
    return ""
