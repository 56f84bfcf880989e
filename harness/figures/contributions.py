"""Where a change of the mean cost comes from: each group's part of it, which add up to the whole."""

from dataclasses import dataclass

from harness.figures.grouping import group_sql
from harness.figures.selection import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One group's part of a change of the mean cost per request.

    A group's part holds both reasons: how often it answered, and what an answer of it cost.

    Attributes:
        group: its name.
        before_usd: its cost before, spread over all requests of then; USD a request.
        after_usd: likewise after.
        before_share: of the requests of known cost.
        after_share: likewise after.
    """

    group: str
    before_usd: float
    after_usd: float
    before_share: float
    after_share: float

    @property
    def change_usd(self) -> float:
        """USD a request; those of all groups add up to the change of the mean."""
        return self.after_usd - self.before_usd


def contributions(before: Rows, after: Rows, by: str) -> tuple[Contribution, ...]:
    """Each group's part of the change of the mean cost, the largest first; empty where a side has no cost.

    Args:
        before: requests.
        after: requests.
        by: a key of `grouping.GROUPS`.
    """
    sides = [_by_group(rows, by) for rows in (before, after)]
    return _parted(sides[0], sides[1])


def role_contributions(before: Rows, after: Rows) -> tuple[Contribution, ...]:
    """The same for `draft` and `repair`; a share is that of the requests which paid for one."""
    sides = [_by_role(rows) for rows in (before, after)]
    return _parted(sides[0], sides[1])


_Sums = tuple[int, dict[str, tuple[int, float]]]
"""Requests of known cost; group -> its requests and USD."""


def _by_group(rows: Rows, by: str) -> _Sums:
    found = rows.rows(
        f"SELECT {group_sql(by)} AS grp, count(usd), sum(usd)::DOUBLE FROM counted "  # noqa: S608 - of the allow-list
        "WHERE usd IS NOT NULL GROUP BY grp"
    )
    return sum(n for _, n, _ in found), {group: (n, usd) for group, n, usd in found}


def _by_role(rows: Rows) -> _Sums:
    ((n, draft, drafted, repair, repaired),) = rows.rows(
        """SELECT count(*), count(*) FILTER (draft_usd > 0), sum(draft_usd)::DOUBLE,
            count(*) FILTER (repair_usd > 0), sum(repair_usd)::DOUBLE
        FROM counted WHERE usd IS NOT NULL AND draft_usd IS NOT NULL"""
    )
    return n, {"draft": (draft, drafted or 0.0), "repair": (repair, repaired or 0.0)}


def _parted(before: _Sums, after: _Sums) -> tuple[Contribution, ...]:
    (before_n, before_groups), (after_n, after_groups) = before, after
    if not before_n or not after_n:
        return ()
    found = [
        Contribution(
            group=group,
            before_usd=before_groups.get(group, _NONE)[1] / before_n,
            after_usd=after_groups.get(group, _NONE)[1] / after_n,
            before_share=before_groups.get(group, _NONE)[0] / before_n,
            after_share=after_groups.get(group, _NONE)[0] / after_n,
        )
        for group in {**before_groups, **after_groups}
    ]
    return tuple(sorted(found, key=lambda part: (-abs(part.change_usd), part.group)))


_NONE = (0, 0.0)
