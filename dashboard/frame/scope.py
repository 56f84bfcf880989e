# ruff: noqa: S608 - conditions are made of constants, values are bound
"""What part of the store a page shows: one kind of run and one provider mode at a time, then the filters.

Nothing is aggregated over run kinds or provider modes: a live second and an emulated one do not add up.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.store import Snapshot
from harness.store.snapshot import Kept

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

    def ctes(self, view: Snapshot) -> tuple[str, list[Any]]:
        """`WITH placed AS (...), scoped AS (...)`: the selected requests, warm-ups left out.

        `scoped` has all columns of `requests`, what a failed request does not say itself taken from its
        attempts or its run, and `arrived_at` (intended start), `kind`, `mode`.

        Returns:
            SQL to put before a SELECT, and its bound values.
        """
        clauses, values = self._conditions()
        where = " AND ".join(clauses)
        return f"{placed(view)}, scoped AS NOT MATERIALIZED (SELECT * FROM placed WHERE {where})", values

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


SEEN = """
SELECT run_id, provider_mode, environment, strategy, draft_source, draft_model, repair_source, repair_model,
    warmup, count(*) AS requests
FROM requests GROUP BY ALL
"""
"""What requests say of themselves, every combination once: all that runs and filters are told by."""

_SINGLE = "CASE WHEN min(s.{0}) = max(s.{0}) THEN min(s.{0}) END"
_TOLD = f"""
SELECT run_id, coalesce(any_value(u.kind), 'service') AS kind, any_value(u.environment) AS environment,
    coalesce(nullif(any_value(u.provider_mode), 'mixed'), {_SINGLE.format("provider_mode")}, 'unknown')
        AS mode,
    {_SINGLE.format("strategy")} AS strategy, {_SINGLE.format("draft_source")} AS draft_source,
    {_SINGLE.format("draft_model")} AS draft_model,
    sum(s.requests) FILTER (warmup IS NOT TRUE)::BIGINT AS requests
FROM {{seen}} s LEFT JOIN runs u USING (run_id) GROUP BY run_id
"""
ATTEMPTED = """
SELECT run_id, request_id, arg_min(provider, attempt) AS provider, arg_min(model, attempt) AS model
FROM calls SEMI JOIN (SELECT run_id, request_id FROM requests WHERE draft_source IS NULL) missing
    USING (run_id, request_id)
WHERE role IN ('draft', 'suggest') GROUP BY run_id, request_id
"""
"""Where a request that does not tell its draft was first sent."""

# A failed request tells neither mode nor route: its run's only one stands for it, or it would drop out of
# every filter and the error ratio with it.
_PLACED = """
SELECT r.* REPLACE (
        coalesce(r.environment, t.environment) AS environment,
        coalesce(r.strategy, t.strategy) AS strategy,
        coalesce(r.draft_source, {provider}t.draft_source) AS draft_source,
        coalesce(r.draft_model, {model}t.draft_model) AS draft_model
    ),
    r.draft_source AS told_draft_source, coalesce(r.scheduled_at, r.started_at) AS arrived_at,
    t.kind, coalesce(r.provider_mode, t.mode) AS mode
FROM requests r JOIN {told} t USING (run_id) {more}
"""


def told(view: Snapshot) -> Kept:
    """Each run's kind, environment and mode, and what stands for its requests that do not say it themselves.

    `requests` counts its requests, warm-ups left out; None where there is none but warm-ups.
    """
    return view.kept(_TOLD.format(seen=view.kept(SEEN).table))


def placed(view: Snapshot) -> str:
    """`WITH placed AS (...)`: all requests with their kind, mode and time, as `Scope.ctes` describes them."""
    runs = told(view).table
    plain = _PLACED.format(provider="", model="", told=runs, more="")
    attempted = view.kept(ATTEMPTED)
    if attempted.rows:
        # Apart, so that the many that tell their route need not meet the attempts of the few that do not.
        other = _PLACED.format(
            provider="a.provider, ",
            model="a.model, ",
            told=runs,
            more=f"LEFT JOIN {attempted.table} a USING (run_id, request_id) WHERE r.draft_source IS NULL",
        )
        plain = f"{plain} WHERE r.draft_source IS NOT NULL UNION ALL {other}"
    return f"WITH placed AS NOT MATERIALIZED ({plain})"
