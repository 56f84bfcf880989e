"""Which strategies are worth having: the Pareto set of cost, latency and quality, and a plain choice."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One strategy's figures; each is an estimate with its interval, or None inside when unknown.

    Attributes:
        name: of the strategy.
        cost_usd: mean per request.
        p95_ms: latency; None inside when it falls among failures.
        quality: share of requests of high tier, 0..1 (or any figure where more is better).
        n: requests behind them.
        way: what answers; two measurements of one way are no rivals. Empty stands for the name.
    """

    name: str
    cost_usd: Estimate
    p95_ms: Estimate
    quality: Estimate
    n: int
    way: str = ""

    def rivals(self, other: "Candidate") -> bool:
        """The other one is another way of answering, not the same once more."""
        return other is not self and (self.way or self.name) != (other.way or other.name)

    def missing(self, *, latency: bool = True) -> list[str]:
        """Names of the figures that are unknown; without `latency` the p95 is not asked for."""
        figures = {"cost": self.cost_usd, "quality": self.quality} | ({"p95": self.p95_ms} if latency else {})
        return [name for name, figure in figures.items() if figure.value is None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a candidate stands.

    Attributes:
        candidate: the strategy.
        on_frontier: no other candidate is at least as good in all figures and better in one.
        dominated_by: names of those that are.
        surely_dominated: one of them beats it even where their intervals are read against it.
        excluded: why it could not be placed, else None.
    """

    candidate: Candidate
    on_frontier: bool
    dominated_by: tuple[str, ...] = ()
    surely_dominated: bool = False
    excluded: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The cheapest strategy that keeps the limits, in one sentence.

    Attributes:
        name: None when none does.
        certain: the intervals, not only the figures, keep the limits.
    """

    name: str | None
    certain: bool
    sentence: str


def pareto_set(candidates: Sequence[Candidate], *, latency: bool = True) -> list[Standing]:
    """Every candidate's standing, in the order given; those with unknown figures are excluded and say so.

    Args:
        candidates: strategies with their figures.
        latency: p95 counts; without it cost and quality alone do.
    """
    placed = [candidate for candidate in candidates if not candidate.missing(latency=latency)]
    standings: list[Standing] = []
    for candidate in candidates:
        missing = candidate.missing(latency=latency)
        if missing:
            reason = f"unknown: {', '.join(missing)}"
            standings.append(Standing(candidate=candidate, on_frontier=False, excluded=reason))
            continue
        better = [
            other for other in placed if candidate.rivals(other) and _dominates(other, candidate, latency)
        ]
        standings.append(
            Standing(
                candidate=candidate,
                on_frontier=not better,
                dominated_by=tuple(other.name for other in better),
                surely_dominated=any(_surely_dominates(other, candidate, latency) for other in better),
            )
        )
    return standings


def recommend(
    candidates: Sequence[Candidate],
    *,
    max_p95_ms: float | None = 8000.0,
    min_quality: float = 0.9,
    max_cost_usd: float | None = None,
) -> Recommendation:
    """The cheapest candidate with p95 <= `max_p95_ms`, quality >= `min_quality`, cost <= `max_cost_usd`.

    Args:
        candidates: strategies with their figures.
        max_p95_ms: milliseconds; None where the p95 cannot be judged, and then it is not asked for.
        min_quality: 0..1, of the share of high tier.
        max_cost_usd: a request; None is any.
    """
    p95 = "" if max_p95_ms is None else f"p95 <= {max_p95_ms / 1000:g} s and "
    wish = f"{p95}>= {min_quality * 100:g}% high tier"
    if max_cost_usd is not None:
        wish += f" and <= ${max_cost_usd:g} a request"
    fit = [
        candidate
        for candidate in candidates
        if _fits(candidate, max_p95_ms, min_quality)
        and (max_cost_usd is None or _cost(candidate) <= max_cost_usd)
    ]
    if not fit:
        unknown = sum(bool(candidate.missing(latency=max_p95_ms is not None)) for candidate in candidates)
        have = "has" if unknown == 1 else "have"
        also = f"; {unknown} {have} unknown figures" if unknown else ""
        return Recommendation(
            name=None, certain=False, sentence=f"No strategy of {len(candidates)} has {wish}{also}."
        )
    best = min(fit, key=_cost)
    certain = _certain(best, max_p95_ms, min_quality)
    doubt = "" if certain else f" Its intervals do not settle it: {best.n} requests are too few to be sure."
    rivals = [
        other.name
        for other in fit
        if best.rivals(other)
        and other.cost_usd.low is not None
        and other.cost_usd.low <= _high(best.cost_usd)
    ]
    close = f" {', '.join(rivals)} may cost no more." if rivals else ""
    sentence = f"{best.name} is the cheapest with {wish}: ${_cost(best):.6f} a request.{doubt}{close}"
    return Recommendation(name=best.name, certain=certain, sentence=sentence)


def _cost(candidate: Candidate) -> float:
    return float("inf") if candidate.cost_usd.value is None else candidate.cost_usd.value


def _dominates(one: Candidate, other: Candidate, latency: bool) -> bool:  # noqa: FBT001 - private
    pairs = list(zip(_losses(one, latency), _losses(other, latency), strict=True))
    return all(mine <= theirs for mine, theirs in pairs) and any(mine < theirs for mine, theirs in pairs)


def _losses(candidate: Candidate, latency: bool) -> list[float]:  # noqa: FBT001 - private
    """The figures that count, with smaller meaning better."""
    cost, p95, quality = candidate.cost_usd.value, candidate.p95_ms.value, candidate.quality.value
    if cost is None or quality is None or (latency and p95 is None):
        raise ValueError(f"{candidate.name} has unknown figures")
    return [cost, -quality, *([] if p95 is None or not latency else [p95])]


def _surely_dominates(one: Candidate, other: Candidate, latency: bool) -> bool:  # noqa: FBT001 - private
    """Better in every figure that counts, with intervals that do not overlap."""
    return (
        _high(one.cost_usd) < _low(other.cost_usd)
        and _low(one.quality) > _high(other.quality)
        and (not latency or _high(one.p95_ms) < _low(other.p95_ms))
    )


def _low(figure: Estimate) -> float:
    return float("-inf") if figure.low is None else figure.low


def _high(figure: Estimate) -> float:
    return float("inf") if figure.high is None else figure.high


def _fits(candidate: Candidate, max_p95_ms: float | None, min_quality: float) -> bool:
    p95, quality = candidate.p95_ms.value, candidate.quality.value
    fast = max_p95_ms is None or (p95 is not None and p95 <= max_p95_ms)
    return fast and quality is not None and quality >= min_quality and candidate.cost_usd.value is not None


def _certain(candidate: Candidate, max_p95_ms: float | None, min_quality: float) -> bool:
    fast = max_p95_ms is None or _high(candidate.p95_ms) <= max_p95_ms
    return fast and _low(candidate.quality) >= min_quality
