"""Is one strategy better than another by more than a margin? Ask after every case, and stop when it is known.

Each answer, yes and no, has a test martingale that bets against it: a mixture of the products of
1 + bet x observation over a fixed grid of bets. While its null is true it is a non-negative martingale that
starts at 1, so the chance that it ever reaches 1 / alpha is at most alpha, however often one looks.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_PAIRS = 10
"""No verdict before: a handful of cases is no sample of anything."""
_BETS = np.geomspace(0.002, 0.98, 40)
"""Shares of the largest bet that cannot ruin; a grid, so that nothing has to be tuned to the data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedVerdict:
    """Where the test stands.

    Attributes:
        holds: the mean exceeds the margin: True or False; None while that is open.
        pairs: how many it took, or has seen where it is open.
        alpha: chance of each wrong verdict, at most.
        evidence_for: evidence against "at or below the margin" after `pairs`, as a natural logarithm.
        evidence_against: the same against "at or above the margin".
    """

    holds: bool | None
    pairs: int
    alpha: float
    evidence_for: float
    evidence_against: float


def paired_verdict(
    differences: ArrayLike,
    *,
    margin: float,
    low: float,
    high: float,
    alpha: float,
    least_pairs: int = LEAST_PAIRS,
) -> PairedVerdict:
    """Whether the mean of paired differences exceeds a margin, decided as early as the evidence allows.

    Args:
        differences: one number a case, in an order that does not depend on them (a shuffled data set's);
            shape (n,), each from `low` to `high`.
        margin: what the mean is held against, between `low` and `high`.
        low: the least value a difference can take, known beforehand.
        high: the largest value a difference can take, known beforehand.
        alpha: error bound of each of the two verdicts.
        least_pairs: no verdict before so many.

    Returns:
        The first verdict reached; `holds` None where none is, as with an empty sample.

    Raises:
        ValueError: a difference outside its bounds or not a number, a margin outside them, or no such alpha.

    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting (JRSS B 2024);
        the bound is Ville's (1939).
    """
    observed = np.asarray(differences, dtype=np.float64) - margin
    if not low < margin < high or not 0 < alpha < 1:
        raise ValueError(f"expected low < margin < high, not {low}, {margin}, {high}; alpha {alpha} in 0..1")
    slack = 1e-9 * (high - low)
    if not np.all((observed >= low - margin - slack) & (observed <= high - margin + slack)):
        raise ValueError(f"a difference lies outside {low} to {high}")
    evidence_for = _log_evidence(observed, margin - low)
    evidence_against = _log_evidence(-observed, high - margin)
    threshold = -math.log(alpha)
    late_enough = np.arange(1, observed.size + 1) >= least_pairs
    holds = _first(late_enough & (evidence_for >= threshold))
    fails = _first(late_enough & (evidence_against >= threshold))
    decided = [place for place in (holds, fails) if place is not None]
    pairs = min(decided) if decided else observed.size
    return PairedVerdict(
        holds=None if not decided else pairs == holds,
        pairs=pairs,
        alpha=alpha,
        evidence_for=float(evidence_for[pairs - 1]) if pairs else 0.0,
        evidence_against=float(evidence_against[pairs - 1]) if pairs else 0.0,
    )


def _log_evidence(observed: NDArray[np.float64], worst: float) -> NDArray[np.float64]:
    """Log of the mixture martingale against "the mean is at most 0" after each observation, >= -`worst`."""
    steps = np.log1p(np.outer(_BETS / worst, np.maximum(observed, -worst)))
    logs = np.cumsum(steps, axis=1) - math.log(_BETS.size)
    joined: NDArray[np.float64] = np.logaddexp.reduce(logs, axis=0)
    return joined


def _first(reached: NDArray[np.bool_]) -> int | None:
    """How many observations it took to reach it first; None when it never was."""
    return int(reached.argmax()) + 1 if reached.any() else None
