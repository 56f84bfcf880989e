"""How well a score routes between a weak and a strong model: the cost-quality curve of the routing papers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, no_estimate

RESAMPLES = 400
SEED = 20240626
"""Fixed: the same answers always give the same interval."""

MOST_UNITS = 20_000
"""Units whose cases are resampled; of more, every so-manieth."""

_ELEMENTS_AT_ONCE = 500_000
_METHOD = "case_bootstrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingCurve:
    """A router's curve in four figures; a router that knows nothing has APGR 0.5.

    With a growing share of the calls going to the strong model, the performance gap recovered (PGR) grows
    from 0 (all weak) to 1 (all strong).

    Attributes:
        apgr: area under PGR over the share of strong calls.
        cpt50: least share of strong calls that recovers half of the gap.
        cpt80: the same for four fifths.
        improvement: (APGR - 0.5) / 0.5: over the random router.

    Source: Ong et al., RouteLLM (2024), section 3.1; here the area is exact, not a sum over ten shares.
    """

    apgr: Estimate
    cpt50: Estimate
    cpt80: Estimate
    improvement: Estimate


def routing_curve(
    gain: NDArray[np.float64],
    score: NDArray[np.float64],
    cases: NDArray[np.intp],
    *,
    confidence: float = DEFAULT_CONFIDENCE,
) -> RoutingCurve:
    """The curve of a score, with intervals from resampled cases.

    Args:
        gain: quality of the strong answer minus that of the weak one, shape (n,), finite.
        score: where it is higher, the strong model is asked sooner, shape (n,), finite.
        cases: number of each unit's case, shape (n,).
        confidence: of each interval by itself.

    Returns:
        None where the strong model is no better; no bounds below two cases.
    """
    step = -(-len(gain) // MOST_UNITS) if len(gain) else 1
    gain, score, cases = gain[::step], score[::step], np.unique(cases[::step], return_inverse=True)[1]
    order = np.argsort(-score, kind="stable")
    gain, cases = gain[order], cases[order]
    whole = _figures(gain, np.ones((1, len(gain))))[0] if len(gain) else np.full(3, np.nan)
    drawn = _resampled(gain, cases)
    found = [_estimate(whole[k], drawn[:, k], len(gain), confidence) for k in range(3)]
    return RoutingCurve(
        apgr=found[0],
        cpt50=found[1],
        cpt80=found[2],
        improvement=_estimate(2.0 * whole[0] - 1.0, 2.0 * drawn[:, 0] - 1.0, len(gain), confidence),
    )


def _resampled(gain: NDArray[np.float64], cases: NDArray[np.intp]) -> NDArray[np.float64]:
    """The figures of resampled cases, shape (resamples, 3)."""
    count = int(cases.max(initial=-1)) + 1
    if count < 2:
        return np.full((1, 3), np.nan)
    rng = np.random.default_rng(SEED)
    rows = max(1, _ELEMENTS_AT_ONCE // max(1, len(gain)))
    parts = []
    for start in range(0, RESAMPLES, rows):
        some = min(rows, RESAMPLES - start)
        drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=some).astype(np.float64)
        parts.append(_figures(gain, drawn[:, cases]))
    return np.concatenate(parts)


def _figures(gain: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """APGR, CPT(50) and CPT(80) for each row of weights; not a number where there is no gap to recover."""
    asked = np.cumsum(weights, axis=1)
    share = asked / asked[:, -1:]
    won = np.cumsum(weights * gain, axis=1)
    gap = won[:, -1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        pgr = np.where(gap > 0, won / gap, np.nan)
    before = np.concatenate((np.zeros((len(pgr), 1)), pgr[:, :-1]), axis=1)
    area = ((pgr + before) / 2.0 * weights / asked[:, -1:]).sum(axis=1)
    found = np.empty((len(weights), 3))
    found[:, 0] = area
    for place, wanted in ((1, 0.5), (2, 0.8)):
        reached = pgr >= wanted
        first = reached.argmax(axis=1)
        found[:, place] = np.where(reached.any(axis=1), share[np.arange(len(share)), first], np.nan)
    return found


def _estimate(value: float, drawn: NDArray[np.float64], n: int, confidence: float) -> Estimate:
    if not np.isfinite(value):
        return no_estimate(_METHOD, n=n, confidence=confidence)
    known = drawn[np.isfinite(drawn)]
    tail = (1.0 - confidence) / 2.0
    bounds = np.quantile(known, [tail, 1.0 - tail]) if len(known) > 1 else None
    return Estimate(
        value=float(value),
        low=None if bounds is None else float(bounds[0]),
        high=None if bounds is None else float(bounds[1]),
        confidence=confidence,
        method=_METHOD,
        n=n,
    )
