# ruff: noqa: S608 - names come from the records, values are bound
"""A bounded number of whole records of a selection, for figures that SQL cannot compute."""

from dataclasses import dataclass
from typing import TypeVar

from dashboard.scope import Scope
from harness.records import Call, Request
from harness.store import Snapshot
from harness.store.tables import column_list
from harness.store.typed import record_from_row

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The latest requests of a selection and their attempts. `left_out` were beyond the limit."""

    requests: tuple[Request, ...]
    calls: tuple[Call, ...]
    left_out: int


_SIDE = "source, model, cost_usd, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens"
MONEY_COLUMNS = ", ".join(
    ["run_id, request_id, status, warmup, scheduled_at, started_at"]
    + [f"{role}_{name}" for role in ("draft", "repair") for name in _SIDE.split(", ")]
)
"""What a request's cost is taken apart from."""


def scoped_records(view: Snapshot, scope: Scope, *, limit: int, columns: str | None = None) -> Records:
    """The latest `limit` requests of the selection as they were recorded, with their attempts.

    Args:
        view: the store.
        scope: which requests.
        limit: requests at most.
        columns: of a request, the others stay unset; None reads all.
    """
    ctes, values = scope.ctes()
    ((n,),) = view.rows(f"{ctes} SELECT count(*) FROM scoped", values)
    latest = view.rows(
        f"{ctes} SELECT run_id, request_id FROM scoped ORDER BY arrived_at DESC NULLS LAST LIMIT {limit}",
        values,
    )
    # Chosen once and bound: the selection is scanned once, not again for each table.
    keys = [[run_id for run_id, _ in latest], [request_id for _, request_id in latest]]
    return Records(
        requests=_recorded(view, Request, "requests", columns or column_list("request"), keys),
        calls=_recorded(view, Call, "calls", column_list("call"), keys),
        left_out=max(0, n - limit),
    )


def _recorded(
    view: Snapshot, record_type: type[R], table: str, columns: str, keys: list[list[str]]
) -> tuple[R, ...]:
    rows = view.dicts(
        f"""SELECT {columns} FROM {table} SEMI JOIN (
            SELECT unnest(?::VARCHAR[]) AS run_id, unnest(?::VARCHAR[]) AS request_id
        ) USING (run_id, request_id)""",
        keys,
    )
    return tuple(record_from_row(record_type, row) for row in rows)
