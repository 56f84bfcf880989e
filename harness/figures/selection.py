# ruff: noqa: S608 - conditions are made of constants, values are bound
"""Which rows a figure rests on: the one place that says what counts, who answered and what a request cost.

Warm-ups never count. What a failed request does not say itself is taken from its attempts, else from its
run's only one, or it would drop out of every filter and the error ratio with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.records import tag_name
from harness.records.tags import TAG_NAME
from harness.store import Snapshot
from harness.store.snapshot import Kept

CLIENT_MS = "CASE WHEN latency_source IS DISTINCT FROM 'server' THEN latency_ms END"
SERVER_MS = "coalesce(server_ms, latency_ms)"
CLOCKS = {"client": CLIENT_MS, "server": SERVER_MS}
"""A request's latency by whose clock; no percentile mixes the two."""


KEPT_SILENT = 50_000
"""So many requests that do not tell their route or cost themselves are kept whole, beside the others."""

COMBINED = (
    "run_id",
    "status",
    "error_kind",
    "quality_tier",
    "draft_source",
    "draft_model",
    "told_draft_source",
    "repair_source",
    "repair_model",
    "mixed_providers",
    "prompt_cache_hit",
    "fallback_reason",
    "strategy",
    "scenario",
    "task",
    "environment",
)
"""Columns of few different values: what conditions and groups are mostly about."""


def duration_sql(expression: str) -> str:
    """A duration in milliseconds; what is none (negative, infinite, not a number) is unknown."""
    return f"CASE WHEN ({expression}) >= 0 AND ({expression}) < 'inf'::DOUBLE THEN {expression} END"


TAG_NAMES = f"list_filter(json_keys(tags), lambda name: regexp_full_match(name, '{TAG_NAME}'))"
"""The names of a request's tags: of those alone a path into `tags` may be made."""


def tag_sql(name: str) -> str:
    """A tag of a request; NULL where it has none of the name.

    Raises:
        ValueError: what can be no name.
    """
    return f"json_extract_string(tags, '$.{tag_name(name)}')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A selection of requests; an empty filter selects all.

    Attributes:
        run_ids: runs by id.
        kind: of runs: baseline, eval, service, ingest.
        kinds: any of these.
        mode: live, emulated, fixtures, mixed, unknown.
        providers: the request was drafted or repaired by one of these.
        models: the same by model.
        draft_providers: the request was drafted by one of these.
        draft_models: the same by model.
        cases: patterns of case ids such as `pricing-*`.
        tags: names with values; of several values of one name any, of several names all.
        since: aware moment of the first arrival, inclusive.
        until: exclusive.
    """

    run_ids: tuple[str, ...] = ()
    kind: str | None = None
    kinds: tuple[str, ...] = ()
    mode: str | None = None
    environments: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    draft_providers: tuple[str, ...] = ()
    draft_models: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def of_strategy(self, strategy: str) -> "Selection":
        """The same, of one strategy alone."""
        return replace(self, strategies=(strategy,))

    def conditions(self) -> tuple[list[str], list[Any]]:
        """SQL conditions on `placed`, and their bound values."""
        clauses = ["warmup IS NOT TRUE"]
        values: list[Any] = []
        for columns, wanted in (
            (("kind",), () if self.kind is None else (self.kind,)),
            (("kind",), self.kinds),
            (("mode",), () if self.mode is None else (self.mode,)),
            (("environment",), self.environments),
            (("strategy",), self.strategies),
            (("task",), self.tasks),
            (("draft_source",), self.draft_providers),
            (("draft_model",), self.draft_models),
            (("draft_source", "repair_source"), self.providers),
            (("draft_model", "repair_model"), self.models),
        ):
            if wanted:
                marks = ", ".join("?" * len(wanted))
                clauses.append("(" + " OR ".join(f"{column} IN ({marks})" for column in columns) + ")")
                values.extend(wanted * len(columns))
        if self.cases:
            clauses.append("(" + " OR ".join(["case_id GLOB ?"] * len(self.cases)) + ")")
            values.extend(self.cases)
        for name in dict.fromkeys(name for name, _ in self.tags):
            own = [value for known, value in self.tags if known == name]
            clauses.append(f"{tag_sql(name)} IN ({', '.join('?' * len(own))})")
            values.extend(own)
        for operator, moment in ((">=", self.since), ("<", self.until)):
            if moment is not None:
                clauses.append(f"arrived_at {operator} ?")
                values.append(moment.astimezone(UTC).replace(tzinfo=None))
        return clauses, values


_SEEN = """
SELECT run_id, provider_mode, environment, strategy, draft_source, draft_model, repair_source, repair_model,
    warmup, count(*) AS requests, count(CASE WHEN status <> 'ok' THEN 1 END) AS failed
