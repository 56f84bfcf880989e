# ruff: noqa: S608 - names come from declarations and the allow-list of groups, values are bound
"""Sums over clusters, added up by the database: what means, shares and ratios need of any number of rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.moments import NO_MOMENTS, Moments
from harness.figures.declaration import Mean, Ratio, Share
from harness.figures.grouping import group_sql
from harness.figures.selection import COMBINED, Rows
from harness.store.spool.codec import columns_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What is added up: u and, for ratios, v of each row; SQL over `counted`, NULL where unknown.

    `hit`: u is a condition, true or false.
    """

    u: str
    v: str | None
    of: str
    hit: bool = False

    @property
    def known_u(self) -> str:
        """U of the rows that take part and tell it."""
        if self.hit:
            return f"CASE WHEN {self.of} THEN coalesce({self.u}, FALSE) END"
        both = "" if self.v is None else f" AND ({self.v}) IS NOT NULL"
        return f"CASE WHEN ({self.of}){both} THEN ({self.u})::DOUBLE END"

    @property
    def known_v(self) -> str:
        """V of the same rows."""
        return f"CASE WHEN ({self.of}) AND ({self.u}) IS NOT NULL THEN ({self.v})::DOUBLE END"


def term_of(rule: Share | Mean | Ratio) -> Term:
    """The sums that a rule needs."""
    if isinstance(rule, Share):
        return Term(u=rule.hit, v=None, of=rule.of, hit=True)
    if isinstance(rule, Mean):
        return Term(u=rule.value, v=None, of=rule.of)
    return Term(u=rule.top, v=rule.bottom, of=rule.of)


def moments(rows: Rows, by: str, terms: Sequence[Term]) -> dict[str, tuple[Moments, ...]]:
    """The sums of every term, by group; a cluster is a case where cases repeat within the group.

    Args:
        rows: the selection.
        by: a key of `grouping.GROUPS`.
        terms: at least one.
    """
    if not terms:
        return {}
    if cases_repeat(rows, by):
        return clustered_moments(rows, group_sql(by), terms, "case_id", told="cases")
    counted = [term for term in terms if term.hit and combined(term.u, term.of, group_sql(by))]
    added = [term for term in terms if term not in counted]
    found = [_combined_moments(rows, group_sql(by), counted) if counted else {}]
    found.append(clustered_moments(rows, group_sql(by), added, None) if added else {})
    none = (NO_MOMENTS,)
    result = {}
    for group in dict.fromkeys([*found[0], *found[1]]):
        parts = [
            iter(side.get(group, none * len(own))) for side, own in zip(found, (counted, added), strict=True)
        ]
        result[group] = tuple(next(parts[0] if term in counted else parts[1]) for term in terms)
    return result


def combined(*expressions: str) -> bool:
    """The expressions are about columns of few different values alone."""
    words = {word for expression in expressions for word in _WORD.findall(_TEXT.sub("", expression))}
    return not words & _SINGLE_COLUMNS


_TEXT = re.compile(r"'[^']*'")
_WORD = re.compile(r"[a-z_0-9]+")
_DERIVED = {"ms", "usd", "draft_usd", "repair_usd", "arrived_at", "kind", "mode"}
_SINGLE_COLUMNS = ({*columns_of("request")} | _DERIVED) - {*COMBINED}
"""Columns of `counted` that a combination does not tell."""


def _combined_moments(rows: Rows, group: str, terms: Sequence[Term]) -> dict[str, tuple[Moments, ...]]:
    """Moments of conditions over independent rows, from how often each combination comes."""
    columns = ", ".join(
        f"coalesce(sum(CASE WHEN {term.known_u} IS NOT NULL THEN n END), 0)::BIGINT AS n{place}, "
        f"coalesce(sum(CASE WHEN {term.known_u} THEN n END), 0)::BIGINT AS u{place}"
        for place, term in enumerate(terms)
    )
    found = rows.view.dicts(f"SELECT {group} AS grp, {columns} FROM {rows.combinations.table} GROUP BY grp")
    return {
        row["grp"]: tuple(_of_counts(row[f"n{place}"], row[f"u{place}"]) for place in range(len(terms)))
        for row in found
    }


def _of_counts(n: int, hits: int) -> Moments:
    return Moments(n=n, clusters=n, u=float(hits), v=float(n), uu=float(hits), uv=float(hits), vv=float(n))


def cases_repeat(rows: Rows, by: str) -> bool:
    """Some case of the selection stands in several rows of one group."""
    ((told,),) = rows.view.rows(f"SELECT coalesce(sum(cases), 0)::BIGINT FROM {rows.tally.table}")
    if not told:
        return False
    found = rows.kept(
        f"""SELECT count(DISTINCT hash({group_sql(by)}, case_id)) AS cases FROM counted
        WHERE case_id IS NOT NULL"""
    )
    ((cases,),) = rows.view.rows(f"FROM {found.table}")
    return bool(cases < told)


