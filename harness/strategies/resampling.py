"""How firmly each way stands on the frontier: the share of resampled case sets in which nothing beats it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.figures.selection import Rows
from harness.strategies.cells import Cells, Column
from harness.strategies.policies import Way

RESAMPLES = 200
SEED = 20161014
MOST_UNITS = 20_000
"""Requests of a way that are resampled; of more, those of every so-manieth case."""

P95 = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """A way's requests, shape (n,) each; not a number is unknown.

    Attributes:
        own: number of each request's case, the same for every way; a request without a case is its own.
        ms: infinite for a failure.
    """

    own: NDArray[np.uint64]
    usd: Column
    high: Column
    ms: Column


def recorded_units(rows: Rows) -> Units:
    """The counted requests of a selection."""
    every = max(1, -(-rows.n // MOST_UNITS))
    columns = rows.view.columns(
        f"""{rows.ctes} SELECT hash(coalesce(case_id, request_id)) AS own, usd::DOUBLE AS usd,
            CASE WHEN status = 'ok' THEN (quality_tier = 'high')::DOUBLE END AS high,
            CASE WHEN status = 'ok' THEN ms::DOUBLE ELSE 'inf'::DOUBLE END AS ms
        FROM counted WHERE hash(coalesce(case_id, request_id)) % ? = 0""",  # noqa: S608 - constant, values bound
        [*rows.values, every],
    )
    own = np.asarray(np.ma.filled(np.ma.asarray(columns["own"]), 0))
    usd, high, ms = (np.ma.filled(np.ma.asarray(columns[n]), np.nan) for n in ("usd", "high", "ms"))
    return Units(own=own, usd=usd, high=high, ms=ms)


def mix_units(way: Way, cells: Cells) -> Units:
    """The units of a way that nobody ran."""
    every = np.uint64(max(1, -(-cells.n // MOST_UNITS)))
    kept = cells.case_keys % every == 0
    ms = np.where(way.ok > 0.0, way.ms, np.inf)
    return Units(own=cells.case_keys[kept], usd=way.usd[kept], high=way.high[kept], ms=ms[kept])


def frontier_shares(ways: Sequence[Units], *, latency: bool) -> list[float | None]:
    """Share of resamples in which no other way is as good in all figures and better in one.

    Cases are drawn with replacement (Poisson weights), the same draw for all ways, so that what is common to
    a case moves all of them together.

    Args:
        ways: recorded or not.
        latency: the p95 counts beside cost and high tier.

    Returns:
        0..1 by way; None for a way of which a figure is unknown.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993); Chamandy et al. (2012) on Poisson
        weights.
    """
    cases = np.unique(np.concatenate([way.own for way in ways])) if ways else np.empty(0, np.uint64)
    weights = np.random.default_rng(SEED).poisson(1.0, (RESAMPLES, len(cases))).astype(np.float32)
    drawn = [_figures(way, cases, weights, latency=latency) for way in ways]
    placed = [place for place, own in enumerate(drawn) if bool((~np.isnan(own)).any(axis=0).all())]
    if not placed:
        return [None] * len(ways)
    table = np.stack([drawn[place] for place in placed], axis=1)  # resamples, ways, figures
    shares: list[float | None] = [None] * len(ways)
    for k, place in enumerate(placed):
        mine = table[:, k : k + 1]
        as_good, better = np.all(table <= mine, axis=2), np.any(table < mine, axis=2)
        beaten = np.any(as_good & better, axis=1)
        told = ~np.any(np.isnan(mine), axis=(1, 2))
        shares[place] = float(np.mean(~beaten[told])) if np.any(told) else None
    return shares


def _figures(
    way: Units, cases: NDArray[np.uint64], weights: NDArray[np.float32], *, latency: bool
) -> NDArray[np.float64]:
    """Cost, lack of high tier and p95 of each resample, smaller is better: shape (resamples, 2 or 3)."""
    own = np.searchsorted(cases, way.own)
    found = [_means(way.usd, own, weights), -_means(way.high, own, weights)]
    if latency:
        found.append(_p95(way.ms, own, weights))
    return np.stack(found, axis=1)


def _means(values: Column, own: NDArray[np.intp], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    count = weights.shape[1]
    sums = np.bincount(own[known], weights=values[known], minlength=count)
    counts = np.bincount(own[known], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = (weights @ sums) / (weights @ counts)
    return found


def _p95(ms: Column, own: NDArray[np.intp], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    known = ~np.isnan(ms)
    if not known.any():
        return np.full(len(weights), np.nan)
    ms, own = ms[known], own[known]
    order = np.argsort(ms)
    drawn = np.cumsum(weights[:, own[order]], axis=1, dtype=np.float64)
    place = (drawn < P95 * drawn[:, -1:]).sum(axis=1)
    found: NDArray[np.float64] = ms[order][np.minimum(place, len(ms) - 1)]
    return np.where(drawn[:, -1] > 0, found, np.nan)