FROM requests {} GROUP BY ALL
"""
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
_SILENT = """
SELECT run_id, request_id FROM requests WHERE (draft_source IS NULL OR cost_usd IS NULL) {}
"""
_ATTEMPTS = """
SELECT run_id, request_id,
    arg_min(provider, attempt) FILTER (role IN ('draft', 'suggest')) AS first_provider,
    arg_min(model, attempt) FILTER (role IN ('draft', 'suggest')) AS first_model,
    CASE WHEN count(*) FILTER (sent) = count(cost_usd) FILTER (sent)
        THEN sum(cost_usd) FILTER (sent) END AS paid,
    CASE WHEN paid IS NOT NULL
        THEN coalesce(sum(cost_usd) FILTER (sent AND role = 'repair'), 0) END AS paid_repair
FROM (
    SELECT *, outcome <> 'refused' AND role <> 'judge' AS sent
    FROM calls SEMI JOIN {silent} silent USING (run_id, request_id) WHERE TRUE {only}
) GROUP BY run_id, request_id
"""
"""What the attempts tell of requests that do not tell their route or their cost themselves.

A failed request writes no event, but its attempts may have been paid: their sum counts when every one of
them has a price. Refused attempts and judges are no part of it.
"""

_PLACED = """
SELECT r.* REPLACE (
        coalesce(r.environment, t.environment) AS environment,
        coalesce(r.strategy, t.strategy) AS strategy,
        coalesce(r.draft_source, {first_provider}, t.draft_source) AS draft_source,
        coalesce(r.draft_model, {first_model}, t.draft_model) AS draft_model
    ),
    r.draft_source AS told_draft_source, coalesce(r.scheduled_at, r.started_at) AS arrived_at,
    t.kind, coalesce(r.provider_mode, t.mode) AS mode, coalesce(r.cost_usd, {paid}) AS usd,
    CASE WHEN r.cost_usd IS NULL THEN {paid} - {paid_repair} ELSE r.draft_cost_usd END AS draft_usd,
    CASE WHEN r.cost_usd IS NULL THEN {paid_repair} ELSE r.cost_usd - r.draft_cost_usd END AS repair_usd
