"""Candidate against baseline as a judge saw it: how often it wins, and how often were lengths alike.

A verdict is a number: 1 a win, 0.5 a tie, 0 a loss. Repeats of a case are not new cases.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, stdtrit

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.moments import moments_of, numbered, score_estimate

MIN_CASES = 6
"""Fewer cases than this cannot tell what is owed to length."""
MOST_LOGIT = 12.0
"""A coefficient beyond this is on its way to infinity: the verdicts are separated by length, or all alike."""
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedRate:
    """A win rate as if both answers were equally long.

    Attributes:
        estimate: unknown (None) where `note` says why.
        length_effect: logits that one standard deviation of length difference is worth; None when unknown.
        note: why there is no figure, or that it reaches beyond the lengths seen; None when all is well.
    """

    estimate: Estimate
    length_effect: float | None = None
    note: str | None = None


def win_rate(
    verdicts: Sequence[float], cases: Sequence[Hashable], *, confidence: float = DEFAULT_CONFIDENCE
) -> Estimate:
    """Mean verdict, a tie half a win, with an interval clustered by case; see `score_estimate`.

    Args:
        verdicts: shape (n,), each 0..1.
        cases: which case each pair belongs to.
        confidence: 0..1.
    """
    if any(not 0.0 <= verdict <= 1.0 for verdict in verdicts):
        raise ValueError("a verdict is a number from 0 (loss) to 1 (win)")
    return score_estimate(moments_of(verdicts, numbered(cases)), confidence=confidence)


def length_adjusted_win_rate(
    verdicts: Sequence[float],
    length_differences: Sequence[float],
    cases: Sequence[Hashable],
    *,
    confidence: float = DEFAULT_CONFIDENCE,
) -> AdjustedRate:
    """Win rate at no difference in length, by a logistic regression of the verdict on it.

    P(win) = expit(a + b tanh(d / sd(d))); the figure is expit(a). Ties count as half (a quasi-likelihood
    fit); the interval is that of `a`, from the cluster-robust sandwich with G / (G - 1) and t at G - 2
    degrees of freedom over G cases, carried through expit.

    Args:
        verdicts: shape (n,), each 0..1.
        length_differences: shape (n,), candidate's length less the baseline's, any one unit.
        cases: which case each pair belongs to.
        confidence: 0..1.

    Returns:
        No figure below `MIN_CASES` cases, where lengths differ alike in all pairs, or where verdicts are all
        alike or separated by length.

    Source: Dubois et al., Length-Controlled AlpacaEval (2024), arXiv:2404.04475, the length term alone;
        Papke and Wooldridge (1996) for fractional verdicts; Cameron and Miller (2015) for the sandwich.
    """
    y, d = np.asarray(verdicts, dtype=np.float64), np.asarray(length_differences, dtype=np.float64)
    if not y.size == d.size == len(cases):
        raise ValueError(f"{y.size} verdicts, {d.size} lengths, {len(cases)} case names")
    count, spread = len(set(cases)), float(d.std()) if d.size else 0.0
    if count < MIN_CASES:
        return _unknown(f"{count} cases, at least {MIN_CASES} are needed", y.size, confidence)
    if spread <= 1e-9 * max(1.0, float(np.abs(d).max())):
        return _unknown("lengths differ alike in all pairs", y.size, confidence)
    design = np.column_stack([np.ones_like(d), np.tanh(d / spread)])
    beta = _fitted(design, y)
    if beta is None:
        return _unknown("verdicts are all alike, or separated by length", y.size, confidence)
    error = _clustered_error(design, y, beta, cases)
    half = float(stdtrit(count - 2, 0.5 + confidence / 2.0)) * error
    low, value, high = (float(expit(beta[0] + shift)) for shift in (-half, 0.0, half))
    return AdjustedRate(
        estimate=Estimate(
            value=value, low=low, high=high, confidence=confidence, method="logit_at_equal_length", n=y.size
        ),
        length_effect=float(beta[1]),
        note=_reach(d),
    )


def _fitted(design: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Newton's method; None when it runs away or stands on no ground."""
    beta = np.zeros(2)
    for _ in range(_MOST_STEPS):
        p = expit(design @ beta)
        information = design.T @ (design * (p * (1 - p))[:, None])
        if np.linalg.cond(information) > 1e10:
            return None
        step = np.linalg.solve(information, design.T @ (y - p))
        beta = beta + step
        if np.abs(beta).max() > MOST_LOGIT:
            return None
        if np.abs(step).max() < 1e-10:
            return beta
    return None


def _clustered_error(
    design: NDArray[np.float64], y: NDArray[np.float64], beta: NDArray[np.float64], cases: Sequence[Hashable]
) -> float:
    """Cluster-robust standard error of the intercept."""
    p = expit(design @ beta)
    bread = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
    order: dict[Hashable, int] = {}
    index = [order.setdefault(name, len(order)) for name in cases]
    scores = np.zeros((len(order), 2))
    np.add.at(scores, index, design * (y - p)[:, None])
    count = len(order)
    variance = count / (count - 1) * bread @ (scores.T @ scores) @ bread
    return float(np.sqrt(variance[0, 0]))


def _reach(d: NDArray[np.float64]) -> str | None:
    if d.min() > 0 or d.max() < 0:
        side = "candidate" if d.min() > 0 else "baseline"
        return f"extrapolated: the {side} is the longer in every pair"
    return None


def _unknown(note: str, n: int, confidence: float) -> AdjustedRate:
    nothing = Estimate(
        value=None, low=None, high=None, confidence=confidence, method="logit_at_equal_length", n=n
    )
    return AdjustedRate(estimate=nothing, note=note)
