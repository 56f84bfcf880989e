# ruff: noqa: S608 - names come from this module's allow-lists, values are bound
"""Latency percentiles over any selection, computed in SQL by the rules of `harness.analysis.percentile`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashboard.frame.scope import Scope
from dashboard.queries.tally import CLIENT_MS, SERVER_MS, tally
from harness.analysis import (
    Quantile,
    QuantileInterval,
    dependent_quantile_intervals,
    min_requests,
    neighbours,
)
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

LATENCY_SQL = {"client": CLIENT_MS, "server": SERVER_MS}
GROUPS_A_SCAN = 16
"""Groups whose order statistics are found in one pass."""


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
    ((n, client, known),) = view.rows(
        f"SELECT sum(n), sum(client_timed), sum(timed) FROM {tally(view, scope)}"
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
    sizes = _sizes(view, scope, source, group_by)
    if sum(size.n for size in sizes) <= EXACT_INTERVAL_ROWS:
        arrivals = _arrivals(view, scope, source, group_by)
        groups = [_small_group(size, arrivals.get(size.group, np.empty(0))) for size in sizes]
    else:
        found = _order_statistics(view, scope, source, group_by, sizes)
        groups = [_large_group(size, found.get(size.group, {})) for size in sizes]
    return LatencyFigures(source=source, groups=tuple(groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """How many requests of a group failed, were answered, and were answered in unknown time."""

    group: str
    failures: int
    answers: int
    unknown: int

    @property
    def n(self) -> int:
        return self.failures + self.answers


def _sizes(view: Snapshot, scope: Scope, source: str, group_by: str) -> list[_Size]:
    """The groups' sizes, largest first."""
    ctes: str = ""
    values: list[object] = []
    if group_by in ("all", "run"):
        counts, table = ("sum(n)", "sum(ok)", f"sum({source}_answers)"), tally(view, scope)
    else:
        ctes, values = scope.ctes(view)
        ok = "CASE WHEN status = 'ok' THEN {} END"
        counts = ("count(*)", f"count({ok.format(1)})", f"count({ok.format(LATENCY_SQL[source])})")
        table = "scoped"
    n, ok, answers = counts
    rows = view.dicts(
        f"""{ctes} SELECT {GROUPS[group_by]} AS group, ({n} - {ok})::BIGINT AS failures,
            ({answers})::BIGINT AS answers, ({ok} - {answers})::BIGINT AS unknown
        FROM {table} GROUP BY ALL ORDER BY {n} DESC, 1""",
        values,
    )
    return [_Size(**row) for row in rows]


def _small_group(size: _Size, arrivals: Arrivals) -> GroupLatency:
    """Intervals allow for the correlation of latencies that arrived one after the other."""
    ranked = np.sort(arrivals)
    intervals = dependent_quantile_intervals(arrivals, QUANTILES) if size.n else _NO_INTERVALS
    return _figures(size, {rank: float(ranked[rank]) for rank in _ranks_of_quantiles(size.n)}, intervals)


def _large_group(size: _Size, found: Mapping[int, float]) -> GroupLatency:
    """Order statistics at the normal approximation's ranks; at such n it equals the exact ones."""
    bounds = [(found[low], found[high]) for low, high in _interval_ranks(size.n)]
    intervals = tuple(_bounds(low, high, size.n) for low, high in bounds) or _NO_INTERVALS
    return _figures(size, found, intervals)


_NO_INTERVALS: tuple[QuantileInterval | None, ...] = (None,) * len(QUANTILES)


