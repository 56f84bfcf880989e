"""How many requests failed, and how fast answers came."""

from harness.analysis.estimate import Estimate
from harness.figures.declaration import Better, Custom, Figure, Share, Unit
from harness.figures.grouping import group_sql
from harness.figures.selection import Rows

LEAST_ANSWERS = 10
"""Fewer have no rate."""


def _throughput(rows: Rows, by: str, confidence: float) -> dict[str, Estimate]:
    """Answers per second between the first and the last tenth of the answers, by group.

    The ends are left out because a single slow last answer would stretch a short run; a target that falls
    behind its arrivals still shows.
    """
    found = rows.rows(
        f"""SELECT grp, count(ended_s) FROM (
            SELECT {group_sql(by)} AS grp,
                epoch_us(arrived_at) / 1e6 + coalesce(ms, server_ms) / 1000 AS ended_s
            FROM counted WHERE status = 'ok') GROUP BY grp"""  # noqa: S608 - the group is one of the allow-list
    )
    estimates = {}
    for group, n in found:
        rate = _rate(rows, by, group, n) if n >= LEAST_ANSWERS else None
        estimates[group] = Estimate(
            value=rate, low=None, high=None, confidence=confidence, method="middle_tenths", n=n
        )
    return estimates


def _rate(rows: Rows, by: str, group: str, n: int) -> float | None:
    first, last = n // 10, n - 1 - n // 10
    ((ends,),) = rows.rows(
        f"""SELECT quantile_disc(ended_s, [{(first + 0.5) / n}, {(last + 0.5) / n}]) FROM (
            SELECT epoch_us(arrived_at) / 1e6 + coalesce(ms, server_ms) / 1000 AS ended_s
            FROM counted WHERE status = 'ok' AND {group_sql(by)} IS NOT DISTINCT FROM ?)""",  # noqa: S608 - as above
        [group],
    )
    return (last - first) / (ends[1] - ends[0]) if ends[1] > ends[0] else None


FIGURES = (
    Figure(
        name="error_ratio",
        title="error ratio",
        unit=Unit.RATIO,
        better=Better.LESS,
        rows="all requests",
        source="status; everything but ok counts, timeouts and 429 included",
        rule=Share(hit="status <> 'ok'"),
    ),
    Figure(
        name="throughput",
        title="throughput",
        unit=Unit.PER_S,
        better=Better.MORE,
        rows="answers, the first and last tenth left out",
        source="when they ended",
        rule=Custom(estimates=_throughput),
    ),
)
