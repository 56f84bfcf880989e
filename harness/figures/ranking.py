# ruff: noqa: S608 - names come from declarations and the allow-list of groups, values are bound
"""Percentiles of durations by group: exact order statistics, whether the rows fit into memory or not.

Several durations of the same rows are looked at in the same passes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, Sides
from harness.analysis.moments import Moments
from harness.analysis.quantile import (
    QuantileSample,
    RankedSample,
    inflation_by_block,
    inflation_by_case,
    quantile_at,
    quantile_ranks,
)
from harness.figures.declaration import Quantile
from harness.figures.durations import Duration, Size, sizes_of
from harness.figures.grouping import group_sql
from harness.figures.selection import Rows
from harness.figures.sums import Term, cases_repeat, clustered_moments

IN_MEMORY_ROWS = 100_000
"""Up to here latencies are fetched in arrival order; beyond, the database ranks and counts them."""

TIME_BLOCKS = 256
"""Spans of time that stand for clusters where latencies are correlated and too many to be fetched."""

CUT_SAMPLE, CUT_ROWS = 100, 2_000
"""Every how manieth request is looked at for a rough percentile, and how many it takes."""

QUANTILES_A_SCAN = 16
"""Groups and durations whose order statistics are found in one pass."""

Quantiles = tuple[float, ...]
ByGroup = dict[str, tuple[Estimate, ...]]
Inflations = dict[str, list[tuple[float, float]]]


class Rankings:
    """The durations of a selection by group, ready to be asked for percentiles.

    Args:
        rows: the selection.
        by: a key of `grouping.GROUPS`.
        rules: say which durations, of which rows.
    """

    def __init__(self, rows: Rows, by: str, rules: Iterable[Quantile]) -> None:
        self._rows = rows
        self._by = by
        self._rules = tuple(rules)
        self.durations = tuple(dict.fromkeys(Duration.of_rule(rule) for rule in self._rules))
        self.sizes = dict(zip(self.durations, sizes_of(rows, by, self.durations), strict=True))
        few = [own for own, sizes in self.sizes.items() if sum(size.n for size in sizes) <= IN_MEMORY_ROWS]
        self.small = {
            own: {group: RankedSample(sample) for group, sample in samples.items()}
            for own, samples in self.fetched(few).items()
        }
        self._known: dict[tuple[Duration, str], dict[int, float]] = {}
        self._inflated: dict[tuple[Duration, Quantiles], Inflations] = {}

    def of_rules(
        self, *, confidence: float = DEFAULT_CONFIDENCE, sides: Sides = Sides.BOTH
    ) -> list[dict[str, Estimate]]:
        """Each rule's percentile with its interval, by group; in the order of the rules."""
        asked: dict[Duration, Quantiles] = dict.fromkeys(self.durations, ())
        for rule in self._rules:
            own = Duration.of_rule(rule)
            asked[own] = tuple(dict.fromkeys((*asked[own], rule.q)))
        found = self.estimates(asked, confidence=confidence, sides=sides)
        return [
            {group: values[asked[own].index(rule.q)] for group, values in found[own].items()}
            for rule in self._rules
            for own in (Duration.of_rule(rule),)
        ]

    def estimates(
        self,
        asked: Mapping[Duration, Quantiles],
        *,
        confidence: float = DEFAULT_CONFIDENCE,
        sides: Sides = Sides.BOTH,
    ) -> dict[Duration, ByGroup]:
        """Each duration's percentiles with their intervals, by group."""
        found: dict[Duration, ByGroup] = {
            own: {
                group: sample.estimates(quantiles, confidence=confidence, sides=sides)
                for group, sample in self.small[own].items()
            }
            for own, quantiles in asked.items()
            if own in self.small
        }
        many = {own: quantiles for own, quantiles in asked.items() if own not in self.small}
        return found | (self._ranked(many, confidence, sides) if many else {})

    def fetched(self, durations: Sequence[Duration]) -> dict[Duration, dict[str, QuantileSample]]:
        """The latencies in arrival order by group, however many they are."""
        told = [own for own in durations if any(size.n for size in self.sizes[own])]
        none = np.empty(0, dtype=np.float64)
        found = {
            own: {
                size.group: QuantileSample(arrivals_ms=none, unknown=size.unknown) for size in self.sizes[own]
            }
            for own in durations
        }
        if not told:
            return found
        repeated = cases_repeat(self._rows, self._by)
        alone = "hash(run_id, request_id)"
        cluster = (
            f"CASE WHEN case_id IS NULL THEN {alone} ELSE hash(case_id) END" if repeated else "0::UBIGINT"
        )
        columns = ", ".join(f"{own.ms} AS ms{place}" for place, own in enumerate(told))
        any_told = " OR ".join(f"ms{place} IS NOT NULL" for place in range(len(told)))
        table = self._rows.view.columns(
            f"""{self._rows.ctes} SELECT * EXCLUDE (arrived_at, place) FROM (
                SELECT hash({group_sql(self._by)}) AS key, {columns}, {cluster} AS cluster,
                    arrived_at, coalesce(seq, -1) AS place FROM counted
            ) WHERE {any_told} ORDER BY arrived_at NULLS FIRST, place""",
            self._rows.values,
        )
        for place, own in enumerate(told):
            latencies = np.ma.asarray(table[f"ms{place}"], dtype=np.float64)
            known = ~np.ma.getmaskarray(latencies)
            clusters = table["cluster"][known] if repeated else None
            found[own] = {
                size.group: _sample(size, np.ma.getdata(latencies)[known], table["key"][known], clusters)
                for size in self.sizes[own]
            }
        return found

    def _ranked(
        self, asked: Mapping[Duration, Quantiles], confidence: float, sides: Sides
    ) -> dict[Duration, ByGroup]:
        inflations = self._inflations(asked)
        ranks = {
            (own, size.group): [
                quantile_ranks(size.n, q, by_case=case, by_time=time, confidence=confidence, sides=sides)
                for q, (case, time) in zip(quantiles, inflations[own].get(size.group, ()), strict=False)
            ]
            or [quantile_ranks(0, q) for q in quantiles]
            for own, quantiles in asked.items()
            for size in self.sizes[own]
        }
        self._look_up(
            {
                (own, size): set().union(*(r.wanted for r in ranks[own, size.group]))
                for own in asked
                for size in self.sizes[own]
                if size.n
            }
        )
        return {
            own: {
                size.group: tuple(
                    quantile_at(
                        rank,
                        self._known.get((own, size.group), {}),
                        n=size.n,
                        failures=size.failures,
                        unknown=size.unknown,
                        confidence=confidence,
                    )
                    for rank in ranks[own, size.group]
                )
                for size in self.sizes[own]
            }
            for own in asked
        }

    def _look_up(self, wanted: Mapping[tuple[Duration, Size], set[int]]) -> None:
        """Learn the latencies at these ranks (1-based); ranks outside the sample are left out."""
        asked = []
        for (own, size), ranks in wanted.items():
            known = self._known.setdefault((own, size.group), {})
            left = sorted(rank for rank in ranks - known.keys() if 1 <= rank <= size.n)
            if left:
                asked.append((own, size, left))
        for first in range(0, len(asked), QUANTILES_A_SCAN):
            some = asked[first : first + QUANTILES_A_SCAN]
            places = {own: place for place, own in enumerate(dict.fromkeys(own for own, _, _ in some))}
            only = {own: "" if len(self.sizes[own]) == 1 else "FILTER (grp = ?)" for own in places}
            # between two ranks, so that no rounding of rank / n can meet the wrong one
            picked = ", ".join(
                f"quantile_disc(ms{places[own]}, {[(rank - 0.5) / size.n for rank in left]}) {only[own]}"
                for own, size, left in some
            )
            columns = ", ".join(f"{own.ms} AS ms{place}" for own, place in places.items())
            (row,) = self._rows.rows(
                f"SELECT {picked} FROM (SELECT {group_sql(self._by)} AS grp, {columns} FROM counted)",
                [size.group for own, size, _ in some if only[own]],
            )
            for (own, size, left), ms in zip(some, row, strict=True):
                self._known[own, size.group].update(zip(left, ms, strict=True))

    def _inflations(self, asked: Mapping[Duration, Quantiles]) -> dict[Duration, Inflations]:
        """By case and by time, of each quantile: from the hits "at or below the cut" in cases and blocks."""
        new = {own: quantiles for own, quantiles in asked.items() if (own, quantiles) not in self._inflated}
        if new:
            edges = self._cuts(new)
            by_time = self._hits(edges, _block(self._rows), "arrivals")
            repeated = cases_repeat(self._rows, self._by)
            by_case = self._hits(edges, "case_id", "cases") if repeated else {}
            for own, quantiles in new.items():
                none = [None] * len(quantiles)
                self._inflated[own, quantiles] = {
                    group: [
                        (1.0 if case is None else inflation_by_case(case), inflation_by_block(time))
                        for case, time in zip(by_case.get((own, group), none), times, strict=True)
                    ]
                    for (told, group), times in by_time.items()
                    if told == own
                }
        return {own: self._inflated[own, quantiles] for own, quantiles in asked.items()}

    def _cuts(self, asked: Mapping[Duration, Quantiles]) -> dict[Duration, dict[str, list[float]]]:
        """Where each group is cut to see how its slow requests cluster: a percentile to three digits will do.

        Of every hundredth request where there are enough of them; a group of few is asked whole.
        """
        found: dict[Duration, dict[str, list[float]]] = {own: {} for own in asked}
        for part, least in ((f"hash(arrived_at) % {CUT_SAMPLE} = 0", CUT_ROWS), ("TRUE", 1)):
            left = [
                own
                for own in asked
                if any(size.group not in found[own] for size in self.sizes[own] if size.n)
            ]
            if not left:
                break
            columns = ", ".join(f"{own.ms} AS ms{place}" for place, own in enumerate(left))
            cuts = ", ".join(
                f"count(ms{place}), quantile_disc(ms{place}, {list(asked[own])})"
                for place, own in enumerate(left)
            )
            for group, *told in self._rows.rows(
                f"""SELECT grp, {cuts} FROM (
                    SELECT {group_sql(self._by)} AS grp, {columns} FROM counted WHERE {part}
                ) GROUP BY grp"""
            ):
                for own, n, cut in zip(left, told[::2], told[1::2], strict=True):
                    if n >= least:
                        found[own].setdefault(group, cut)
        return found

    def _hits(
        self, edges: Mapping[Duration, Mapping[str, Sequence[float]]], cluster: str, told: str
    ) -> dict[tuple[Duration, str], tuple[Moments, ...]]:
        """Moments of "at or below the cut" by cluster, for each cut of each duration and group.

        Args:
            edges: the cuts.
            cluster: SQL of the cluster.
            told: column of `tally` that counts the requests with a cluster.
        """
        groups = list(dict.fromkeys(group for cuts in edges.values() for group in cuts))
        ranked = ", ".join(f"{own.ms} AS ranked{place}" for place, own in enumerate(edges))
        source = f"SELECT *, {group_sql(self._by)} AS own, {ranked} FROM counted"
        cuts = [  # one for each quantile of each duration, with its value in each group
            (place, [None if group not in own else float(own[group][number]) for group in groups])
            for place, own in enumerate(edges.values())
            for number in range(len(next(iter(own.values()), ())))
        ]
        values: list[Any] = []
        if len(groups) == 1:
            asked = [repr(edge).replace("inf", "'inf'") + "::DOUBLE" for _, (edge,) in cuts]
        else:
            asked = [f"c{number}" for number in range(len(cuts))]
            lines = ", ".join([f"(?{', ?::DOUBLE' * len(cuts)})"] * len(groups))
            source = f"FROM ({source}) JOIN (VALUES {lines}) cuts(named, {', '.join(asked)}) ON named = own"
            for number, group in enumerate(groups):
                values += [group, *(of_groups[number] for _, of_groups in cuts)]
        terms = [
            Term(u=f"ranked{place} <= {cut}", v=None, of=f"ranked{place} IS NOT NULL", hit=True)
            for (place, _), cut in zip(cuts, asked, strict=True)
        ]
        found = clustered_moments(
            self._rows, "own", terms, cluster, source=f"({source})", values=values, told=told
        )
        return {
            (own, group): tuple(hits for (of, _), hits in zip(cuts, sums, strict=True) if of == place)
            for place, (own, known) in enumerate(edges.items())
            for group, sums in found.items()
            if group in known
        }


