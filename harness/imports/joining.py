# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""Which observed request is which request of a recorded run: by an id, or by the time at which it ended.

An id is exact. A time is not: only pairs that nobody else could be part of count, the others are left out and
counted.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from harness.analysis.matching import DEFAULT_WINDOW_MS, matched_by_time
from harness.errors import UsageError
from harness.store.database.tables import FACT_COLUMNS
from harness.store.log_events import ENDS
from harness.store.spool.codec import columns_of

if TYPE_CHECKING:
    from harness.imports.taking import FormatReport

WAYS = ("request-id", "trace-id", "provider-request-id", "time")
BY_ID = WAYS[:3]


@dataclass(slots=True, kw_only=True)
class Joining:
    """How the observed requests find those of a run.

    Attributes:
        run_id: the run.
        ways: of `WAYS`, tried in this order.
        window_ms: of a join by time.
    """

    run_id: str
    ways: tuple[str, ...] = BY_ID
    window_ms: tuple[float, float] = DEFAULT_WINDOW_MS
    _apart: NDArray[np.float64] | None = None
    _ambiguous: int = 0

    def place(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make `work.placed`: trace, run_id, request_id, rid of the requests that were found.

        Raises:
            UsageError: there is no such run.
        """
        known = connection.execute("SELECT 1 FROM db.runs WHERE run_id = ?", [self.run_id]).fetchall()
        if not known:
            raise UsageError(f"there is no run '{self.run_id}' to join to")
        connection.execute(
            "CREATE TABLE work.placed (trace VARCHAR, run_id VARCHAR, request_id VARCHAR, rid BIGINT)"
        )
        for way in self.ways:
            if way == "time":
                self._by_time(connection)
            else:
                connection.execute(_BY[way], [self.run_id])

    def _by_time(self, connection: duckdb.DuckDBPyConnection) -> None:
        seen = connection.execute(_LEFT).fetchnumpy()
        there = connection.execute(_OPEN, [self.run_id]).fetchnumpy()
        found = matched_by_time(
            np.asarray(seen["ended_ns"], np.int64), np.asarray(there["ended_ns"], np.int64), self.window_ms
        )
        self._ambiguous += found.ambiguous
        self._apart = found.apart_ms if self._apart is None else np.concatenate([self._apart, found.apart_ms])
        table = pa.table(
            {
                "trace": pa.array(seen["trace"][found.pairs[:, 0]].tolist(), pa.string()),
                "rid": pa.array(there["rid"][found.pairs[:, 1]]),
            }
        )
        connection.register("met", table)
        connection.execute("""INSERT INTO work.placed
            SELECT m.trace, r.run_id, r.request_id, r.rowid
            FROM met m JOIN db.requests r ON r.rowid = m.rid""")
        connection.unregister("met")

    def filled(self) -> str:
        """The statements that make `work.request_rows` and `work.gone`: only unknown columns are filled."""
        return _FILLED

    def count(self, connection: duckdb.DuckDBPyConnection, report: "FormatReport") -> None:
        """Say in the report how many were found."""
        ((found, seen),) = connection.execute(
            """SELECT (SELECT count(*) FROM work.gone),
            (SELECT count(*) FROM work.requests JOIN work.names USING (trace) WHERE about_models > 0)"""
        ).fetchall()
        report.joined += found
        report.unmatched += max(0, seen - found - self._ambiguous)
        report.ambiguous += self._ambiguous
        self._ambiguous = 0
        if self._apart is not None and len(self._apart):
            apart = np.abs(self._apart)
            report.join_error_ms = (round(float(np.median(apart)), 3), round(float(apart.max()), 3))


_FREE = (
    """AND t.trace NOT IN (SELECT trace FROM work.placed) AND r.rowid NOT IN (SELECT rid FROM work.placed)"""
)
_ONE_TO_ONE = (
    """QUALIFY count(*) OVER (PARTITION BY t.trace) = 1 AND count(*) OVER (PARTITION BY r.rowid) = 1"""
)
_BY = {
    "request-id": f"""INSERT INTO work.placed SELECT t.trace, r.run_id, r.request_id, r.rowid
        FROM work.requests t JOIN db.requests r ON r.request_id = t.request_id
        WHERE r.run_id = ? {_FREE} {_ONE_TO_ONE}""",
    "trace-id": f"""INSERT INTO work.placed SELECT t.trace, r.run_id, r.request_id, r.rowid
        FROM work.requests t JOIN db.requests r ON replace(r.request_id, '-', '') = replace(t.trace, '-', '')
        WHERE r.run_id = ? {_FREE} {_ONE_TO_ONE}""",
    "provider-request-id": f"""INSERT INTO work.placed SELECT t.trace, r.run_id, r.request_id, r.rowid
        FROM (
            SELECT DISTINCT trace, provider_request_id FROM work.calls WHERE provider_request_id IS NOT NULL
        ) t
        JOIN (
            SELECT run_id, request_id, provider_request_id FROM db.calls WHERE provider_request_id IS NOT NULL
            UNION SELECT run_id, request_id, answer_id FROM db.requests WHERE answer_id IS NOT NULL
        ) c USING (provider_request_id)
        JOIN db.requests r ON r.run_id = c.run_id AND r.request_id = c.request_id
        WHERE r.run_id = ? {_FREE} {_ONE_TO_ONE}""",
}
_LEFT = """SELECT r.trace, h.ended_ns FROM work.requests r JOIN work.heads h USING (trace)
JOIN work.names n USING (trace)
WHERE h.ended_ns IS NOT NULL AND n.about_models > 0 AND trace NOT IN (SELECT trace FROM work.placed)"""
_OPEN = f"""SELECT rowid AS rid, {ENDS} AS ended_ns FROM db.requests
WHERE run_id = ? AND {ENDS} IS NOT NULL AND NOT warmup AND rowid NOT IN (SELECT rid FROM work.placed)"""

_TOLD = ", ".join(
    f"coalesce(t.{name}, s.{name}) AS {name}"
    if name in FACT_COLUMNS and name not in ("task", "strategy", "stages_ms", "confidence", "quality_score",
                                             "score_basis", "quality_tier", "fallback_reason")
    else "coalesce(t.cost_source, s.cost_source) AS cost_source"
    if name == "cost_source"
    else "CASE WHEN coalesce(t.cost_usd, s.cost_usd) IS NULL THEN t.unpriced_because END AS unpriced_because"
    if name == "unpriced_because"
    else f"t.{name}"
    for name in columns_of("request")
)  # fmt: skip
_FILLED = f"""
CREATE TABLE work.request_rows AS SELECT {_TOLD} FROM db.requests t JOIN work.placed p ON t.rowid = p.rid
JOIN work.requests s ON s.trace = p.trace;
CREATE TABLE work.gone AS SELECT rid FROM work.placed;
INSERT INTO work.stored_calls SELECT call_id FROM work.costed SEMI JOIN (
    SELECT trace FROM work.placed p
    SEMI JOIN db.calls c ON c.run_id = p.run_id AND c.request_id = p.request_id
) USING (trace);
DELETE FROM work.call_rows WHERE call_id IN (FROM work.stored_calls)"""
