# ruff: noqa: S608 - names come from declarations and the allow-list of groups, values are bound
"""Durations that percentiles are asked of, and how many requests of each group tell them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.figures.declaration import Quantile
from harness.figures.grouping import group_sql
from harness.figures.selection import Rows, duration_sql
from harness.figures.sums import cases_repeat, combined


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """One duration of each request, as SQL over `counted`.

    Attributes:
        known: of an answer that tells it.
        of: condition of the answers that take part.
        failed: condition of the failures that take part, slower than every answer.
    """

    known: str
    of: str
    failed: str

    @staticmethod
    def of_rule(rule: Quantile) -> "Duration":
        """The duration that a percentile is about."""
        return Duration(
            known=rule.ms if rule.ms == "ms" else duration_sql(rule.ms),  # `ms` is one already
            of=rule.of,
            failed="status <> 'ok'" if rule.failures_rank else "FALSE",
        )

    @property
    def ms(self) -> str:
        """Infinite for a failure; None for who takes no part."""
        answered = f"WHEN {self.of} THEN {self.known} END"
        if self.failed == "FALSE":
            return f"CASE {answered}"
        return f"CASE WHEN {self.failed} THEN 'inf'::DOUBLE {answered}"

    def counts(self) -> dict[str, str]:
        """Conditions by what they count: failures, answers of known duration, answers that take part."""
        wanted = f"NOT ({self.failed}) AND ({self.of})"
        return {
            "failures": self.failed,
            "answers": f"{wanted} AND ({self.known}) IS NOT NULL",
            "wanted": wanted,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many requests of a group failed, were answered, and were answered in unknown time.

    Attributes:
        key: hash of the group.
    """

    group: str
    key: int
    failures: int
    answers: int
    unknown: int

    @property
    def n(self) -> int:
        """Requests of known outcome."""
        return self.failures + self.answers


def sizes_of(rows: Rows, by: str, durations: Sequence[Duration]) -> list[list[Size]]:
    """Of each duration the sizes of all groups, largest group first."""
    conditions = [own.counts() for own in durations]
    # where cases repeat nothing else asks for the combinations, and they would be worked out for this alone
    told = [own for own in durations if own.known == "ms" and combined(own.of, group_sql(by))]
    if len(told) == len(durations) and not cases_repeat(rows, by):
        source, count = rows.combinations.table, "coalesce(sum(CASE WHEN {} THEN n END), 0)::BIGINT"
        conditions = [
            {name: sql.replace("(ms) IS NOT NULL", "timed") for name, sql in own.items()}
            for own in conditions
        ]
    else:
        source, count = "counted", "count(CASE WHEN {} THEN 1 END)"
    columns = "".join(
        f", {count.format(sql)} AS {name}{place}"
        for place, own in enumerate(conditions)
        for name, sql in own.items()
    )
    found = rows.dicts(
        f"""SELECT *, hash(grp) AS key FROM (
            SELECT {group_sql(by)} AS grp, {count.format("TRUE")} AS n{columns} FROM {source} GROUP BY grp
        ) ORDER BY n DESC, grp"""
    )
    return [[_size(row, place) for row in found] for place in range(len(durations))]


def _size(row: dict[str, Any], place: int) -> Size:
    answers = row[f"answers{place}"]
    unknown = row[f"wanted{place}"] - answers
    # nobody timed the answers: a failure ranks above nothing that is known
    failures = 0 if unknown and not answers else row[f"failures{place}"]
    return Size(group=row["grp"], key=row["key"], failures=failures, answers=answers, unknown=unknown)
