# ruff: noqa: S608 - names are constants, values are bound
"""How latencies are spread and how they went over the run, in few enough points to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.figures.selection import Rows

MOST_POINTS = 400
"""Points that are drawn at most: a report of a million requests is no larger than one of a thousand."""

MOST_STRETCHES = 24
LEAST_IN_A_STRETCH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The distribution function of a selection's latencies.

    Attributes:
        latency_ms: ascending, shape (k,), the first and the last answer among them.
        share: of all requests that were answered within that time; below 1 at the end where some failed.
        n: requests.
    """

    latency_ms: NDArray[np.float64]
    share: NDArray[np.float64]
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Latencies over the run.

    Attributes:
        n: requests that say when they arrived.
        answers: (second into the run, latency in ms) of single answers, shape (k, 2).
        failures_s: when single requests failed, shape (m,).
        middles_s: middle of each stretch of requests.
        percentiles_ms: q -> the stretches' quantile, failures ranked last; not a number among failures.
    """

    n: int
    answers: NDArray[np.float64]
    failures_s: NDArray[np.float64]
    middles_s: NDArray[np.float64]
    percentiles_ms: dict[float, NDArray[np.float64]]


def spread(rows: Rows) -> Spread:
    """The distribution of the latencies; empty without any."""
    found = rows.view.columns(
        f"""{rows.ctes}, ranked AS (
            SELECT ms, row_number() OVER (ORDER BY ms) AS place, count(*) OVER () AS answers
            FROM counted WHERE status = 'ok' AND ms IS NOT NULL)
        SELECT ms, place FROM ranked
        WHERE place IN (1, answers) OR place % greatest(1, answers // {MOST_POINTS}) = 0 ORDER BY place""",
        rows.values,
    )
    ((known,),) = rows.rows("SELECT count(*) FROM counted WHERE status <> 'ok' OR ms IS NOT NULL")
    return Spread(latency_ms=_floats(found["ms"]), share=_floats(found["place"]) / max(1, known), n=known)


def course(rows: Rows, quantiles: Sequence[float] = (0.5, 0.95)) -> Course | None:
    """The latencies over the run; None with fewer than two requests that say when they arrived."""
    ((first, n),) = rows.rows("SELECT min(arrived_at), count(arrived_at) FROM counted")
    if n < 2:
        return None
    stretches = max(1, min(MOST_STRETCHES, n // LEAST_IN_A_STRETCH))
    timed = f"""{rows.ctes}, timed AS (
        SELECT (epoch_us(arrived_at) - epoch_us(?::TIMESTAMP)) / 1e6 AS second, status = 'ok' AS ok, ms,
            row_number() OVER (ORDER BY arrived_at, coalesce(seq, -1)) - 1 AS place
        FROM counted WHERE arrived_at IS NOT NULL AND (status <> 'ok' OR ms IS NOT NULL))"""
    values = [*rows.values, first.replace(tzinfo=None)]
    points = rows.view.columns(
        f"""{timed}, thinned AS (
            SELECT second, ms, ok, row_number() OVER (PARTITION BY ok ORDER BY place) AS nth,
                count(*) OVER (PARTITION BY ok) AS of FROM timed)
        SELECT second, ms, ok FROM thinned
        WHERE nth IN (1, of) OR nth % greatest(1, of // {MOST_POINTS}) = 0 ORDER BY second""",
        values,
    )
    ranked = rows.view.dicts(
        f"""{timed} SELECT place * {stretches} // {n} AS stretch, avg(second) AS middle,
            quantile_cont(CASE WHEN ok THEN ms ELSE 'inf'::DOUBLE END, {list(quantiles)}) AS at
        FROM timed GROUP BY stretch ORDER BY stretch""",
        values,
    )
    ok = np.asarray(points["ok"], dtype=np.bool_)
    seconds, ms = _floats(points["second"]), _floats(points["ms"])
    return Course(
        n=n,
        answers=np.column_stack([seconds[ok], ms[ok]]),
        failures_s=seconds[~ok],
        middles_s=np.array([line["middle"] for line in ranked], dtype=np.float64),
        percentiles_ms={
            q: np.array([_finite(line["at"][nth]) for line in ranked]) for nth, q in enumerate(quantiles)
        },
    )


def slowest(rows: Rows, most: int = 10) -> list[dict[str, Any]]:
    """The slowest answers by column name, the slowest first; `stages_ms` is JSON text."""
    return rows.dicts(
        """SELECT request_id, case_id, latency_ms, service_ms, server_ms, stages_ms, quality_tier, status,
            cost_usd, ms FROM counted WHERE ms IS NOT NULL ORDER BY ms DESC, request_id LIMIT ?""",
        [most],
    )


def _floats(column: NDArray[Any]) -> NDArray[np.float64]:
    return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)


def _finite(value: float) -> float:
    return value if np.isfinite(value) else np.nan
