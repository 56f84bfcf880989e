# ruff: noqa: S608 - names come from declarations and the allow-list of groups, values are bound
"""Percentiles of durations by group: exact order statistics, whether the rows fit into memory or not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, Sides
from harness.analysis.quantile import (
    QuantileSample,
    RankedSample,
    inflation_by_block,
    inflation_by_case,
    quantile_at,
    quantile_ranks,
)
from harness.figures.declaration import Quantile
from harness.figures.grouping import group_sql
from harness.figures.selection import Rows, duration_sql
from harness.figures.sums import Term, cases_repeat, clustered_moments, combined

IN_MEMORY_ROWS = 100_000
"""Up to here latencies are fetched in arrival order; beyond, the database ranks and counts them."""

TIME_BLOCKS = 256
"""Spans of time that stand for clusters where latencies are correlated and too many to be fetched."""

CUT_SAMPLE, CUT_ROWS = 100, 2_000
"""Every how manieth request is looked at for a rough percentile, and how many it takes."""

GROUPS_A_SCAN = 16
"""Groups whose order statistics are found in one pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """How many requests of a group failed, were answered, and were answered in unknown time."""

    group: str
    key: int
    failures: int
    answers: int
    unknown: int

    @property
    def n(self) -> int:
        return self.failures + self.answers


