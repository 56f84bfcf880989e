# ruff: noqa: S608 - conditions are made of constants, values are bound
"""What part of the store a page shows: one kind of run and one provider mode at a time, then the filters.

Nothing is aggregated over run kinds or provider modes: a live second and an emulated one do not add up.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

KIND_ORDER = ("baseline", "eval", "service", "ingest")
"""Which kind a page shows unless told: the measured ones first."""

MODE_ORDER = ("live", "emulated", "fixtures", "unknown")
"""Which provider mode a page shows unless told: live if there is any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A selection of requests; an empty filter selects all of the kind and mode.

    Attributes:
        run_ids: runs by id.
        providers: the request was drafted or repaired by one of these.
        since: aware moment of the first arrival, inclusive.
        until: exclusive.
    """

    kind: str
    mode: str
    run_ids: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def ctes(self) -> tuple[str, list[Any]]:
        """`WITH told AS (...), scoped AS (...)`: the selected requests, warm-ups left out.

        `scoped` has all columns of `requests`, what a failed request does not say itself taken from its
        attempts or its run, and `arrived_at` (intended start), `kind`, `mode`.

        Returns:
            SQL to put before a SELECT, and its bound values.
        """
        clauses, values = self._conditions()
        where = " AND ".join(clauses)
        return f"{_TOLD}, scoped AS (SELECT * FROM placed WHERE {where})", values

    def _conditions(self) -> tuple[list[str], list[Any]]:
        clauses = ["warmup IS NOT TRUE", "kind = ?", "mode = ?"]
        values: list[Any] = [self.kind, self.mode]
        for columns, wanted in (
            (("run_id",), self.run_ids),
            (("environment",), self.environments),
            (("strategy",), self.strategies),
            (("draft_source", "repair_source"), self.providers),
            (("draft_model", "repair_model"), self.models),
        ):
            if wanted:
                marks = ", ".join("?" * len(wanted))
                clauses.append("(" + " OR ".join(f"{column} IN ({marks})" for column in columns) + ")")
                values.extend(wanted * len(columns))
        for operator, moment in ((">=", self.since), ("<", self.until)):
            if moment is not None:
                clauses.append(f"arrived_at {operator} ?")
                values.append(moment.astimezone(UTC).replace(tzinfo=None))
        return clauses, values


_SINGLE = "CASE WHEN min({0}) = max({0}) THEN min({0}) END AS {0}"
_TOLD = f"""
WITH told AS (
    SELECT run_id, {_SINGLE.format("provider_mode")}, {_SINGLE.format("strategy")},
        {_SINGLE.format("draft_source")}, {_SINGLE.format("draft_model")}
    FROM requests GROUP BY run_id
),
attempted AS (
    SELECT run_id, request_id, arg_min(provider, attempt) AS provider, arg_min(model, attempt) AS model
    FROM calls SEMI JOIN (SELECT run_id, request_id FROM requests WHERE draft_source IS NULL) missing
        USING (run_id, request_id)
    WHERE role IN ('draft', 'suggest') GROUP BY run_id, request_id
),
placed AS (
    SELECT r.* REPLACE (
            coalesce(r.environment, u.environment) AS environment,
            coalesce(r.strategy, t.strategy) AS strategy,
            coalesce(r.draft_source, a.provider, t.draft_source) AS draft_source,
            coalesce(r.draft_model, a.model, t.draft_model) AS draft_model
        ),
        r.draft_source AS told_draft_source,
        coalesce(r.scheduled_at, r.started_at) AS arrived_at,
        coalesce(u.kind, 'service') AS kind,
        coalesce(r.provider_mode, nullif(u.provider_mode, 'mixed'), t.provider_mode, 'unknown') AS mode
    FROM requests r LEFT JOIN runs u USING (run_id) LEFT JOIN told t USING (run_id)
        LEFT JOIN attempted a USING (run_id, request_id)
)"""
# A failed request tells neither mode nor route: its run's only one stands for it, or it would drop out of
# every filter and the error ratio with it.

PLACED = _TOLD
"""All requests with their kind, mode and time: for counting what there is."""
