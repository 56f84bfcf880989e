"""Seeded bootstrap over cases: which percentile difference would other cases have shown?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.analysis.difference import Difference
from harness.analysis.sample import request_latency
from harness.records import LatencySource, Request

RESAMPLES = 2000
SEED = 20240917
"""Fixed: the same two runs always give the same interval."""

_CHUNK_ELEMENTS = 4_000_000
"""Weights held at once: bounds the memory at about 100 MB for any size of run."""


def paired_quantile_difference(
    plain: Difference, a: Sequence[Request], b: Sequence[Request], *, q: float, source: LatencySource | None
) -> Difference:
    """The difference of a percentile with an interval from resampling whole cases, jointly in both runs.

    Args:
        plain: the unpaired difference: its figures stay, its interval is replaced.
        a: the counted requests of the first run; every one has a case_id.
        b: those of the second, of the same set of cases.
        q: strictly between 0 and 1.
        source: on whose clock latency is read.

    Returns:
        `plain` with the percentile-bootstrap interval; a bound among failures is None.

    Source: Efron and Tibshirani (1993), chapter 13; resampling clusters, Davison and Hinkley (1997),
        section 3.8.
    """
    order = sorted({row.case_id or "" for row in a})
    place = {case: index for index, case in enumerate(order)}
    values_a, cases_a = _sorted_by_latency(a, place, source)
    values_b, cases_b = _sorted_by_latency(b, place, source)
    rng = np.random.default_rng(SEED)
    chosen = rng.multinomial(len(order), np.full(len(order), 1.0 / len(order)), size=RESAMPLES)
    shifts = _weighted_quantiles(values_b, chosen, cases_b, q) - _weighted_quantiles(
        values_a, chosen, cases_a, q
    )
    shifts = np.sort(np.where(np.isnan(shifts), np.inf, shifts))
    tail = (1.0 - plain.confidence) / 2.0
    low = float(shifts[int(np.floor(tail * (RESAMPLES - 1)))])
    high = float(shifts[int(np.ceil((1.0 - tail) * (RESAMPLES - 1)))])
    return replace(
        plain,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        method="case_bootstrap",
        paired=True,
        n_a=len(order),
        n_b=len(order),
    )


def _sorted_by_latency(
    rows: Sequence[Request], place: dict[str, int], source: LatencySource | None
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    latencies = [request_latency(row, source) for row in rows]
    values = np.array([np.inf if value is None else value for value in latencies])
    cases = np.array([place[row.case_id or ""] for row in rows], dtype=np.intp)
    order = np.argsort(values, kind="stable")
    return values[order], cases[order]


def _weighted_quantiles(
    values: NDArray[np.float64], chosen: NDArray[np.int64], cases: NDArray[np.intp], q: float
) -> NDArray[np.float64]:
    """The q quantile (definition 7) of each resample: every value counted as often as its case was drawn."""
    found: list[NDArray[np.float64]] = []
    step = max(1, _CHUNK_ELEMENTS // max(1, values.size))
    for start in range(0, chosen.shape[0], step):
        reached = np.cumsum(chosen[start : start + step][:, cases], axis=1)
        position = (reached[:, -1] - 1) * q
        below = np.floor(position)
        at = [
            np.minimum((reached <= rank[:, None]).sum(axis=1), values.size - 1)
            for rank in (below, np.ceil(position))
        ]
        low, high = values[at[0]], values[at[1]]
        with np.errstate(invalid="ignore"):
            between = low + (position - below) * (high - low)
        found.append(np.where(position > below, between, low))
    return np.concatenate(found)