class Ranking:
    """The durations of a selection by group, ready to be asked for percentiles.

    Args:
        rows: the selection.
        by: a key of `grouping.GROUPS`.
        rule: says which duration, of which rows; its q is not looked at.
    """

    def __init__(self, rows: Rows, by: str, rule: Quantile) -> None:
        self._rows = rows
        self._by = by
        known = rule.ms if rule.ms == "ms" else duration_sql(rule.ms)  # `ms` is one already
        of = rule.of
        if rule.failures_rank:
            self._ms = f"CASE WHEN status <> 'ok' THEN 'inf'::DOUBLE WHEN {of} THEN {known} END"
        else:
            self._ms = f"CASE WHEN {of} THEN {known} END"
        self._sizes = self._sized(rule, known)
        self._small: dict[str, RankedSample] | None = None
        self._known: dict[str, dict[int, float]] = {}
        self._inflated: dict[tuple[float, ...], dict[str, list[tuple[float, float]]]] = {}
        if sum(size.n for size in self._sizes) <= IN_MEMORY_ROWS:
            self._small = {group: RankedSample(sample) for group, sample in self.fetched().items()}

    @property
    def groups(self) -> list[str]:
        """The groups, largest first."""
        return [size.group for size in self._sizes]

    def samples(self) -> dict[str, QuantileSample] | None:
        """The latencies themselves, where they are few enough to be in memory."""
        return None if self._small is None else {group: own.sample for group, own in self._small.items()}

    def estimates(
        self,
        quantiles: Sequence[float],
        *,
        confidence: float = DEFAULT_CONFIDENCE,
        sides: Sides = Sides.BOTH,
    ) -> dict[str, tuple[Estimate, ...]]:
        """Each group's percentiles with their intervals."""
        if self._small is not None:
            return {
                group: sample.estimates(quantiles, confidence=confidence, sides=sides)
                for group, sample in self._small.items()
            }
        return self._ranked(quantiles, confidence, sides)

    def _sized(self, rule: Quantile, known: str) -> list[_Size]:
        failed = "status <> 'ok'" if rule.failures_rank else "FALSE"
        if rule.ms == "ms" and combined(rule.of, group_sql(self._by)):
            return self._sizes_of(self._combined_sizes(rule.of, failed))
        found = self._rows.dicts(
            f"""SELECT *, hash(grp) AS key FROM (
                SELECT {group_sql(self._by)} AS grp, count(*) AS n,
                    count(CASE WHEN {failed} THEN 1 END) AS failures,
                    count(CASE WHEN NOT ({failed}) AND {rule.of} THEN {known} END) AS answers,
                    count(CASE WHEN NOT ({failed}) AND {rule.of} THEN 1 END) AS wanted
                FROM counted GROUP BY grp) ORDER BY n DESC, grp"""
        )
        return self._sizes_of(found)

    def _combined_sizes(self, of: str, failed: str) -> list[dict[str, Any]]:
        """The same counts, from how often each combination of columns comes."""
        answered = f"NOT ({failed}) AND {of}"
        sums = ", ".join(
            f"coalesce(sum(CASE WHEN {condition} THEN n END), 0)::BIGINT AS {name}"
            for name, condition in (
                ("n", "TRUE"),
                ("failures", failed),
                ("answers", f"{answered} AND timed"),
                ("wanted", answered),
            )
        )
        return self._rows.view.dicts(
            f"""SELECT *, hash(grp) AS key FROM (
                SELECT {group_sql(self._by)} AS grp, {sums} FROM {self._rows.combinations.table} GROUP BY grp
            ) ORDER BY n DESC, grp"""
        )

    @staticmethod
    def _sizes_of(found: list[dict[str, Any]]) -> list[_Size]:
        sizes = []
        for row in found:
            unknown = row["wanted"] - row["answers"]
            # nobody timed the answers: a failure ranks above nothing that is known
            failures = 0 if unknown and not row["answers"] else row["failures"]
            sizes.append(
                _Size(
                    group=row["grp"],
                    key=row["key"],
                    failures=failures,
                    answers=row["answers"],
                    unknown=unknown,
                )
            )
        return sizes

    def fetched(self) -> dict[str, QuantileSample]:
        """The latencies in arrival order by group, however many they are."""
        if self._small is not None:
            return {group: own.sample for group, own in self._small.items()}
        repeated = cases_repeat(self._rows, self._by)
        own = "hash(run_id, request_id)"
        cluster = f"CASE WHEN case_id IS NULL THEN {own} ELSE hash(case_id) END" if repeated else "0::UBIGINT"
        table = self._rows.view.columns(
            f"""{self._rows.ctes} SELECT * EXCLUDE (arrived_at, place) FROM (
                SELECT hash({group_sql(self._by)}) AS key, {self._ms} AS ms, {cluster} AS cluster,
                    arrived_at, coalesce(seq, -1) AS place FROM counted
            ) WHERE ms IS NOT NULL ORDER BY arrived_at NULLS FIRST, place""",
            self._rows.values,
        )
        latencies = np.asarray(table["ms"], dtype=np.float64)
        return {
            size.group: _sample(size, latencies, table["key"], table["cluster"] if repeated else None)
            for size in self._sizes
        }

    def _ranked(
        self, quantiles: Sequence[float], confidence: float, sides: Sides
    ) -> dict[str, tuple[Estimate, ...]]:
        inflations = self._inflations(tuple(quantiles))
        ranks = {
            s.group: tuple(
                quantile_ranks(s.n, q, by_case=case, by_time=time, confidence=confidence, sides=sides)
                for q, (case, time) in zip(quantiles, inflations.get(s.group, ()), strict=False)
            )
            for s in self._sizes
        }
        wanted = {s.group: set().union(*(r.wanted for r in ranks[s.group])) for s in self._sizes if s.n}
        found = self._at(wanted)
        return {
            s.group: tuple(
                quantile_at(
                    own,
                    found.get(s.group, {}),
                    n=s.n,
                    failures=s.failures,
                    unknown=s.unknown,
                    confidence=confidence,
                )
                for own in ranks[s.group] or [quantile_ranks(0, q) for q in quantiles]
            )
            for s in self._sizes
        }

    def _at(self, wanted: dict[str, set[int]]) -> dict[str, dict[int, float]]:
        """Group -> rank (1-based) -> the latency there; ranks outside the sample are left out."""
        n_of = {size.group: size.n for size in self._sizes}
        asked = {
            group: sorted(
                rank for rank in ranks - self._known.get(group, {}).keys() if 1 <= rank <= n_of[group]
            )
            for group, ranks in wanted.items()
        }
        groups = [group for group, ranks in asked.items() if ranks]
        for first in range(0, len(groups), GROUPS_A_SCAN):
            some = groups[first : first + GROUPS_A_SCAN]
            only = "" if len(n_of) == 1 else "FILTER (grp = ?)"
            # between two ranks, so that no rounding of rank / n can meet the wrong one
            picked = ", ".join(
                f"quantile_disc(ms, {[(rank - 0.5) / n_of[group] for rank in asked[group]]}) {only}"
                for group in some
            )
            (row,) = self._rows.rows(
                f"SELECT {picked} FROM (SELECT {group_sql(self._by)} AS grp, {self._ms} AS ms FROM counted)",
                [group for group in some if only],
            )
            for group, ms in zip(some, row, strict=True):
                self._known.setdefault(group, {}).update(zip(asked[group], ms, strict=True))
        return self._known

    def _inflations(self, quantiles: tuple[float, ...]) -> dict[str, list[tuple[float, float]]]:
        """By case and by time, of each quantile: from the hits "at or below the cut" in cases and blocks."""
        if quantiles not in self._inflated:
            edges = self._cuts(quantiles)
            by_time = self._hits(quantiles, edges, _block(self._rows))
            by_case = self._hits(quantiles, edges, "case_id") if cases_repeat(self._rows, self._by) else {}
            self._inflated[quantiles] = {
                group: [
                    (1.0 if case is None else inflation_by_case(case), inflation_by_block(time))
                    for case, time in zip(by_case.get(group, [None] * len(quantiles)), times, strict=True)
                ]
                for group, times in by_time.items()
            }
        return self._inflated[quantiles]

    def _cuts(self, quantiles: tuple[float, ...]) -> dict[str, list[float]]:
        """Where each group is cut to see how its slow requests cluster: a percentile to three digits will do.

        Of every hundredth request where there are enough of them; a group of few is asked whole.
        """
        found: dict[str, list[float]] = {}
        for part, least in ((f"hash(arrived_at) % {CUT_SAMPLE} = 0", CUT_ROWS), ("TRUE", 1)):
            if all(size.group in found for size in self._sizes if size.n):
                break
            for group, n, cuts in self._rows.rows(
                f"""SELECT grp, count(ms), quantile_disc(ms, {list(quantiles)}) FROM (
                    SELECT {group_sql(self._by)} AS grp, {self._ms} AS ms FROM counted WHERE {part}
                ) GROUP BY grp"""
            ):
                if n >= least:
                    found.setdefault(group, cuts)
        return found

    def _hits(
        self, quantiles: Sequence[float], edges: dict[str, list[float]], cluster: str
    ) -> dict[str, Any]:
        if len(edges) == 1:
            ((cut,),) = (edges.values(),)
            source = f"(SELECT *, {group_sql(self._by)} AS own, {self._ms} AS ranked FROM counted)"
            alone = [f"ranked <= {float(edge)!r}::DOUBLE" for edge in cut]
            terms = [
                Term(u=hit.replace("inf", "'inf'"), v=None, of="ranked IS NOT NULL", hit=True)
                for hit in alone
            ]
            return clustered_moments(self._rows, "own", terms, cluster, source=source)
        names = [f"c{place}" for place in range(len(quantiles))]
        lines = ", ".join(f"(?{', ?::DOUBLE' * len(names)})" for _ in edges)
        values = [value for group, cut in edges.items() for value in (group, *cut)]
        source = f"""(SELECT c.*, {group_sql(self._by)} AS own, {self._ms} AS ranked, cuts.* FROM counted c
            JOIN (VALUES {lines}) cuts(named, {", ".join(names)}) ON named = {group_sql(self._by)})"""
        terms = [Term(u=f"ranked <= {name}", v=None, of="ranked IS NOT NULL", hit=True) for name in names]
        return clustered_moments(self._rows, "own", terms, cluster, source=source, values=values)