def _figures(
    size: _Size, at_rank: Mapping[int, float], intervals: Sequence[QuantileInterval | None]
) -> GroupLatency:
    quantiles = []
    for q in QUANTILES:
        below, above, weight = neighbours(size.n, q) if size.n else (0, 0, 0.0)
        low, high = at_rank.get(below), at_rank.get(above)
        value = None
        if low is not None and high is not None and math.isfinite(high):
            value = low + weight * (high - low)
        quantiles.append(quantile_figure(q, value, None, size.n, size.failures))
    return GroupLatency(
        group=size.group,
        n=size.n,
        failures=size.failures,
        unknown=size.unknown,
        quantiles=tuple(quantiles),
        intervals=tuple(intervals),
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
    over_limit = n > 0 and neighbours(n, q)[1] >= n - failures
    if n == 0 or over_limit or n < min_requests(q):
        return Quantile(q=q, value_ms=None, over_limit=over_limit, n=n, failures=failures)
    # exactly at the last answer, where rounding may have touched the first failure
    known = value if value is not None and math.isfinite(value) else slowest
    return Quantile(q=q, value_ms=known, over_limit=False, n=n, failures=failures)


def _arrivals(view: Snapshot, scope: Scope, source: str, group_by: str) -> dict[str, Arrivals]:
    """Latencies in arrival order by group, failures infinite."""
    ctes, values = scope.ctes(view)
    table = view.arrow(
        f"""{ctes} SELECT {GROUPS[group_by]} AS grp, {_RANKED.format(LATENCY_SQL[source])} AS ms
        FROM scoped ORDER BY arrived_at NULLS FIRST, coalesce(seq, -1)""",
        values,
    )
    groups = table.column("grp").combine_chunks().dictionary_encode()
    latencies = table.column("ms").to_numpy(zero_copy_only=False).astype(float)
    places, known = groups.indices.to_numpy(), ~np.isnan(latencies)
    return {
        str(name): latencies[(places == place) & known]
        for place, name in enumerate(groups.dictionary.to_pylist())
    }


def _ranks_of_quantiles(n: int) -> set[int]:
    return {rank for q in QUANTILES for rank in neighbours(n, q)[:2]} if n else set()


def _interval_ranks(n: int) -> list[tuple[int, int]]:
    """For each quantile the ranks, from 0, of its interval's bounds; none for no request."""
    z = normal_quantile(0.5 + DEFAULT_CONFIDENCE / 2)
    ranks = []
    for q in QUANTILES if n else ():
        half = z * math.sqrt(q * (1 - q) / n)
        low, high = max(0.0, q - half), min(1.0, q + half)
        ranks.append((max(0, math.ceil(low * n) - 1), math.ceil(high * n) - 1))
    return ranks


def _order_statistics(
    view: Snapshot, scope: Scope, source: str, group_by: str, sizes: Sequence[_Size]
) -> dict[str, dict[int, float]]:
    """Group -> rank, from 0 -> latency there, failures infinite: the ranks that its figures need."""
    ctes, values = scope.ctes(view)
    found: dict[str, dict[int, float]] = {}
    sizes = [size for size in sizes if size.n]
    for first in range(0, len(sizes), GROUPS_A_SCAN):
        some = sizes[first : first + GROUPS_A_SCAN]
        ranks = [sorted(_ranks_of_quantiles(s.n).union(*_interval_ranks(s.n))) for s in some]
        # between two ranks, so that no rounding of rank / n can meet the wrong one
        wanted = [[(rank + 0.5) / s.n for rank in own] for s, own in zip(some, ranks, strict=True)]
        only = "" if len(sizes) == 1 else "FILTER (grp = ?)"
        picked = ", ".join(f"quantile_disc(ms, {fractions}) {only}" for fractions in wanted)
        (row,) = view.rows(
            f"""{ctes} SELECT {picked} FROM (
                SELECT {GROUPS[group_by]} AS grp, {_RANKED.format(LATENCY_SQL[source])} AS ms FROM scoped)""",
            [*values, *(s.group for s in some if only)],
        )
        found |= {
            s.group: dict(zip(own, ms, strict=True)) for s, own, ms in zip(some, ranks, row, strict=True)
        }
    return found


_RANKED = "CASE WHEN status = 'ok' THEN {} ELSE 'inf'::DOUBLE END"


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