def clustered_moments(
    rows: Rows,
    group: str,
    terms: Sequence[Term],
    cluster: str | None,
    *,
    source: str = "counted",
    values: Sequence[Any] = (),
    told: str | None = None,
) -> dict[str, tuple[Moments, ...]]:
    """As `moments`, of any relation over `counted` and any cluster; rows of no cluster are one each.

    Args:
        rows: the selection.
        group: SQL of the group.
        terms: what to add up.
        cluster: SQL of the cluster; None for independent rows.
        source: what to select from.
        values: bound by `source`.
        told: column of `tally` that counts the rows with a cluster, so that none is looked for in vain.
    """
    columns = ", ".join(_row_columns(place, term) for place, term in enumerate(terms))
    relation = f"(SELECT {group} AS grp, {cluster or 'NULL'} AS cluster, {columns} FROM {source})"
    parts = []
    if cluster is None or told is None or _some_untold(rows, told):
        single = ", ".join(_single_sums(place, term) for place, term in enumerate(terms))
        parts.append(f"SELECT grp, {single} FROM {relation} WHERE cluster IS NULL GROUP BY grp")
    if cluster is not None:
        inner = ", ".join(_cluster_sums(place, term) for place, term in enumerate(terms))
        outer = ", ".join(_outer_sums(place) for place in range(len(terms)))
        parts.append(
            f"""SELECT grp, {outer} FROM (SELECT grp, cluster, {inner} FROM {relation}
            WHERE cluster IS NOT NULL GROUP BY grp, cluster) GROUP BY grp"""
        )
    found: dict[str, tuple[Moments, ...]] = {}
    for part in parts:
        for row in rows.dicts(part, values):
            own = tuple(_moments(row, place) for place in range(len(terms)))
            before = found.get(row["grp"], (NO_MOMENTS,) * len(terms))
            found[row["grp"]] = tuple(a + b for a, b in zip(before, own, strict=True))
    return found


def _some_untold(rows: Rows, told: str) -> bool:
    ((n,),) = rows.view.rows(f"SELECT sum({told})::BIGINT FROM {rows.tally.table}")
    return bool((n or 0) < rows.n)


def _row_columns(place: int, term: Term) -> str:
    v = "" if term.v is None else f", {term.known_v} AS v{place}"
    return f"{term.known_u} AS u{place}{v}, CASE WHEN {term.of} THEN 1 END AS o{place}"


def _single_sums(place: int, term: Term) -> str:
    u, v = f"u{place}", f"v{place}"
    if term.hit:  # counting is several times faster than adding up
        hits, n = f"count(CASE WHEN {u} THEN 1 END)", f"count({u})"
        sums = f"{n} AS n_{place}, {n} AS g_{place}, {hits} AS u_{place}, {hits} AS uu_{place}"
        rest = f"{n} AS v_{place}, {hits} AS uv_{place}, {n} AS vv_{place}"
        return f"{sums}, {rest}, count(o{place}) AS o_{place}"
    known = f"count({u}) AS n_{place}, count({u}) AS g_{place}"
    known += f", fsum({u}) AS u_{place}, fsum({u} * {u}) AS uu_{place}"
    if term.v is None:
        rest = f"count({u})::DOUBLE AS v_{place}, fsum({u}) AS uv_{place}, count({u})::DOUBLE AS vv_{place}"
    else:
        rest = f"fsum({v}) AS v_{place}, fsum({u} * {v}) AS uv_{place}, fsum({v} * {v}) AS vv_{place}"
    return f"{known}, {rest}, count(o{place}) AS o_{place}"


def _cluster_sums(place: int, term: Term) -> str:
    v = f"count(u{place})::DOUBLE" if term.v is None else f"fsum(v{place})"
    u = f"count(CASE WHEN u{place} THEN 1 END)::DOUBLE" if term.hit else f"fsum(u{place})"
    sums = f"count(u{place}) AS k{place}, {u} AS u{place}"
    return f"{sums}, {v} AS v{place}, count(o{place}) AS o{place}"


def _outer_sums(place: int) -> str:
    u, v = f"u{place}", f"CASE WHEN k{place} > 0 THEN v{place} END"
    return (
        f"sum(k{place})::BIGINT AS n_{place}, count(CASE WHEN k{place} > 0 THEN 1 END) AS g_{place}, "
        f"fsum({u}) AS u_{place}, fsum({u} * {u}) AS uu_{place}, fsum({v}) AS v_{place}, "
        f"fsum({u} * {v}) AS uv_{place}, fsum({v} * {v}) AS vv_{place}, sum(o{place})::BIGINT AS o_{place}"
    )


def _moments(row: Mapping[str, Any], place: int) -> Moments:
    n = int(row[f"n_{place}"] or 0)
    return Moments(
        n=n,
        clusters=int(row[f"g_{place}"]),
        **{name: float(row[f"{name}_{place}"] or 0.0) for name in ("u", "v", "uu", "uv", "vv")},
        unknown=int(row[f"o_{place}"] or 0) - n,
    )
