# ruff: noqa: S608 - names come from this module's allow-lists, values are bound
"""Latency percentiles over any selection, computed in SQL by the rules of `harness.analysis.percentile`."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashboard.scope import Scope
from harness.analysis import Quantile, QuantileInterval, dependent_quantile_interval, min_requests
from harness.analysis.interval import DEFAULT_CONFIDENCE, normal_quantile
from harness.store import Snapshot

Arrivals: TypeAlias = NDArray[np.float64]

QUANTILES = (0.5, 0.95, 0.99)
EXACT_INTERVAL_ROWS = 50_000
"""Up to here latencies are fetched in arrival order, so that an interval can allow for correlation."""

GROUPS = {
    "provider": "coalesce(draft_source, 'unknown')",
    "model": "coalesce(draft_model, 'unknown')",
    "strategy": "coalesce(strategy, 'unknown')",
    "run": "run_id",
    "all": "'all'",
}
"""What latency may be grouped by: the used draft's provider or model, the strategy, the run."""

LATENCY_SQL = {
    "client": "CASE WHEN latency_source IS DISTINCT FROM 'server' THEN latency_ms END",
    "server": "coalesce(server_ms, latency_ms)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLatency:
    """Percentiles of one group. `unknown` answers have no latency on this clock and are left out."""

    group: str
    n: int
    failures: int
    unknown: int
    quantiles: tuple[Quantile, ...]
    intervals: tuple[QuantileInterval | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyFigures:
    """Groups in order of size. `source` is whose clock: client, server, or None without requests."""

    source: str | None
    groups: tuple[GroupLatency, ...]


def latency_source(view: Snapshot, scope: Scope) -> str | None:
    """The one clock of the selection: the client's if any request has it, else the server's."""
    ctes, values = scope.ctes()
    ((n, client, known),) = view.rows(
        f"""{ctes} SELECT count(*), count(*) FILTER (latency_ms IS NOT NULL AND
            latency_source IS DISTINCT FROM 'server'),
            count(*) FILTER (server_ms IS NOT NULL OR latency_ms IS NOT NULL) FROM scoped""",
        values,
    )
    if not n:
        return None
    return "server" if known and not client else "client"


def latency_figures(view: Snapshot, scope: Scope, group_by: str = "all") -> LatencyFigures:
    """p50, p95 and p99 of each group, with intervals.

    Args:
        view: the store.
        scope: which requests.
        group_by: a key of `GROUPS`.
    """
    source = latency_source(view, scope)
    if source is None:
        return LatencyFigures(source=None, groups=())
    ctes, values = scope.ctes()
    latency = LATENCY_SQL[source]
    rows = view.dicts(
        f"""{ctes}, timed AS (
            SELECT {GROUPS[group_by]} AS grp, status = 'ok' AS ok, {latency} AS ms FROM scoped
        )
        SELECT grp, count(*) FILTER (NOT ok) AS failures, count(ms) FILTER (ok) AS answers,
            count(*) FILTER (ok AND ms IS NULL) AS unknown, max(ms) FILTER (ok) AS slowest,
            quantile_cont(CASE WHEN ok THEN ms ELSE 'inf'::DOUBLE END, {list(QUANTILES)}) AS found
        FROM timed GROUP BY grp ORDER BY count(*) DESC, grp""",
        values,
    )
    total = sum(row["failures"] + row["answers"] for row in rows)
    arrivals = _arrivals(view, scope, latency, group_by) if total <= EXACT_INTERVAL_ROWS else None
    groups = tuple(
        _group(view, scope, row, source=source, group_by=group_by, arrivals=arrivals) for row in rows
    )
    return LatencyFigures(source=source, groups=groups)


def _group(
    view: Snapshot,
    scope: Scope,
    row: dict[str, Any],
    *,
    source: str,
    group_by: str,
    arrivals: dict[str, Arrivals] | None,
) -> GroupLatency:
    n = row["failures"] + row["answers"]
    found = row["found"] or [None] * len(QUANTILES)
    quantiles = tuple(
        quantile_figure(q, value, row["slowest"], n, row["failures"])
        for q, value in zip(QUANTILES, found, strict=True)
    )
    intervals: tuple[QuantileInterval | None, ...] = (None,) * len(QUANTILES)
    if n and arrivals is not None:
        intervals = tuple(dependent_quantile_interval(arrivals[row["grp"]], q=q) for q in QUANTILES)
    elif n:
        intervals = _large_intervals(
            view, scope, latency=LATENCY_SQL[source], group_sql=GROUPS[group_by], group=row["grp"], n=n
        )
    return GroupLatency(
        group=row["grp"],
        n=n,
        failures=row["failures"],
        unknown=row["unknown"],
        quantiles=quantiles,
        intervals=intervals,
    )


def quantile_figure(q: float, value: float | None, slowest: float | None, n: int, failures: int) -> Quantile:
    """A quantile from SQL, in which failures are infinite, as the figure of `analysis.percentile`.

    Args:
        q: which, 0..1.
        value: what `quantile_cont` found; not finite where a neighbour is a failure.
        slowest: the largest latency of an answer, milliseconds.
        n: requests, failures included.
        failures: how many failed.
    """
    position = (n - 1) * q
    if abs(position - round(position)) < 1e-9:
        position = float(round(position))
    over_limit = n > 0 and math.ceil(position) >= n - failures
    if n == 0 or over_limit or n < min_requests(q):
        return Quantile(q=q, value_ms=None, over_limit=over_limit, n=n, failures=failures)
    # exactly at the last answer, where rounding may have touched the first failure
    known = value if value is not None and math.isfinite(value) else slowest
    return Quantile(q=q, value_ms=known, over_limit=False, n=n, failures=failures)


def _arrivals(view: Snapshot, scope: Scope, latency: str, group_by: str) -> dict[str, Arrivals]:
    """Latencies in arrival order by group, failures infinite."""
    ctes, values = scope.ctes()
    table = view.arrow(
        f"""{ctes} SELECT {GROUPS[group_by]} AS grp,
            CASE WHEN status = 'ok' THEN {latency} ELSE 'inf'::DOUBLE END AS ms
        FROM scoped ORDER BY arrived_at NULLS FIRST, coalesce(seq, -1)""",
        values,
    )
    groups = np.asarray(table.column("grp").to_pylist(), dtype=object)
    latencies = table.column("ms").to_numpy(zero_copy_only=False).astype(float)
    known = ~np.isnan(latencies)
    return {str(name): latencies[(groups == name) & known] for name in set(groups.tolist())}


def _large_intervals(
    view: Snapshot, scope: Scope, *, latency: str, group_sql: str, group: str, n: int
) -> tuple[QuantileInterval | None, ...]:
    """Order statistics at the normal approximation's ranks; at such n it equals the exact ones."""
    z = normal_quantile(0.5 + DEFAULT_CONFIDENCE / 2)
    fractions: list[float] = []
    for q in QUANTILES:
        half = z * math.sqrt(q * (1 - q) / n)
        fractions += [max(0.0, q - half), min(1.0, q + half)]
    ctes, values = scope.ctes()
    ((bounds,),) = view.rows(
        f"""{ctes} SELECT quantile_disc(
            CASE WHEN status = 'ok' THEN {latency} ELSE 'inf'::DOUBLE END, {fractions})
        FROM scoped WHERE {group_sql} = ?""",
        [*values, group],
    )
    return tuple(_bounds(bounds[2 * i], bounds[2 * i + 1], n) for i in range(len(QUANTILES)))


def _bounds(low: float, high: float, n: int) -> QuantileInterval:
    return QuantileInterval(
        low_ms=low if math.isfinite(low) else None,
        high_ms=high if math.isfinite(high) else None,
        low_over_limit=not math.isfinite(low),
        high_over_limit=not math.isfinite(high),
        confidence=DEFAULT_CONFIDENCE,
        method="order_statistic_normal",
        n=n,
    )