class Ranking:
    """One duration of a selection by group, to be asked for any percentiles.

    Args:
        rows: the selection.
        by: a key of `grouping.GROUPS`.
        rule: says which duration, of which rows; its q is not looked at.
    """

    def __init__(self, rows: Rows, by: str, rule: Quantile) -> None:
        self._all = Rankings(rows, by, [rule])
        (self._own,) = self._all.durations

    def samples(self) -> dict[str, QuantileSample] | None:
        """The latencies themselves, where they are few enough to be in memory."""
        small = self._all.small.get(self._own)
        return None if small is None else {group: own.sample for group, own in small.items()}

    def fetched(self) -> dict[str, QuantileSample]:
        """The latencies in arrival order by group, however many they are."""
        return self.samples() or self._all.fetched([self._own])[self._own]

    def estimates(
        self,
        quantiles: Sequence[float],
        *,
        confidence: float = DEFAULT_CONFIDENCE,
        sides: Sides = Sides.BOTH,
    ) -> ByGroup:
        """Each group's percentiles with their intervals."""
        return self._all.estimates({self._own: tuple(quantiles)}, confidence=confidence, sides=sides)[
            self._own
        ]


def _sample(
    size: Size, latencies: NDArray[np.float64], keys: NDArray[Any], clusters: NDArray[Any] | None
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