FROM requests r JOIN {told} t USING (run_id) {where}
"""
_TOLD_BY_ATTEMPTS = {
    "first_provider": "a.first_provider",
    "first_model": "a.first_model",
    "paid": "a.paid",
    "paid_repair": "a.paid_repair",
}
_TOLD_BY_NONE = {
    "first_provider": "NULL",
    "first_model": "NULL",
    "paid": "NULL::DECIMAL(18, 10)",
    "paid_repair": "NULL::DECIMAL(18, 10)",
}


def seen(view: Snapshot, run_ids: Sequence[str] = ()) -> Kept:
    """What requests say of themselves, every combination once: all that runs and filters are told by."""
    where, values = _of_runs("WHERE run_id", run_ids)
    return view.kept(_SEEN.format(where), values)


def told(view: Snapshot, run_ids: Sequence[str] = ()) -> Kept:
    """Each run's kind, environment and mode, and what stands for its requests that do not say it themselves.

    `requests` counts its requests, warm-ups left out; None where there is none but warm-ups.
    """
    return view.kept(_TOLD.format(seen=seen(view, run_ids).table))


def _of_runs(column: str, run_ids: Sequence[str]) -> tuple[str, list[Any]]:
    if not run_ids:
        return "", []
    return f"{column} IN ({', '.join('?' * len(run_ids))})", list(run_ids)


class Rows:
    """The requests of a selection in one snapshot, as SQL relations that further queries read.

    `counted` has all columns of `requests`, and beside them `kind`, `mode`, `arrived_at` (intended start),
    `told_draft_source` (None where another row or attempt stood for it), `ms` (latency on the selection's
    clock) and `usd`, `draft_usd`, `repair_usd` (what the request cost, None when unknown).
    """

    def __init__(self, view: Snapshot, selection: Selection, *, only_cases: Kept | None = None) -> None:
        self.view = view
        self.selection = selection
        self._only_cases = only_cases

    def of_cases(self, keys: Sequence[int] | NDArray[np.uint64]) -> "Rows":
        """The same, of these cases alone (their `hash(case_id)`)."""
        kept = self.view.kept(
            "SELECT unnest(string_split(?, ' '))::UBIGINT AS own", [" ".join(str(int(key)) for key in keys)]
        )
        return Rows(self.view, self.selection, only_cases=kept)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer of a query over `counted`."""
        return self.view.rows(f"{self.ctes} {sql}", [*self.values, *values])

    def dicts(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The answer of a query over `counted`, by column name."""
        return self.view.dicts(f"{self.ctes} {sql}", [*self.values, *values])

    def kept(self, sql: str, values: Sequence[Any] = ()) -> Kept:
        """The answer of a query over `counted` as a table, worked out once in this snapshot."""
        return self.view.kept(f"{self.ctes} {sql}", [*self.values, *values])

    @cached_property
    def ctes(self) -> str:
        """`WITH ... counted AS (...)`: what to put before a SELECT; binds `values`."""
        ms = duration_sql(CLOCKS[self.clock or "client"])
        return f"{self._scoped}, counted AS NOT MATERIALIZED (SELECT *, {ms} AS ms FROM scoped)"

    @cached_property
    def values(self) -> list[Any]:
        """What `ctes` binds."""
        return [*self._placed[1], *self.selection.conditions()[1]]

    @cached_property
    def clock(self) -> str | None:
        """Whose clock latencies stand on: the client's if any request has it, else the server's.

        None without requests.
        """
        ((n, client, known),) = self.view.rows(
            f"SELECT sum(n), sum(client_timed), sum(timed) FROM {self.tally.table}"
        )
        if not n:
            return None
        return "server" if known and not client else "client"

    @cached_property
    def tally(self) -> Kept:
        """One row a run of the selection: counts that many figures begin with.

        Columns: `n` requests, of which `arrivals` say when (`first_at` to `last_at`); `ok` answers;
        `client_timed`, `timed`; `cases` known.
        """
        return self.view.kept(
            f"""{self._scoped} SELECT run_id, count(*) AS n, count(arrived_at) AS arrivals,
                min(arrived_at) AS first_at, max(arrived_at) AS last_at,
                count(CASE WHEN status = 'ok' THEN 1 END) AS ok,
                count({CLIENT_MS}) AS client_timed, count({SERVER_MS}) AS timed,
                count(case_id) AS cases
            FROM scoped GROUP BY run_id""",
            self.values,
        )

    @cached_property
    def combinations(self) -> Kept:
        """Every combination of the columns in `COMBINED` and of `timed`, with its number of requests `n`.

        Few rows that stand for many: shares and counts of any group are added up from them.
        """
        return self.kept(
            f"SELECT {', '.join(COMBINED)}, ms IS NOT NULL AS timed, count(*) AS n FROM counted GROUP BY ALL"
        )

    @cached_property
    def n(self) -> int:
        """Requests."""
        ((n,),) = self.view.rows(f"SELECT coalesce(sum(n), 0)::BIGINT FROM {self.tally.table}")
        return int(n)

    @cached_property
    def runs(self) -> str:
        """The table of `told` that this selection looks at."""
        return told(self.view, self.selection.run_ids).table

    @cached_property
    def _scoped(self) -> str:
        where = " AND ".join(self.selection.conditions()[0])
        if self._only_cases is not None:
            where += f" AND hash(case_id) IN (FROM {self._only_cases.table})"
        return f"{self._placed[0]}, scoped AS NOT MATERIALIZED (SELECT * FROM placed WHERE {where})"

    @property
    def silent(self) -> bool:
        """Some request is told its route or cost by its attempts alone."""
        return bool(self._attempts.rows)

    @cached_property
    def _attempts(self) -> Kept:
        only, values = _of_runs("AND run_id", self.selection.run_ids)
        # kept first, so that the few are looked for among the many attempts, and not the other way round
        silent = self.view.kept(_SILENT.format(only), values)
        return self.view.kept(_ATTEMPTS.format(silent=silent.table, only=only), values)

    @cached_property
    def _placed(self) -> tuple[str, list[Any]]:
        """`WITH placed AS (...)`: the runs' requests with their kind, mode, time, route and cost."""
        only, values = _of_runs("AND run_id", self.selection.run_ids)
        attempts = self._attempts
        plain = _PLACED.format(**_TOLD_BY_NONE, told=self.runs, where=f"WHERE TRUE {only}")
        if not attempts.rows:
            return f"WITH placed AS NOT MATERIALIZED ({plain})", values
        # apart, so that the many that tell it all need not meet the attempts of the few that do not
        silent = _PLACED.format(
            **_TOLD_BY_ATTEMPTS,
            told=self.runs,
            where=f"LEFT JOIN {attempts.table} a USING (run_id, request_id) "
            f"WHERE (r.draft_source IS NULL OR r.cost_usd IS NULL) {only}",
        )
        values_of_silent = values
        if attempts.rows <= KEPT_SILENT:  # looked for once, not in every scan
            silent, values_of_silent = f"FROM {self.view.kept(silent, values).table}", []
        both = f"{plain} AND r.draft_source IS NOT NULL AND r.cost_usd IS NOT NULL UNION ALL {silent}"
        return f"WITH placed AS NOT MATERIALIZED ({both})", [*values, *values_of_silent]