def _sample(
    size: _Size, latencies: NDArray[np.float64], keys: NDArray[Any], clusters: NDArray[Any] | None
) -> QuantileSample:
    own = keys == np.uint64(size.key)
    arrivals = latencies[own]
    if size.failures == 0:
        kept = np.isfinite(arrivals)
        own[own] = kept
        arrivals = arrivals[kept]
    numbers = None if clusters is None else np.unique(clusters[own], return_inverse=True)[1]
    return QuantileSample(arrivals_ms=arrivals, clusters=numbers, unknown=size.unknown)


def _block(rows: Rows) -> str:
    """SQL of the span of time in which a request arrived; None where it does not say when."""
    ((first, last),) = rows.view.rows(
        f"SELECT epoch_us(min(first_at)), epoch_us(max(last_at)) FROM {rows.tally.table}"
    )
    if first is None or last is None or last <= first:
        return "NULL::BIGINT"
    width_us = (last - first) // TIME_BLOCKS + 1
    return f"(epoch_us(arrived_at) - {int(first)}) // {int(width_us)}"


def rankings(rows: Rows, by: str, rules: Iterable[Quantile]) -> dict[tuple[str, str, bool], Ranking]:
    """One ranking for each duration that the rules are about."""
    return {
        (rule.ms, rule.of, rule.failures_rank): Ranking(rows, by, rule)
        for rule in {(r.ms, r.of, r.failures_rank): r for r in rules}.values()
    }
